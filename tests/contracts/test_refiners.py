"""One property suite over every refiner of the configuration tree."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.command import tree
from factory.command.bind import make_part
from factory.core.errors import ConfigError, FactoryError
from tests.command.composing import composed


def configured(choice: str):
    """The refiner as its YAML file sets it up."""
    ((config, _),) = composed("label", f"refiner={choice}")
    return make_part("refiner", config["refiner"])


REFINERS = {choice: configured(choice) for choice in tree.choices("refiner")}
BATCHED = {choice: refiner for choice, refiner in REFINERS.items() if hasattr(refiner, "posterior")}
every_refiner = pytest.mark.parametrize("refiner", REFINERS.values(), ids=REFINERS.keys())
every_batched_refiner = pytest.mark.parametrize("refiner", BATCHED.values(), ids=BATCHED.keys())


@st.composite
def problems(draw):
    """An image and class probabilities of some small size: certain, unknown, or all zero in places."""
    height, width, classes = draw(st.integers(1, 12)), draw(st.integers(1, 12)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    scores = rng.dirichlet(np.full(classes, draw(st.sampled_from([0.05, 1.0]))), (height, width)).astype(np.float32)
    scores[rng.random((height, width)) < draw(st.sampled_from([0.0, 0.5, 1.0]))] = 1 / classes
    if draw(st.integers(0, 5)) == 0:
        scores[rng.random((height, width)) < 0.2] = 0
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    return image // draw(st.sampled_from([1, 200])), np.ascontiguousarray(scores.transpose(2, 0, 1))


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
    clear = confidence > 0.51 + 0.01 * (len(order) > 1)
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


@every_refiner
@given(problem=problems())
@settings(deadline=None, max_examples=25)
def test_where_every_class_is_as_likely_everywhere_nothing_is_made_up(refiner, problem) -> None:
    """Unknown stays unknown: a confidence of one over the classes."""
    image, scores = problem
    unknown = np.full_like(scores, 1 / len(scores))
    _, confidence = refiner(image, unknown)
    np.testing.assert_allclose(confidence, 1 / len(scores), atol=1e-3)


@every_refiner
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.5])
def test_scores_that_are_no_probabilities_are_refused_with_their_place(refiner, value) -> None:
    """One message, not a mask of rubbish."""
    scores = np.full((3, 6, 7), 1 / 3, np.float32)
    scores[2, 4, 5] = value
    with pytest.raises(FactoryError, match=r"(?s)row 4, column 5, class 2.*got.*do: ") as caught:
        refiner(np.zeros((6, 7, 3), np.uint8), scores)
    assert len(str(caught.value).splitlines()) == 5


@every_refiner
@pytest.mark.parametrize("shape", [(3, 7, 6), (6, 7), (0, 6, 7)])
def test_scores_of_another_size_are_refused(refiner, shape) -> None:
    """Also when there are no classes."""
    with pytest.raises(FactoryError, match="do not fit the picture"):
        refiner(np.zeros((6, 7, 3), np.uint8), np.ones(shape, np.float32))


@pytest.mark.parametrize(
    ("choice", "change"),
    [
        ("dense_crf", {"iterations": -1}),
        ("fast_crf", {"iterations": -1}),
        ("fast_crf", {"bilateral_srgb": 0.0}),
        ("dense_crf", {"bilateral_srgb": 1e-8}),
        ("dense_crf", {"spatial_sxy": 1e-3}),
        ("dense_crf", {"bilateral_compat": 1e39}),
        ("fast_crf", {"spatial_compat": -1.0}),
        ("pixel_adaptive", {"dilations": []}),
        ("pixel_adaptive", {"dilations": [0, 1]}),
        ("pixel_adaptive", {"colour_weight": 0.0}),
        ("guided_filter", {"radius": -1}),
        ("guided_filter", {"radius": 1001}),
        ("guided_filter", {"epsilon": 0.0}),
        ("guided_filter", {"subsample": 0}),
        ("superpixel_vote", {"share": 1.1}),
        ("superpixel_vote", {"area": 0}),
        ("random_walk", {"beta": 0.0}),
        ("random_walk", {"prior": 1e300}),
    ],
)
def test_impossible_settings_are_refused_by_name(choice, change) -> None:
    """When the part is made."""
    with pytest.raises(ConfigError, match=next(iter(change))):
        replace(REFINERS[choice], **change)


def test_numbers_that_overflow_are_one_message() -> None:
    """Not a mask of class 0 with no confidence; distances beyond the picture's size are those of its border."""
    image = np.random.default_rng(0).integers(0, 256, (6, 7, 3), np.uint8)
    scores = np.random.default_rng(0).dirichlet(np.ones(2), (6, 7)).astype(np.float32).transpose(2, 0, 1)
    adaptive = replace(REFINERS["pixel_adaptive"], place_weight=0.0)
    with pytest.raises(ConfigError, match="overflow"):
        replace(adaptive, colour_weight=1e-30)(image, scores)
    far, further = (replace(adaptive, dilations=(1, distance))(image, scores) for distance in (7, 10**6))
    np.testing.assert_array_equal(far, further)


@every_batched_refiner
def test_pictures_of_a_batch_do_not_see_each_other(refiner) -> None:
    """Together as one by one; and the mask and confidence are those of the posterior."""
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (4, 37, 45, 3), np.uint8)
    images[1] //= 8
    scores = rng.dirichlet(np.full(5, 0.3), (4, 37, 45)).astype(np.float32).transpose(0, 3, 1, 2)
    scores[2:] = 0.2
    scores[2, :, 5, 6] = np.arange(5) == 3
    together = refiner.posterior(torch.tensor(images).permute(0, 3, 1, 2), torch.tensor(scores))
    assert (together.shape, together.dtype) == ((4, 5, 37, 45), torch.float32)
    np.testing.assert_allclose(together.sum(dim=1), 1, atol=1e-5)
    for image, score, posterior in zip(images, scores, together, strict=True):
        mask, confidence = refiner(image, np.ascontiguousarray(score))
        np.testing.assert_allclose(confidence, posterior.amax(dim=0), atol=2e-3)
        given = np.take_along_axis(posterior.numpy(), mask[None].astype(np.intp), axis=0)[0]
        np.testing.assert_allclose(given, confidence, atol=2e-3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@every_batched_refiner
def test_a_gpu_says_what_the_cpu_says(refiner) -> None:
    """The same posterior within rounding."""
    rng = np.random.default_rng(4)
    images = torch.tensor(rng.integers(0, 256, (2, 3, 90, 120), np.uint8))
    scores = torch.tensor(rng.dirichlet(np.full(5, 0.3), (2, 90, 120)).astype(np.float32)).permute(0, 3, 1, 2)
    there = refiner.posterior(images.cuda(), scores.cuda())
    assert there.is_cuda
    np.testing.assert_allclose(there.cpu(), refiner.posterior(images, scores), atol=5e-3)
