"""Rows, cache and batches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.errors import InputError, TrainingError
from factory.core.sample import Split, Supervision
from factory.segment.data import (
    PixelCache,
    Row,
    TrainingBatches,
    resize_mask,
    training_rows,
    validation_batches,
    validation_rows,
)
from tests.artefacts import add_sample, dataset, written


def mask(value: int = 1, size_hw: tuple[int, int] = (24, 32)) -> np.ndarray:
    """A mask with one class in its left half, the ignore index in its first row."""
    pixels = np.zeros(size_hw, np.uint8)
    pixels[:, : size_hw[1] // 2] = value
    pixels[0] = IGNORE
    return pixels


def batches(*caches: PixelCache, share: float = 0.5, **about) -> TrainingBatches:
    """Batches of one cache, or of two with a share of the first."""
    names = ("synthetic", "real")[-len(caches) :]
    shares = (share, 1 - share) if len(caches) == 2 else (1.0,)
    settings = {"batch": 4, "crop_hw": (16, 16), "seed": 0} | about
    sources = dict(zip(names, caches, strict=True))
    return TrainingBatches(sources=sources, shares=dict(zip(names, shares, strict=True)), **settings)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Seven samples of one size."""
    return dataset(tmp_path_factory.mktemp("data") / "small", {f"s{i}": mask() for i in range(7)})


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A sample of every split, one without a mask, one on weak ground."""
    target = tmp_path_factory.mktemp("data") / "mixed"
    with written(target) as out:
        out.classes = dataset(target.with_name("other"), {"x": mask()}).classes
        add_sample(out, "train", mask())
        add_sample(out, "bare", None)
        add_sample(out, "test", mask(), split=Split.TEST, supervision=Supervision.HUMAN)
        add_sample(out, "sure", mask(), split=Split.VAL, supervision=Supervision.HUMAN)
        add_sample(out, "weak", mask(), split=Split.VAL, supervision=Supervision.PSEUDO)
    return Dataset.open(target)


def ids(rows: list[Row]) -> list[str]:
    """The rows' sample ids."""
    return [row.sample.id for row in rows]


def test_only_train_rows_with_masks_are_learnt_from(mixed):
    """Neither val, nor test, nor rows without a mask."""
    assert ids(training_rows(mixed)) == ["train"]
    assert training_rows(None) == []


def test_a_test_row_cannot_be_trained_on_even_if_it_is_handed_in(mixed):
    """The batches themselves refuse it, by name."""
    rows = [Row(mixed, sample) for sample in mixed.samples if sample.mask]
    with pytest.raises(TrainingError, match=r"(?s)train split.*test"):
        batches(PixelCache(rows=rows, size_hw=None))


def test_validation_takes_what_is_given_and_else_only_masks_beyond_doubt(mixed, small):
    """A data set handed in for validation is taken at its word; training data is not."""
    assert ids(validation_rows(mixed, small)) == ["sure", "weak"]
    assert ids(validation_rows(None, small, mixed)) == ["sure"]
    assert validation_rows(None, small, None) == []


def test_a_batch_is_a_function_of_seed_and_step(small):
    """Asked again, in any order, it is the same; with another seed it is not."""
    one, two = (batches(PixelCache(rows=training_rows(small), size_hw=None)) for _ in range(2))
    forward = [one[step] for step in range(6)]
    backward = [two[step] for step in reversed(range(6))][::-1]
    for ours, theirs in zip(forward, backward, strict=True):
        assert ours.ids == theirs.ids
        assert (ours.images_nchw == theirs.images_nchw).all()
        assert (ours.targets_nhw == theirs.targets_nhw).all()
    other = batches(PixelCache(rows=training_rows(small), size_hw=None), seed=1)
    assert [batch.ids for batch in forward] != [other[step].ids for step in range(6)]


