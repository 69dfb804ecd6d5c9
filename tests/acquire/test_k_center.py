"""Greedy k-center picks what lies farthest from all picks before."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from factory.acquire.k_center import farthest_first
from factory.core.errors import ConfigError


def lacking(points: np.ndarray, picked: list[int], before: list[int]) -> list[float]:
    """What each pick's squared distance lacks of the farthest, by the definition, in 64 bits; a part of it."""
    points, taken = points.astype(np.float64), list(before)
    parts = []
    for pick in picked:
        centres = points[taken] if taken else points.mean(axis=0, keepdims=True)
        nearest = ((points[:, None] - centres[None]) ** 2).sum(axis=2).min(axis=1)
        parts.append(1 - nearest[pick] / nearest.max() if nearest.max() else 0.0)
        taken.append(pick)
    return parts


@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 50), st.integers(0, 3), st.integers(0, 999), st.booleans())
@example(36, 1, 31, 3, 45, False)
@settings(deadline=None, max_examples=60)
def test_picks_are_those_of_the_definition(rows, dimensions, count, covered, seed, twins) -> None:
    """In order, with rows that count as picked before or without, more asked for than there are, near duplicates."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(rows, dimensions)).astype(np.float32)
    if twins:
        points[rows // 2 :] = points[: rows - rows // 2] + 1e-4 * rng.normal(size=(rows - rows // 2, dimensions))
    before = np.random.default_rng(seed).permutation(rows)[:covered].tolist()
    found = farthest_first(points, count, covered=np.array(before, np.intp) if before else None).tolist()
    assert len(found) == min(count, rows - len(before))
    assert len({*found, *before}) == len(found) + len(before)
    assert max(lacking(points, found, before), default=0) < 1e-4


def test_duplicates_are_picked_last_and_by_number() -> None:
    """A point beside an equal one is worth nothing; nothing is picked twice."""
    points = np.array([[0, 0], [0, 0], [9, 0], [9, 0], [0, 5]], np.float32)
    found = farthest_first(points, 5).tolist()
    assert sorted(found) == [0, 1, 2, 3, 4]
    assert found[:3] == [2, 4, 0]
    assert farthest_first(np.ones((4, 3), np.float32), 9).tolist() == [0, 1, 2, 3]
    assert farthest_first(np.full((7, 3), 0.1, np.float32), 9).tolist() == list(range(7))


def test_of_nothing_nothing_is_picked_and_nonsense_is_refused() -> None:
    """An empty pool, an empty wish, coordinates that are no numbers."""
    assert farthest_first(np.empty((0, 4), np.float32), 3).tolist() == []
    assert farthest_first(np.ones((3, 4), np.float32), 0).tolist() == []
    with pytest.raises(ConfigError, match="numbers"):
        farthest_first(np.array([[np.nan, 1.0]], np.float32), 1)
