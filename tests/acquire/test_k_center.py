"""Greedy k-center picks what lies farthest from all picks before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.acquire.k_center import farthest_first
from factory.core.errors import ConfigError


def naive(points: np.ndarray, count: int, covered: list[int]) -> list[int]:
    """The definition, every distance by itself in 64 bits."""
    points = points.astype(np.float64)
    picked = list(covered)
    found: list[int] = []
    while len(found) < count and len(set(picked)) < len(points):
        centres = points[picked] if picked else points.mean(axis=0, keepdims=True)
        nearest = ((points[:, None] - centres[None]) ** 2).sum(axis=2).min(axis=1)
        nearest[picked] = -1
        found.append(int(nearest.argmax()))
        picked.append(found[-1])
    return found


@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 50), st.integers(0, 3), st.integers(0, 999))
@settings(deadline=None, max_examples=60)
def test_picks_are_those_of_the_definition(rows, dimensions, count, covered, seed) -> None:
    """In order, with rows that count as picked before or without, more asked for than there are."""
    points = np.random.default_rng(seed).normal(size=(rows, dimensions)).astype(np.float32)
    before = np.random.default_rng(seed).permutation(rows)[:covered].tolist()
    found = farthest_first(points, count, covered=np.array(before, np.intp) if before else None)
    assert found.tolist() == naive(points, count, before)
    assert not set(found.tolist()) & set(before)


def test_duplicates_are_picked_last_and_by_number() -> None:
    """A point beside an equal one is worth nothing; nothing is picked twice."""
    points = np.array([[0, 0], [0, 0], [9, 0], [9, 0], [0, 5]], np.float32)
    found = farthest_first(points, 5).tolist()
    assert sorted(found) == [0, 1, 2, 3, 4]
    assert found[:3] == [2, 4, 0]
    assert farthest_first(np.ones((4, 3), np.float32), 9).tolist() == [0, 1, 2, 3]


def test_of_nothing_nothing_is_picked_and_nonsense_is_refused() -> None:
    """An empty pool, an empty wish, coordinates that are no numbers."""
    assert farthest_first(np.empty((0, 4), np.float32), 3).tolist() == []
    assert farthest_first(np.ones((3, 4), np.float32), 0).tolist() == []
    with pytest.raises(ConfigError, match="numbers"):
        farthest_first(np.array([[np.nan, 1.0]], np.float32), 1)
