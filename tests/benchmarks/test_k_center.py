"""Greedy k-center beside a plain numpy loop: 1,000 of 100,000 embeddings of 256 numbers."""

import time
from collections.abc import Callable

import numpy as np
import pytest
import torch

from factory.acquire.k_center import farthest_first

ROWS, WIDTH, PICKS, CHECKED = 100_000, 256, 1000, 40


def plain(points: np.ndarray, count: int) -> np.ndarray:
    """The loop that anyone would write: minimum distances, updated by each pick."""
    least = ((points - points.mean(axis=0)) ** 2).sum(axis=1)
    picked = [int(least.argmax())]
    least[:] = np.inf
    while len(picked) < count:
        least = np.minimum(least, ((points - points[picked[-1]]) ** 2).sum(axis=1))
        picked.append(int(least.argmax()))
    return np.array(picked)


def seconds(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """What comes of it, and how long it took."""
    began = time.perf_counter()
    return work(), time.perf_counter() - began


@pytest.mark.slow
def test_k_center_is_at_least_twice_as_fast_as_the_plain_loop() -> None:
    """The same picks; the plain loop's time is that of its first picks, each as long as any."""
    points = np.random.default_rng(0).normal(size=(ROWS, WIDTH)).astype(np.float32)
    expected, few = seconds(lambda: plain(points, CHECKED))
    farthest_first(points[:100], 2)  # a GPU takes seconds to start
    found, ours = seconds(lambda: farthest_first(points, PICKS))
    theirs = few / CHECKED * PICKS
    device = "GPU" if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    print(f"\nk-center, {PICKS} of {ROWS} x {WIDTH}: {ours:.1f} s ({device});", end=" ")
    print(f"plain loop {theirs:.0f} s, {theirs / ours:.1f} times as long")
    np.testing.assert_array_equal(found[:CHECKED], expected)
    assert ours * 2 <= theirs
    assert ours < 2 or not torch.cuda.is_available()
