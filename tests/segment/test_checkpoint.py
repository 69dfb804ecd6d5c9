"""Checkpoints."""

import contextlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.core.classes import ClassList
from factory.core.errors import ArtefactError
from factory.segment import checkpoint
from factory.segment.models import SegmenterSpec, build
from factory.segment.working import Working

CLASSES = ClassList.of(["ground", "coin"], [[1, 2, 3], [4, 5, 6]])
SPEC = SegmenterSpec(architecture="unet", encoder="mobilenet_v2", decoder_channels=16, decoder_dropout=0.0)


def trained() -> checkpoint.Trained:
    """A small random model."""
    model = build(SPEC, CLASSES, weights=None, seed=0)
    return checkpoint.Trained(model=model, working=Working(size_hw=(180, 240)), tile_hw=(64, 96), step=7)


@pytest.fixture
def saved(tmp_path):
    """A checkpoint on disk."""
    path = tmp_path / "best.ckpt"
    path.write_bytes(checkpoint.encode(trained()))
    return path


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """The bytes of a checkpoint, and a place for what becomes of them."""
    return checkpoint.encode(trained()), tmp_path_factory.mktemp("damaged") / "best.ckpt"


def test_a_checkpoint_opens_without_any_configuration(saved):
    """It says itself what it is."""
    ours, found = trained(), checkpoint.load(saved, classes=CLASSES)
    assert (found.working, found.tile_hw, found.step) == (ours.working, ours.tile_hw, ours.step)
    assert found.classes == CLASSES
    assert found.model.spec == SPEC
    images = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        assert (ours.model.eval()(images) == found.model(images)).all()


def test_equal_weights_give_equal_bytes(saved):
    """Sealed models can be compared by digest."""
    assert saved.read_bytes() == checkpoint.encode(checkpoint.load(saved))


def test_other_classes_are_refused_naming_both_lists(saved):
    """Also the same classes in another order."""
    with pytest.raises(ArtefactError, match=r"(?s)ground, coin.*coin, ground"):
        checkpoint.load(saved, classes=ClassList.of(["coin", "ground"]))


@pytest.mark.parametrize("cut", [0, 10, -1000])
def test_a_corrupt_file_is_one_clear_message(saved, cut):
    """Empty, cut short at the beginning or the end."""
    saved.write_bytes(saved.read_bytes()[:cut])
    with pytest.raises(ArtefactError, match=r"(?s)unreadable checkpoint.*best\.ckpt"):
        checkpoint.load(saved)


def test_a_missing_file_is_one_clear_message(tmp_path):
    """No traceback."""
    with pytest.raises(ArtefactError, match="unreadable checkpoint"):
        checkpoint.load(tmp_path / "none.ckpt")


@pytest.mark.parametrize(
    "content", [[1, 2], {"format": 99}, {"format": 1}, {"format": 1, "spec": {"architecture": "x"}}]
)
def test_a_file_that_is_no_checkpoint_of_ours_says_so(tmp_path, content):
    """Whatever else torch can open."""
    torch.save(content, tmp_path / "odd.ckpt")
    with pytest.raises(ArtefactError, match=r"checkpoint"):
        checkpoint.load(tmp_path / "odd.ckpt")


def test_code_in_a_file_is_never_run(tmp_path):
    """Pickled objects are refused."""
    torch.save({"format": 1, "spec": SPEC}, tmp_path / "code.ckpt")
    with pytest.raises(ArtefactError, match="unreadable checkpoint"):
        checkpoint.load(tmp_path / "code.ckpt")


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**31))
def test_damage_anywhere_is_a_clear_message_or_harmless(damaged, seed):
    """A few bytes changed, a piece cut out or a file that ends early: never a traceback."""
    whole, path = damaged
    rng = np.random.default_rng(seed)
    data = bytearray(whole)
    for place in rng.integers(0, len(data), 4):
        data[place] ^= int(rng.integers(1, 256))
    start, length = int(rng.integers(0, len(data))), int(rng.integers(0, 200))
    del data[start : start + length]
    path.write_bytes(bytes(data[: int(rng.integers(len(data) // 2, len(data) + 1))]))
    with contextlib.suppress(ArtefactError):
        checkpoint.load(path)
