"""Labels that a model does not believe."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from factory.acquire.label_issue import LabelIssue, self_confidence
from factory.acquire.moments import Moments
from factory.core.classes import IGNORE


def drawn(seed: int, classes: int = 4, size_hw=(5, 7)):
    """Labels, some of them ignored, and probabilities."""
    rng = np.random.default_rng(seed)
    probability_khw = np.moveaxis(rng.dirichlet(np.ones(classes), size_hw), -1, 0).astype(np.float32)
    label_hw = rng.integers(0, classes, size_hw).astype(np.uint8)
    label_hw[rng.random(size_hw) < 0.2] = IGNORE
    return label_hw, np.ascontiguousarray(probability_khw)


@given(st.integers(0, 999), st.integers(1, 6))
def test_self_confidence_is_the_probability_of_the_label(seed, classes) -> None:
    """Pixel by pixel; without a label it is no number."""
    label_hw, probability_khw = drawn(seed, classes)
    expected = [
        np.nan if label_hw[place] == IGNORE else probability_khw[(label_hw[place], *place)]
        for place in np.ndindex(label_hw.shape)
    ]
    np.testing.assert_array_equal(self_confidence(label_hw, probability_khw).ravel(), np.array(expected, np.float32))


def test_as_an_uncertainty_it_needs_labels() -> None:
    """A picture without any raises no doubt."""
    label_hw, probability_khw = drawn(0)
    entropy_hw = np.zeros(label_hw.shape, np.float32)
    bare = Moments(mean_khw=probability_khw, entropy_hw=entropy_hw)
    assert np.isnan(LabelIssue()(bare)).all()
    labelled = Moments(mean_khw=probability_khw, entropy_hw=entropy_hw, label_hw=label_hw)
    np.testing.assert_array_equal(LabelIssue()(labelled), 1 - self_confidence(label_hw, probability_khw))
