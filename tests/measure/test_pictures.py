"""Pictures for people."""

import numpy as np
import pytest

from factory.core import masks
from factory.core.classes import IGNORE, ClassList
from factory.measure import pictures

CLASSES = ClassList.of(["ground", "coin"])


def test_errors_are_red_right_pixels_greenish_and_unknown_ones_grey():
    """One look tells where the model is wrong."""
    image = np.full((1, 5, 3), 100, np.uint8)
    truth, guess = np.array([[1, 1, 1, IGNORE, IGNORE]], np.uint8), np.array([[1, 0, IGNORE, 0, IGNORE]], np.uint8)
    right, wrong, unlabelled, *unknown = pictures.errors(image, truth, guess)[0].astype(int)
    assert right[1] > right[0]
    assert wrong[0] > 2 * wrong[1]
    assert unlabelled[2] > 1.3 * unlabelled[0]
    assert [len(set(one)) for one in unknown] == [1, 1]


@pytest.mark.parametrize(
    ("truth", "guess", "told"),
    [
        ([1, 1, 0, 0], [1, 0, 0, 0], "25.0 %"),
        ([1, 1, IGNORE, IGNORE], [1, 0, 0, 0], "50.0 %"),
        ([1, 1, 0, IGNORE], [1, IGNORE, 1, IGNORE], "50.0 %; 33 % open (blue)"),
        ([1, 1, 0, IGNORE], [IGNORE] * 4, "nothing labelled; 100 % open (blue)"),
        ([IGNORE] * 4, [0] * 4, "no truth"),
    ],
)
def test_errors_are_a_share_of_the_pixels_that_have_truth_and_label(truth, guess, told):
    """As in the figures beside them; what has no label is told apart."""
    assert pictures.error_share(np.array([truth], np.uint8), np.array([guess], np.uint8)) == told


def test_a_strip_is_four_panels_wide_and_small_pictures_are_enlarged():
    """Thumbnails of 20 pixels would help nobody."""
    mask = np.zeros((20, 30), np.uint8)
    mask[5:9, 5:9] = 1
    image = np.zeros((20, 30, 3), np.uint8)
    sheet = pictures.strip([("photograph", image)], image, mask, mask, CLASSES, "prediction")
    assert sheet.shape[0] > pictures.SHORTEST
    assert sheet.shape[1] == 4 * 12 * 30 + 5 * pictures.GAP
    below = sheet[pictures.HEADING + 12 * 20 + pictures.GAP :]
    assert all((below == colour).all(axis=2).sum() > 50 for colour in CLASSES.colours), "both classes in the legend"


def test_a_picture_without_truth_says_so():
    """No error share can be given."""
    mask = np.full((8, 8), IGNORE, np.uint8)
    assert pictures.strip([], np.zeros((8, 8, 3), np.uint8), mask, mask * 0, CLASSES, "prediction").any()


def test_truth_prediction_and_errors_stand_in_this_order():
    """The first two each in their own class's colour, the third red where they differ."""
    image = np.zeros((240, 240, 3), np.uint8)
    truth, guess = np.zeros((240, 240), np.uint8), np.ones((240, 240), np.uint8)
    sheet = pictures.strip([], image, truth, guess, CLASSES, "prediction")
    lefts = [pictures.GAP + column * (240 + pictures.GAP) for column in range(3)]
    shown = [sheet[pictures.HEADING :][:240, left : left + 240] for left in lefts]
    expected = [masks.overlay(image, ids, CLASSES, 0.6) for ids in (truth, guess)]
    assert all(
        np.array_equal(*pair) for pair in zip(shown, [*expected, pictures.errors(image, truth, guess)], strict=True)
    )
    assert not np.array_equal(*expected)
