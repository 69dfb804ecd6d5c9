"""Augmentation: image and label move together, and the same seed gives the same draw."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.segment.augment import Augmentation
from factory.segment.data import CLASS, PADDING, SOURCE

STILL = {
    "flip": 0.0,
    "scale": (1.0, 1.0),
    "rotate": 0.0,
    "brightness": 0.0,
    "contrast": 0.0,
    "saturation": 0.0,
    "hue": 0.0,
    "blur": 0.0,
    "noise": 0.0,
}


def batch(size_hw: tuple[int, int] = (32, 48)) -> tuple[torch.Tensor, torch.Tensor]:
    """Three pictures that are white where the class is 1 and black where it is 0; confidence 200, source 4."""
    targets = torch.zeros(3, *size_hw, dtype=torch.uint8)
    targets[:, 4:20, 6:30] = 1
    return targets.unsqueeze(1).expand(-1, 3, -1, -1).float(), labelled(targets)


def labelled(targets: torch.Tensor) -> torch.Tensor:
    """Labels (N, 3, H, W) of class ids."""
    return torch.stack([targets, torch.full_like(targets, 200), torch.full_like(targets, 4)], dim=1)


def test_nothing_asked_for_nothing_changed():
    """Ids of any value pass, the ignore index too."""
    images, labels = batch()
    labels[0, 0, 0, 0], labels[1, 0, 3, 3] = IGNORE, 254
    moved, found = Augmentation(**STILL)(images, labels)
    assert (moved == images).all()
    assert (found == labels).all()


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31))
def test_image_and_label_move_together_and_the_outside_is_nobodys(seed):
    """Away from outlines, white pixels stay class 1 and black ones class 0; confidence and source come along."""
    part = Augmentation(**STILL | {"flip": 0.5, "flip_vertical": 0.5, "scale": (0.5, 2.0), "rotate": 180.0})
    torch.manual_seed(seed)
    moved, labels = part(*batch())
    found, outside = labels[:, 0], labels[:, 0] == IGNORE
    assert set(found.unique().tolist()) <= {0, 1, IGNORE}
    for channel, value in ((1, 200), (2, 4)):
        assert (labels[:, channel] == value * ~outside).all()
    sure = (found != IGNORE) & ((moved[:, 0] > 0.99) | (moved[:, 0] < 0.01))
    assert ((moved[:, 0] > 0.5) == (found == 1))[sure].all()


def test_what_is_mirrored_of_a_margin_is_margin_too():
    """Half as large, a picture with a margin on its right shows that twice: a teacher may label neither."""
    images, labels = batch()
    images[:] = 0
    images[..., 36:], labels[:, CLASS, :, 36:], labels[:, SOURCE, :, 36:] = 1, IGNORE, PADDING
    torch.manual_seed(0)
    moved, found = Augmentation(**STILL | {"scale": (0.5, 0.5)})(images, labels)
    margin = found[:, SOURCE] == PADDING
    assert ((moved[:, 0] > 0.5) == margin).all()
    assert margin.sum() > 3 * 32 * 6, "more than what is left of the margin itself"
    assert (found[:, CLASS][margin] == IGNORE).all()
    assert ((found[:, CLASS] == IGNORE) & ~margin).any()


def test_flips_alone_are_exact_mirrors():
    """Not a pixel is interpolated."""
    images, labels = batch()
    moved, found = Augmentation(**STILL | {"flip": 1.0, "flip_vertical": 1.0})(images, labels)
    assert (found == labels.flip(2, 3)).all()
    torch.testing.assert_close(moved, images.flip(2, 3))


def test_a_flip_is_exact_in_a_training_of_16_bits():
    """The places of a large picture's pixels do not fit into 16 bits."""
    labels = torch.zeros(1, 3, 64, 960, dtype=torch.uint8)
    labels[:, 0] = torch.arange(960).remainder(250)
    images = torch.arange(960).remainder(97).div(96).expand(1, 3, 64, 960).contiguous()
    with torch.autocast("cpu", torch.bfloat16):
        moved, found = Augmentation(**STILL | {"flip": 1.0})(images, labels)
    assert (found == labels.flip(3)).all()
    torch.testing.assert_close(moved, images.flip(3), atol=1e-3, rtol=0)


def test_zoom_shows_the_middle_as_much_larger_and_labels_to_the_pixel():
    """Twice as large: of a ramp a half, each of its steps twice as wide, in image and label alike."""
    labels = torch.zeros(16, 3, 32, 64, dtype=torch.uint8)
    labels[:, 0] = torch.arange(64)
    images = (labels[:, :1] / 63.0).expand(-1, 3, -1, -1).contiguous()
    torch.manual_seed(1)
    moved, found = Augmentation(**STILL | {"scale": (2.0, 2.0)})(images, labels)
    assert len({int(row[0]) for row in found[:, 0, 16]}) > 4, "where it is looked at is drawn"
    for image, label in zip(moved[:, 0, 16], found[:, 0, 16].long(), strict=True):
        steps = label.diff()[label[1:] != 255]
        assert 0.45 < steps.float().mean() < 0.55
        assert ((63 * image - label).abs() <= 0.51).all()


def test_a_quarter_turn_keeps_shapes_on_a_picture_that_is_not_square():
    """Angles are those of pixels: a square stays a square."""
    targets = torch.zeros(8, 40, 80, dtype=torch.uint8)
    targets[:, 12:28, 32:48] = 1
    images = targets.unsqueeze(1).expand(-1, 3, -1, -1).float()
    torch.manual_seed(0)
    _, found = Augmentation(**STILL | {"rotate": 180.0})(images, labelled(targets))
    assert (found[:, 0] == 1).sum(dim=(1, 2)).float() == pytest.approx(256, rel=0.1)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31))
def test_the_same_seed_gives_the_same_draw(seed):
    """Whatever was drawn before: nothing is remembered between calls."""
    part = Augmentation(blur=0.5, grey=0.5)
    draws = []
    for _ in range(2):
        torch.manual_seed(seed)
        draws.append(part(*batch((16, 16))))
        torch.rand(5)
    assert (draws[0][0] == draws[1][0]).all()
    assert (draws[0][1] == draws[1][1]).all()
    assert draws[0][0].min() >= 0
    assert draws[0][0].max() <= 1


@pytest.mark.parametrize(
    "wrong", [{"flip": 1.5}, {"hue": 0.6}, {"scale": (2.0, 1.0)}, {"scale": (1.0,)}, {"noise": -0.1}, {"rotate": 200.0}]
)
def test_impossible_ranges_are_refused_by_name(wrong):
    """At start-up."""
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Augmentation(**wrong)