@settings(deadline=None, max_examples=25)
@given(batch=st.integers(2, 9), seed=st.integers(0, 99))
def test_every_epoch_shows_every_sample_once(small, batch, seed):
    """Whatever the batch size, also across batches."""
    drawn = batches(PixelCache(rows=training_rows(small), size_hw=None), batch=batch, seed=seed)
    stream = [sample_id for step in range(10) for sample_id in drawn[step].ids]
    for epoch in range(len(stream) // 7):
        assert sorted(stream[7 * epoch : 7 * epoch + 7]) == [f"s{i}" for i in range(7)]


@settings(deadline=None, max_examples=25)
@given(share=st.floats(0.01, 0.99), batch=st.integers(2, 9))
def test_the_mixture_keeps_its_ratio_within_one_picture(small, mixed, share, batch):
    """However odd the ratio, and every batch has its full size."""
    synthetic, real = (PixelCache(rows=training_rows(source), size_hw=None) for source in (small, mixed))
    drawn = batches(synthetic, real, share=share, batch=batch)
    rendered = 0
    for step in range(12):
        shown = drawn._picks(step)
        rendered += sum(name == "synthetic" for name, _ in shown)
        assert len(shown) == batch
        assert abs(rendered - share * batch * (step + 1)) <= 1


def test_small_pictures_are_padded_with_ignore_and_large_ones_cut(small):
    """The frame is always full."""
    cache = PixelCache(rows=training_rows(small), size_hw=None)
    padded = batches(cache, crop_hw=(30, 40))[0]
    assert tuple(padded.images_nchw.shape) == (4, 3, 30, 40)
    assert (padded.targets_nhw[:, 24:] == IGNORE).all()
    assert (padded.targets_nhw[:, :, 32:] == IGNORE).all()
    assert (padded.targets_nhw[:, 1:24, :32] != IGNORE).all()
    assert tuple(batches(cache, crop_hw=(8, 8))[0].targets_nhw.shape) == (4, 8, 8)


def test_the_cache_gives_the_same_pixels_whether_it_may_keep_them_or_not(small):
    """Memory is a matter of speed only."""
    kept, passed = (PixelCache(rows=training_rows(small), size_hw=(12, 20), budget=size) for size in (1 << 20, 0))
    for index in range(len(kept)):
        for mine, theirs in zip(kept[index], passed[index], strict=True):
            assert (mine == theirs).all()
    assert kept[0] is kept[0]
    assert passed[0] is not passed[0]


def test_pixels_below_the_confidence_asked_for_are_ignored(small):
    """The fixture's confidence is 150 of 255 everywhere."""
    taken, left = (PixelCache(rows=training_rows(small), size_hw=None, min_confidence=c)[0] for c in (0.5, 0.6))
    assert (taken.target_hw[1:] != IGNORE).all()
    assert (left.target_hw == IGNORE).all()


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 12), st.integers(0, 2**31))
def test_points_survive_a_smaller_working_size(count, seed):
    """Nearest lookup would lose three of four; each lands in the pixel it falls into."""
    rng = np.random.default_rng(seed)
    pixels = np.full((48, 64), IGNORE, np.uint8)
    places = rng.choice(pixels.size, count, replace=False)
    pixels.ravel()[places] = rng.integers(0, 3, count)
    small_hw = resize_mask(pixels, (24, 32))
    rows, columns = np.nonzero(pixels != IGNORE)
    expected = {(row // 2, column // 2) for row, column in zip(rows, columns, strict=True)}
    assert expected == set(zip(*(axis.tolist() for axis in np.nonzero(small_hw != IGNORE)), strict=True))
    assert set(small_hw[small_hw != IGNORE]) <= set(pixels[pixels != IGNORE])


def test_dense_masks_are_resized_by_nearest_lookup():
    """No class between two others is ever invented."""
    pixels = np.repeat(np.repeat(np.array([[0, 7], [IGNORE, 3]], np.uint8), 8, axis=0), 8, axis=1)
    assert (resize_mask(pixels, (2, 2)) == [[0, 7], [IGNORE, 3]]).all()


def test_validation_shows_every_picture_once_in_batches_of_one_size(tmp_path):
    """Neighbours of another size begin a new batch."""
    shapes = [(24, 32), (24, 32), (24, 32), (20, 20), (24, 32)]
    source = dataset(tmp_path / "val", {f"v{i}": mask(size_hw=shape) for i, shape in enumerate(shapes)})
    cache = PixelCache(rows=[Row(source, sample) for sample in source.samples], size_hw=None)
    shown = [batch.ids for batch in validation_batches(cache, 2)]
    assert shown == [("v0", "v1"), ("v2",), ("v3",), ("v4",)]


def test_a_mask_with_undeclared_ids_is_refused_with_its_place(tmp_path):
    """A clear message instead of an index error in the loss."""
    source = dataset(tmp_path / "odd", {"odd": mask(9)})
    with pytest.raises(InputError, match=r"(?s)outside the class list.*odd"):
        PixelCache(rows=training_rows(source), size_hw=None)[0]
