"""Test-time augmentation."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.command import tree
from factory.command.bind import make_part
from factory.core.errors import ConfigError
from factory.segment.tta import Views
from tests.command.composing import composed


@pytest.mark.parametrize("choice", tree.choices("tta"))
def test_every_choice_gives_back_what_is_seen_where_it_is(choice):
    """Of a slope that no mirror image resembles, up to rounding; sizes stay."""
    ((config, _),) = composed("predict", f"tta={choice}")
    slope = (torch.arange(20.0)[:, None] * 2 + torch.arange(30.0)).div(70).expand(2, 3, -1, -1)
    found = make_part("tta", config["tta"])(lambda tiles: tiles)(slope)
    torch.testing.assert_close(found, slope, atol=0.02, rtol=0)


def test_one_view_is_the_function_itself():
    """Nothing is added where nothing is asked for."""
    assert Views()(torch.sin) is torch.sin


@settings(deadline=None, max_examples=25)
@given(
    flip=st.booleans(),
    flip_vertical=st.booleans(),
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
)
def test_a_function_of_single_pixels_does_not_mind_being_mirrored(flip, flip_vertical, size):
    """Each view comes back the way it went."""
    images = torch.rand(2, 3, *size)
    found = Views(flip=flip, flip_vertical=flip_vertical)(torch.square)(images)
    torch.testing.assert_close(found, images.square())


@settings(deadline=None, max_examples=25)
@given(scale=st.floats(0.1, 3), size=st.tuples(st.integers(1, 20), st.integers(1, 20)))
def test_maps_have_the_tiles_size_at_every_scale(scale, size):
    """And a picture of one colour keeps it."""
    images = torch.full((1, 3, *size), 0.25)
    torch.testing.assert_close(Views(scales=[1.0, scale])(lambda tiles: tiles)(images), images)


def test_the_mean_of_all_views_is_returned():
    """A function that only knows its left column is right half of the time."""
    images = torch.zeros(1, 1, 2, 2)

    def left(tiles):
        found = torch.zeros_like(tiles)
        found[..., 0] = 1
        return found

    assert Views(flip=True)(left)(images).flatten().tolist() == [0.5] * 4
    seen = []
    Views(flip=True, flip_vertical=True, scales=[1.0, 2.0])(lambda tiles: seen.append(tiles.shape[-1]) or tiles)(images)
    assert seen == [2] * 4 + [4] * 4


@pytest.mark.parametrize("scales", [[], [0.0], [1.0, -1.0], [100.0]])
def test_impossible_scales_are_refused(scales):
    """Before anything is predicted."""
    with pytest.raises(ConfigError, match="scales"):
        Views(scales=scales)
