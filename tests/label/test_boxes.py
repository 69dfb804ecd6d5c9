"""Boxes: background outside, an object within that touches every side."""

import numpy as np
import pytest

from factory.core.errors import ConfigError
from factory.core.picture import Picture
from factory.core.sample import Hints
from factory.label.boxes import Boxes
from factory.label.masks import Masks
from factory.label.superpixel_graph import graph_of

SETTINGS = {
    "background": 0, "area": 16, "compactness": 10.0, "colour_sigma": 6.0, "inside": 0.8, "outside": 0.98, "frame": 0.3,
    "most": 3.0, "tightness": 0.7, "rounds": 5,
}  # fmt: skip


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A green cross on a sandy ground, and its mask."""
    truth = np.zeros((120, 160), bool)
    truth[20:100, 70:90], truth[50:70, 40:120] = True, True
    image = np.where(truth[..., None], (40, 130, 60), (200, 180, 140))
    return (image + np.random.default_rng(0).normal(0, 6, image.shape)).clip(0, 255).astype(np.uint8), truth


def boxed(image: np.ndarray, *boxes) -> Picture:
    """A picture with boxes."""
    return Picture(id="p", image=image, hints=Hints(boxes=boxes))


def test_the_object_is_told_from_its_surroundings_by_colour() -> None:
    """A cross, though most of its box is not it; background outside."""
    image, truth = scene()
    found = Boxes(**SETTINGS)(boxed(image, (40, 20, 120, 100, 1)), 2).argmax(axis=0)
    assert (found & truth).sum() / (found | truth).sum() > 0.9
    outside = np.ones_like(truth)
    outside[20:100, 40:120] = False
    assert not found[outside].any()


def test_an_object_that_looks_like_its_surroundings_still_crosses_its_box() -> None:
    """Every row and every column holds a pixel that is likely it."""
    image = np.full((60, 80, 3), 128, np.uint8)
    scores = Boxes(**SETTINGS | {"inside": 0.3})(boxed(image, (20, 10, 60, 50, 1)), 2)
    inside = scores[1, 10:50, 20:60]
    assert inside.max(axis=0).min() >= 0.7 - 1e-6
    assert inside.max(axis=1).min() >= 0.7 - 1e-6


def test_of_two_overlapping_boxes_the_smaller_lies_in_front() -> None:
    """Whatever order they are given in; a picture that is all box has nothing to learn a background from."""
    image, _ = scene()
    image[40:80, 60:100] = (200, 30, 30)
    boxes = ((0, 0, 160, 120, 1), (60, 40, 100, 80, 2))
    for order in (boxes, boxes[::-1]):
        found = Boxes(**SETTINGS)(boxed(image, *order), 3).argmax(axis=0)
        assert (found[44:76, 64:96] == 2).mean() > 0.9
        assert (found[45:75, 45:55] == 1).mean() > 0.5


def test_a_wide_low_box_may_be_the_smaller_one() -> None:
    """Areas are compared, not sides."""
    image = np.full((120, 160, 3), 128, np.uint8)
    scores = Boxes(**SETTINGS)(boxed(image, (60, 5, 100, 119, 1), (0, 50, 159, 70, 2)), 3)
    assert scores[2, 60, 80] > scores[1, 60, 80]


def test_every_line_is_crossed_and_a_frame_is_as_wide_as_told() -> None:
    """Across a box whose object shows at one side alone; a frame's sides are shares of the box's."""
    boxes = Boxes(**SETTINGS | {"frame": 0.5})
    found = np.full((4, 6), 0.1)
    found[:, 0] = 0.9
    for object_hw in (boxes._tight(found), boxes._tight(found.T).T):
        np.testing.assert_allclose(object_hw.max(axis=0), [0.9, *[0.7] * 5])
        np.testing.assert_allclose(object_hw[:, 0], 0.9)
    graph, in_box = graph_of(scene()[0], area=16, compactness=10.0), np.zeros((120, 160), bool)
    in_box[40:80, 60:70] = True
    assert boxes._around(graph, (60, 40, 70, 80, 1), in_box).sum() == 20 * 80 - 10 * 40


def test_colours_say_no_more_than_they_may() -> None:
    """However unlike object and surroundings are: odds of 4 at the middle, times e to that power."""
    image, _ = scene()
    for most, odds in ((0.5, 4 * np.exp(0.5)), (2.0, 4 * np.exp(2.0))):
        scores = Boxes(**SETTINGS | {"most": most})(boxed(image, (40, 20, 120, 100, 1)), 2)
        np.testing.assert_allclose(scores[1].max(), odds / (1 + odds), atol=0.01)


def test_what_lies_in_another_box_is_no_background() -> None:
    """Two alike side by side are each found as if the other were not there."""
    image, _ = scene()
    image[:] = (200, 180, 140)
    image[40:80, 50:70] = image[40:80, 72:92] = (40, 130, 60)
    first, second = (48, 38, 71, 82, 1), (71, 38, 94, 82, 1)
    found = Boxes(**SETTINGS)(boxed(image, first, second), 2)[1]
    assert found[42:78, 52:68].min() > 0.9
    assert found[42:78, 74:90].min() > 0.9


def test_the_background_must_be_a_class() -> None:
    """Among those there are."""
    with pytest.raises(ConfigError, match="no such class"):
        Boxes(**SETTINGS | {"background": 2})(boxed(scene()[0], (1, 1, 5, 5, 1)), 2)


@pytest.mark.parametrize(
    "change", [{"area": 0}, {"inside": 1.0}, {"tightness": 0.0}, {"rounds": -1}, {"most": 0.0}, {"colour_sigma": 1e6}]
)
def test_impossible_settings_are_refused(change) -> None:
    """By name."""
    with pytest.raises(ConfigError, match=next(iter(change))):
        Boxes(**SETTINGS | change)


def test_a_noisy_mask_is_believed_within_and_doubted_at_its_borders() -> None:
    """Unknown where it says nothing."""
    mask = np.zeros((30, 40), np.uint8)
    mask[:, 20:], mask[25:] = 1, 255
    given = Picture(id="p", image=np.zeros((30, 40, 3), np.uint8), hints=Hints(), noisy_mask=mask)
    scores = Masks(trust=0.9, border_sigma=2.0)(given, 3)
    np.testing.assert_allclose(scores[:, 10, 5], [0.9, 0.05, 0.05], atol=1e-3)
    assert 0.5 < scores[1, 10, 20] < 0.65
    np.testing.assert_allclose(scores[:, 25:], 1 / 3, atol=1e-6)
    np.testing.assert_allclose(Masks(trust=0.9, border_sigma=0.0)(given, 3)[:, 10, 19], [0.9, 0.05, 0.05], atol=1e-6)
    np.testing.assert_allclose(Masks(trust=0.1, border_sigma=0.0)(given, 3), 1 / 3, atol=1e-6)


@pytest.mark.parametrize("change", [{"trust": 0.0}, {"trust": 1.1}, {"border_sigma": -1.0}, {"border_sigma": 1e6}])
def test_impossible_trust_is_refused(change) -> None:
    """By name."""
    with pytest.raises(ConfigError, match=next(iter(change))):
        Masks(**{"trust": 0.9, "border_sigma": 2.0} | change)
