"""Rows, and what is known of each of their pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.core.cache import Cache
from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.errors import InputError
from factory.core.sample import Origin, Split, Supervision
from factory.segment.cache import PixelCache
from factory.segment.data import (
    CLASS,
    CONFIDENCE,
    SOURCE,
    Row,
    bare_rows,
    decode,
    resize_label,
    resize_mask,
    training_rows,
    validation_rows,
)
from tests.artefacts import add_sample, dataset, written


def mask(value: int = 1, size_hw: tuple[int, int] = (24, 32)) -> np.ndarray:
    """A mask with one class in its left half, the ignore index in its first row."""
    pixels = np.zeros(size_hw, np.uint8)
    pixels[:, : size_hw[1] // 2] = value
    pixels[0] = IGNORE
    return pixels


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
    """Neither val, nor test, nor rows without a mask; a teacher may see the latter's picture."""
    assert ids(training_rows(mixed)) == ["train"]
    assert training_rows(None) == bare_rows(None) == []
    assert ids(bare_rows(mixed)) == ["bare", "train"]


def test_validation_takes_what_is_given_and_else_only_masks_beyond_doubt(mixed, small):
    """A data set handed in for validation is taken at its word; training data is not."""
    assert ids(validation_rows(mixed, small)) == ["sure", "weak"]
    assert ids(validation_rows(None, small, mixed)) == ["sure"]
    assert validation_rows(None, small, None) == []


def test_a_label_holds_class_confidence_and_source_of_each_pixel(small):
    """As the data set's maps state them; nobody vouches for what is ignored."""
    label = decode(training_rows(small)[0], None).label_hwc
    assert (label[..., CLASS] == mask()).all()
    stated = mask() != IGNORE
    assert (label[..., CONFIDENCE] == 150 * stated).all()
    assert (label[..., SOURCE] == int(Origin.PSEUDO) * stated).all()


@pytest.mark.parametrize(
    ("supervision", "origin"),
    [
        (Supervision.EXACT, Origin.EXACT),
        (Supervision.HUMAN, Origin.HUMAN),
        (Supervision.POINTS, Origin.HINT),
        (Supervision.SCRIBBLES, Origin.HINT),
        (Supervision.BOXES, Origin.PSEUDO),
        (Supervision.MASKS, Origin.PSEUDO),
    ],
)
def test_without_maps_the_kind_of_supervision_says_where_pixels_come_from(small, supervision, origin):
    """And they are certain."""
    dataset_, sample = training_rows(small)[0]
    bare = sample.replace(supervision=supervision, source=None, confidence=None)
    label = decode(Row(dataset_, bare), None).label_hwc
    stated = mask() != IGNORE
    assert (label[..., SOURCE] == int(origin) * stated).all()
    assert (label[..., CONFIDENCE] == 255 * stated).all()


def test_a_row_without_a_mask_is_a_picture_of_which_nothing_is_known(mixed):
    """Every pixel is open."""
    label = decode(bare_rows(mixed)[0], (12, 16)).label_hwc
    assert label.shape == (12, 16, 3)
    assert (label == [IGNORE, 0, 0]).all()


def test_what_is_known_of_unlabelled_pictures_teaches_nothing(mixed, tmp_path):
    """Also where the cache holds the very same pictures with their masks."""
    learnt, bare = training_rows(mixed), [row for row in bare_rows(mixed) if row.sample.id == "train"]
    assert ids(learnt) == ids(bare) == ["train"]
    known, unknown = (PixelCache(rows=rows, size_hw=None, cache=Cache(folder=tmp_path)) for rows in (learnt, bare))
    assert known.counts_nk[:, :IGNORE].sum() > 0
    assert unknown.counts_nk[:, :IGNORE].sum() == 0


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 12), st.integers(0, 2**31))
def test_points_survive_a_smaller_working_size(count, seed):
    """Nearest lookup would lose three of four; each lands in the pixel it falls into, with all that is known of it."""
    rng = np.random.default_rng(seed)
    label = np.zeros((48, 64, 3), np.uint8)
    label[..., CLASS] = IGNORE
    places = rng.choice(48 * 64, count, replace=False)
    label.reshape(-1, 3)[places] = rng.integers(0, 3, (count, 3))
    small_hwc = resize_label(label, (24, 32))
    rows, columns = np.nonzero(label[..., CLASS] != IGNORE)
    expected = {(row // 2, column // 2) for row, column in zip(rows, columns, strict=True)}
    there = np.nonzero(small_hwc[..., CLASS] != IGNORE)
    assert expected == set(zip(*(axis.tolist() for axis in there), strict=True))
    known = {tuple(pixel) for pixel in label[rows, columns].tolist()}
    assert {tuple(pixel) for pixel in small_hwc[there].tolist()} <= known


@pytest.mark.parametrize("size_hw", [(24, 32), (96, 128)])
def test_what_people_left_out_beside_points_stays_left_out_at_another_size(size_hw):
    """No teacher labels it; the point is there once, and nothing of it elsewhere."""
    label = np.zeros((48, 64, 3), np.uint8)
    label[..., CLASS] = IGNORE
    label[:24, :, SOURCE] = int(Origin.HUMAN)
    label[40, 40] = (2, 200, int(Origin.HINT))
    small_hwc = resize_label(label, size_hw)
    half, scale = size_hw[0] // 2, size_hw[0] / 48
    assert (small_hwc[:half] == [IGNORE, 0, int(Origin.HUMAN)]).all()
    assert small_hwc[half:].reshape(-1, 3)[:, SOURCE].sum() == int(Origin.HINT)
    assert small_hwc[int(40 * scale), int(40 * scale)].tolist() == [2, 200, int(Origin.HINT)]


def test_dense_masks_are_resized_by_nearest_lookup():
    """No class between two others is ever invented."""
    pixels = np.repeat(np.repeat(np.array([[0, 7], [IGNORE, 3]], np.uint8), 8, axis=0), 8, axis=1)
    assert (resize_mask(pixels, (2, 2)) == [[0, 7], [IGNORE, 3]]).all()


def test_a_mask_with_undeclared_ids_is_refused_with_its_place(tmp_path):
    """A clear message instead of an index error in the loss."""
    source = dataset(tmp_path / "odd", {"odd": mask(9)})
    with pytest.raises(InputError, match=r"(?s)outside the class list.*odd"):
        decode(training_rows(source)[0], None)
