"""One property suite over every refiner of the configuration tree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.command import tree
from factory.command.bind import make_part
from tests.command.composing import composed


def configured(choice: str):
    """The refiner as its YAML file sets it up."""
    ((config, _),) = composed("label", f"refiner={choice}")
    return make_part("refiner", config["refiner"])


REFINERS = {choice: configured(choice) for choice in tree.choices("refiner")}
every_refiner = pytest.mark.parametrize("refiner", REFINERS.values(), ids=REFINERS.keys())


@st.composite
def problems(draw):
    """An image and class probabilities of some small size, some of them certain."""
    height, width, classes = draw(st.integers(1, 12)), draw(st.integers(1, 12)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    scores = rng.dirichlet(np.full(classes, draw(st.sampled_from([0.05, 1.0]))), (height, width)).astype(np.float32)
    return rng.integers(0, 256, (height, width, 3), np.uint8), np.ascontiguousarray(scores.transpose(2, 0, 1))


@every_refiner
@given(problem=problems())
@settings(deadline=None, max_examples=40)
def test_a_mask_of_declared_classes_with_probabilities_comes_out_and_nothing_is_changed(refiner, problem) -> None:
    """For any size down to one pixel and any number of classes; twice the same."""
    image, scores = problem
    kept = image.copy(), scores.copy()
    mask, confidence = refiner(image, scores)
    assert (mask.dtype, mask.shape, confidence.shape) == (np.uint8, image.shape[:2], image.shape[:2])
    assert mask.max() < len(scores)
    assert np.isfinite(confidence).all()
    assert confidence.min() >= 0
    assert confidence.max() <= 1
    np.testing.assert_array_equal(image, kept[0])
    np.testing.assert_array_equal(scores, kept[1])
    again = refiner(image, scores)
    np.testing.assert_array_equal(mask, again[0])
    np.testing.assert_array_equal(confidence, again[1])


@every_refiner
@given(problem=problems(), order=st.permutations(range(4)))
@settings(deadline=None, max_examples=40)
def test_renaming_the_classes_renames_the_mask(refiner, problem, order) -> None:
    """No class is favoured; where two are as good as equal either may win."""
    image, scores = problem
    order = [k for k in order if k < len(scores)]
    mask, confidence = refiner(image, scores)
    renamed, _ = refiner(image, np.ascontiguousarray(scores[order]))
    clear = confidence > 0.51
    np.testing.assert_array_equal(np.asarray(order)[renamed][clear], mask[clear])


@every_refiner
def test_certain_scores_on_flat_areas_stay(refiner) -> None:
    """Two halves of different brightness, each certain of its class."""
    image = np.zeros((20, 30, 3), np.uint8)
    image[:, 15:] = 200
    truth = np.zeros((20, 30), np.uint8)
    truth[:, 15:] = 1
    scores = np.stack([truth == 0, truth == 1]).astype(np.float32)
    mask, confidence = refiner(image, scores)
    np.testing.assert_array_equal(mask, truth)
    assert confidence.min() > 0.9


@pytest.mark.parametrize("refiner", [REFINERS[c] for c in REFINERS if c != "argmax"])
def test_every_refiner_beats_argmax_where_the_image_tells_more_than_the_scores(refiner) -> None:
    """A disc in the image, scores that are right for 70 % of the pixels: what refiners are for."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:48, 0:48]
    truth = ((rows - 24) ** 2 + (columns - 22) ** 2 < 14**2).astype(np.uint8)
    image = np.repeat((60 + 120 * truth + rng.normal(0, 4, truth.shape))[..., None], 3, axis=2).astype(np.uint8)
    guess = np.where(rng.random(truth.shape) < 0.3, 1 - truth, truth)
    scores = np.stack([np.where(guess == k, 0.6, 0.4) for k in range(2)]).astype(np.float32)
    mask, _ = refiner(image, scores)
    assert (mask == truth).mean() > 0.98 > (REFINERS["argmax"](image, scores)[0] == truth).mean()
