"""Sliding prediction."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.core.classes import ClassList
from factory.core.errors import ConfigError
from factory.segment.checkpoint import Trained
from factory.segment.models import SegmenterSpec, build
from factory.segment.predict import Predictor, slide
from factory.segment.working import Working

sizes = st.tuples(st.integers(1, 40), st.integers(1, 40))
SPEC = SegmenterSpec(architecture="unet", encoder="mobilenet_v2", decoder_channels=16, decoder_dropout=0.0)


@settings(deadline=None, max_examples=25)
@given(size=sizes, tile=sizes, overlap=st.floats(0, 0.9), batch=st.integers(1, 5))
def test_tiles_cover_every_pixel_and_agreeing_tiles_blend_to_what_they_agree_on(size, tile, overlap, batch):
    """The identity comes back, whatever the sizes."""
    images = torch.rand(2, 3, *size)
    found = slide(images, lambda tiles: tiles, tile_hw=tile, overlap=overlap, batch=batch)
    torch.testing.assert_close(images, found)


def test_tiles_have_the_size_asked_for_and_batches_are_kept():
    """The network sees what it saw in training."""
    seen = []
    slide(
        torch.zeros(1, 3, 50, 70),
        lambda tiles: seen.append(tiles.shape) or tiles,
        tile_hw=(32, 32),
        overlap=0.5,
        batch=4,
    )
    assert {tuple(shape[1:]) for shape in seen} == {(3, 32, 32)}
    assert max(shape[0] for shape in seen) == 4


@pytest.mark.parametrize("working", [Working(), Working(size_hw=(32, 48)), Working(longest=40)])
def test_probabilities_have_the_pictures_own_size_and_add_up_to_one(working):
    """Whatever size the model works at."""
    model = build(SPEC, ClassList.of(["a", "b", "c"]), weights=None, seed=0)
    trained = Trained(model=model, working=working, tile_hw=(32, 32), step=0)
    image = np.random.default_rng(0).integers(0, 255, (61, 45, 3), dtype=np.uint8)
    found = Predictor(trained=trained)(image)
    assert found.shape == (3, 61, 45)
    np.testing.assert_allclose(found.sum(axis=0), 1, rtol=1e-4)


def test_an_overlap_of_a_whole_tile_is_refused():
    """It would never move on."""
    model = build(SPEC, ClassList.of(["a", "b"]), weights=None, seed=0)
    with pytest.raises(ConfigError, match="overlap"):
        Predictor(trained=Trained(model=model, working=Working(), tile_hw=(32, 32), step=0), overlap=1.0)


@pytest.mark.parametrize(("tile", "overlap", "said"), [((16, 16), 0.99, "256 times"), ((32, 32), 0.75, "")])
def test_tiles_that_overlap_so_much_that_it_takes_long_are_told(tile, overlap, said, capsys):
    """Before anybody waits; what is usual is not worth a line."""
    model = build(SPEC, ClassList.of(["a", "b"]), weights=None, seed=0)
    trained = Trained(model=model, working=Working(), tile_hw=(32, 32), step=0)
    Predictor(trained=trained, overlap=overlap, tile=tile).tell_of_looks("predict")
    printed = capsys.readouterr().err
    assert printed.count("\n") == bool(said)
    assert said in printed
