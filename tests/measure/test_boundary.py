"""Boundary IoU against its definition written down pixel by pixel, and against the peer's way to make masks."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from factory.core.classes import IGNORE, ClassList
from factory.measure.boundary import Boundaries, band, width_of

CLASSES = 3
REACH = 0.15
sizes = st.tuples(st.integers(1, 14), st.integers(1, 14))


def maps(*values: int):
    """Truth and prediction of one size; truth may have more values than the three classes."""
    return sizes.flatmap(
        lambda size: st.tuples(
            arrays(np.uint8, size, elements=st.sampled_from([0, 1, 2, *values])),
            arrays(np.uint8, size, elements=st.sampled_from([0, 1, 2])),
        )
    )


def measured(*pairs, reach: float = REACH) -> Boundaries:
    """All pictures counted."""
    boundaries = Boundaries(CLASSES, reach)
    for truth, guess in pairs:
        boundaries.add(truth, guess)
    return boundaries


def peers_band(inside_hw: np.ndarray, reach: float) -> np.ndarray:
    """A mask minus itself eroded, as the paper's code has it: padded by a pixel, eroded step by step."""
    height, width = inside_hw.shape
    steps = max(1, round(reach * np.sqrt(height**2 + width**2)))
    padded = np.pad(inside_hw.astype(np.uint8), 1)
    eroded = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=steps)
    return inside_hw & (eroded[1:-1, 1:-1] == 0)


def slow_band(ids_hw: np.ndarray, width: int) -> np.ndarray:
    """Every pixel by itself: something else that is known, or the end of the picture, within reach."""
    height, across = ids_hw.shape
    found = np.zeros(ids_hw.shape, bool)
    for y, x in np.ndindex(ids_hw.shape):
        outside = y < width or x < width or y >= height - width or x >= across - width
        near = ids_hw[max(0, y - width) : y + width + 1, max(0, x - width) : x + width + 1]
        others = (near != ids_hw[y, x]) & (near != IGNORE)
        found[y, x] = ids_hw[y, x] != IGNORE and (outside or others.any())
    return found


@settings(deadline=None)
@given(maps(), st.sampled_from([0.01, 0.1, 0.3]))
def test_without_ignored_pixels_it_is_the_papers_boundary_iou(pair, reach):
    """Class regions for instances: both bands, their overlap over their union."""
    truth, guess = pair
    found = measured(pair, reach=reach).iou()
    for k in range(CLASSES):
        one, other = peers_band(truth == k, reach), peers_band(guess == k, reach)
        union = (one | other).sum()
        expected = (one & other).sum() / union if union else np.nan
        np.testing.assert_equal(found[k], expected)


@settings(deadline=None)
@given(maps(IGNORE), st.integers(1, 4))
def test_a_band_is_what_every_pixel_says_of_its_neighbourhood(pair, width):
    """With ignored pixels: they are in no band and make none."""
    assert (slow_band(pair[0], width) == band(pair[0], width)).all()


@settings(deadline=None)
@given(maps(IGNORE))
def test_what_is_predicted_where_nobody_knows_changes_nothing(pair):
    """Ignored pixels are out of the prediction too."""
    truth, guess = pair
    other = np.where(truth == IGNORE, (guess + 1) % CLASSES, guess)
    np.testing.assert_equal(measured((truth, guess)).iou(), measured((truth, other)).iou())


@settings(deadline=None)
@given(st.lists(maps(IGNORE), min_size=1, max_size=3))
def test_bands_are_summed_over_the_data_set(pairs):
    """Never averaged over pictures."""
    singles = [measured(pair) for pair in pairs]
    for name in ("truth_k", "guess_k", "both_k"):
        assert (getattr(measured(*pairs), name) == sum(getattr(one, name) for one in singles)).all()


@settings(deadline=None)
@given(maps(IGNORE))
def test_a_perfect_prediction_scores_one_and_absent_classes_nothing(pair):
    """Each class that is there."""
    truth = pair[0]
    found = measured((truth, np.where(truth == IGNORE, 0, truth))).iou()
    present = [k for k in range(CLASSES) if (truth == k).any()]
    if truth.shape[0] * truth.shape[1] == len(truth[truth != IGNORE]):
        assert sorted(np.flatnonzero(~np.isnan(found))) == present
    assert all(value == 1 for value in found[~np.isnan(found)])


def test_a_shift_costs_boundary_iou_what_it_hardly_costs_iou():
    """A large square, two pixels off: the area agrees, the outline does not."""
    truth, guess = np.zeros((200, 200), np.uint8), np.zeros((200, 200), np.uint8)
    truth[40:160, 40:160], guess[42:162, 42:162] = 1, 1
    assert measured((truth, guess), reach=0.02).iou()[1] < 0.6


def test_figures_are_null_where_nothing_was_seen():
    """JSON holds no NaN."""
    boundaries = Boundaries(1)
    boundaries.add(np.full((4, 4), IGNORE, np.uint8), np.zeros((4, 4), np.uint8))
    expected = {"boundary_iou": None, "by_class": {"a": {"boundary_iou": None}}}
    assert expected == boundaries.figures(ClassList.of(["a"]))


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (300, 2)])
def test_pictures_thinner_than_the_band_are_all_band(shape):
    """Every pixel is near the end."""
    assert band(np.zeros(shape, np.uint8), 2).all()


def test_bands_are_two_hundredths_of_the_diagonal_wide_unless_told_otherwise() -> None:
    """Of the peer's own choice; rounded, and never nothing."""
    assert Boundaries(2).reach == 0.02
    assert [width_of(np.zeros(size, np.uint8)) for size in ((300, 400), (30, 40), (3, 4))] == [10, 1, 1]
