"""Points spread over what looks alike and lies near."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

from factory.core.errors import ConfigError
from factory.core.picture import Picture
from factory.core.sample import Hints
from factory.core.superpixels import superpixels
from factory.label.points import Points
from factory.label.seeds import Seeds
from factory.label.spots import Spots

POINTS = Points(area=30, compactness=10.0, colour_sigma=12.0, place_sigma=0.3)
SPOTS = Spots(area=25, compactness=10.0, confidence=0.9)


def hinted(image: np.ndarray, **hints) -> Picture:
    """An image with hints."""
    return Picture(id="picture", image=image, hints=Hints(**hints))


def two_halves() -> np.ndarray:
    """Dark left, bright right, a little noise."""
    image = np.full((40, 60, 3), 50, np.uint8)
    image[:, 30:] = 190
    return image + np.random.default_rng(0).integers(0, 9, image.shape, np.uint8)


def test_one_click_a_side_labels_both_sides() -> None:
    """Across the whole of each side, up to the edge."""
    scores = POINTS(hinted(two_halves(), points=((3, 3, 0), (55, 35, 1))), 2)
    truth = np.arange(60) >= 30
    assert (scores.argmax(axis=0) == truth).mean() > 0.97


@pytest.mark.parametrize("labeler", [POINTS, Seeds(), SPOTS])
def test_without_a_click_everything_is_unknown(labeler) -> None:
    """Uniform, not class 0."""
    scores = labeler(hinted(two_halves()), 4)
    np.testing.assert_allclose(scores, 0.25)


@pytest.mark.parametrize("labeler", [POINTS, Seeds(), SPOTS])
@given(
    points=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 5), st.integers(0, 2)), max_size=5),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=30)
def test_scores_are_probabilities_of_the_images_size(labeler, points, seed) -> None:
    """Whatever is clicked, also twice in one place."""
    image = np.random.default_rng(seed).integers(0, 256, (6, 9, 3), np.uint8)
    scores = labeler(hinted(image, points=tuple(points)), 3)
    assert (scores.shape, scores.dtype) == ((3, 6, 9), np.float32)
    np.testing.assert_allclose(scores.sum(axis=0), 1, rtol=1e-5)
    assert scores.min() >= 0


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (2, 2)])
def test_tiny_images_are_labelled_too(size) -> None:
    """One pixel, one row, one column."""
    scores = POINTS(hinted(np.full((*size, 3), 90, np.uint8), points=((0, 0, 1),)), 2)
    assert scores.shape == (2, *size)
    assert scores[1, 0, 0] > 0.9


def test_seeds_say_nothing_beyond_the_clicked_pixel() -> None:
    """A neighbour stays unknown."""
    scores = Seeds()(hinted(two_halves(), points=((5, 4, 1),)), 2)
    assert scores[1, 4, 5] == 1
    assert scores[1, 4, 6] == 0.5


@pytest.mark.parametrize("name", ["area", "compactness", "colour_sigma", "place_sigma"])
def test_reaches_must_be_positive(name) -> None:
    """The message names the key."""
    settings_ = {"area": 30, "compactness": 10.0, "colour_sigma": 12.0, "place_sigma": 0.3} | {name: 0}
    with pytest.raises(ConfigError, match=name):
        Points(**settings_)


def test_a_spot_is_the_superpixel_of_its_click_and_ends_where_the_picture_changes() -> None:
    """Its own size, the click itself certain, everything further unknown."""
    scores = SPOTS(hinted(two_halves(), points=((28, 20, 1),)), 2)
    spot = np.isclose(scores[1], 0.9)
    assert scores[1, 20, 28] == 1
    assert 8 < spot.sum() < 80
    assert not spot[:, 30:].any()
    assert np.isclose(scores[0], 0.5).sum() == scores[0].size - spot.sum() - 1


def test_clicks_that_disagree_within_a_spot_speak_for_themselves_alone() -> None:
    """Neighbouring pixels of two classes."""
    segments = superpixels(two_halves(), SPOTS.area, SPOTS.compactness)
    y, x = (int(i[0]) for i in np.nonzero(segments[:, 1:] == segments[:, :-1]))
    scores = SPOTS(hinted(two_halves(), points=((x, y, 0), (x + 1, y, 1))), 2)
    assert np.isclose(scores[0], 0.5).sum() == scores[0].size - 2


def test_a_spot_is_never_less_likely_what_was_clicked_than_anything_else() -> None:
    """However little it is to be trusted: then it says nothing."""
    scores = replace(SPOTS, confidence=0.1)(hinted(two_halves(), points=((28, 20, 1),)), 2)
    assert scores[1].min() == 0.5


def test_evidence_is_a_sum_of_gaussians_over_superpixels_that_were_touched() -> None:
    """The docstring's formula in a loop, on a picture that is no square; two clicks of a class in one count once."""
    image = np.random.default_rng(2).integers(0, 256, (20, 33, 3), np.uint8)
    segments = superpixels(image, POINTS.area, POINTS.compactness)
    y, x = (int(i[0]) for i in np.nonzero(segments[:, 1:] == segments[:, :-1]))
    points = ((x, y, 0), (x + 1, y, 0), (30, 18, 1), (2, 15, 1))
    lab, every = rgb2lab(image), range(segments.max() + 1)
    colour = np.stack([lab[segments == s].mean(axis=0) for s in every]) / POINTS.colour_sigma
    place = np.stack([np.argwhere(segments == s).mean(axis=0) for s in every])
    place /= POINTS.place_sigma * np.hypot(20, 33)
    evidence = np.full((len(colour), 2), 1e-3)
    for segment, class_id in {(int(segments[row, column]), class_id) for column, row, class_id in points}:
        apart = ((colour - colour[segment]) ** 2).sum(axis=1) + ((place - place[segment]) ** 2).sum(axis=1)
        evidence[:, class_id] += np.exp(-apart / 2)
    expected = (evidence / evidence.sum(axis=1, keepdims=True)).T[:, segments]
    np.testing.assert_allclose(POINTS(hinted(image, points=points), 2), expected, atol=1e-5)


@pytest.mark.parametrize("change", [{"area": 0}, {"compactness": -1.0}, {"confidence": 0.0}, {"confidence": 1.1}])
def test_impossible_spots_are_refused(change) -> None:
    """By name."""
    with pytest.raises(ConfigError, match=next(iter(change))):
        Spots(**{"area": 16, "compactness": 10.0, "confidence": 0.9} | change)
