"""Areas, boundaries and confidence of one method, counted together."""

import numpy as np

from factory.core.classes import IGNORE, ClassList
from factory.measure.scores import Scores

CLASSES = ClassList.of(["ground", "paper", "never"])


def test_confidence_is_judged_by_class_and_beside_boundaries() -> None:
    """A class that is always right at 0.6, another wrong at 0.8 along the border; ignored pixels count nowhere."""
    truth = np.zeros((100, 100), np.uint8)
    truth[:, 50:] = 1
    truth[:5] = IGNORE
    guess = truth.copy()
    guess[:, 50:52] = 0
    guess[:5] = 1
    sure = np.where(guess == 0, 153, 204).astype(np.uint8)
    scores = Scores(3)
    scores.add(truth, guess, sure)
    figures = scores.figures(CLASSES)
    share = 2 / 52
    np.testing.assert_allclose(figures["by_class"]["ground"]["ece"], abs(1 - share - 0.6))
    np.testing.assert_allclose(figures["by_class"]["paper"]["ece"], 0.2)
    assert figures["by_class"]["never"]["ece"] is None
    np.testing.assert_allclose(figures["class_ece"], (abs(1 - share - 0.6) + 0.2) / 2)
    assert sum(figures["confidence"]["pixels"]) == 95 * 100
    assert figures["boundary_ece"] < figures["ece"], "errors lie beside the boundary, where too little was promised"
    assert 0 < figures["ause"] < figures["aurc"]


def test_the_frame_of_a_picture_is_no_boundary() -> None:
    """Wrong there and as sure as anywhere: no error beside boundaries where there are none, or none near."""
    truth = np.zeros((100, 100), np.uint8)
    guess, sure = truth.copy(), np.full(truth.shape, 255, np.uint8)
    guess[:2] = 1
    for boundary, error in ((100, None), (50, 0)):
        truth[boundary:] = guess[boundary:] = 1
        scores = Scores(3)
        scores.add(truth, guess, sure)
        assert scores.figures(CLASSES)["boundary_ece"] == error
