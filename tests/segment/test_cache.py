"""Decoded pictures on disk: the same pixels, once, whoever asks."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from factory.core.cache import Cache
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError, InputError, MachineError
from factory.segment.cache import PixelCache
from factory.segment.data import CLASS, decode, training_rows
from tests.artefacts import dataset
from tests.full_disk import cut_at
from tests.segment.test_data import mask


@pytest.fixture
def source(tmp_path: Path) -> Dataset:
    """Three pictures of different sizes."""
    shapes = {"a": (24, 32), "b": (20, 20), "c": (31, 7)}
    return dataset(tmp_path / "source", {name: mask(size_hw=shape) for name, shape in shapes.items()})


def cache(source: Dataset, folder: Path, size_hw: tuple[int, int] | None = None, **about: int) -> PixelCache:
    """Of all training rows."""
    return PixelCache(rows=training_rows(source), size_hw=size_hw, cache=Cache(folder=folder, **about))


def kept(folder: Path) -> list[str]:
    """The files of decoded pictures."""
    return sorted(path.name for path in folder.glob("pixels-*"))


@pytest.mark.parametrize("size_hw", [None, (12, 20)])
def test_what_is_kept_is_what_was_decoded(source: Dataset, tmp_path: Path, size_hw: tuple[int, int] | None) -> None:
    """Of any size, also when another process opens the same file later."""
    for _ in range(2):
        found = cache(source, tmp_path / "cache", size_hw)
        for index, row in enumerate(found.rows):
            for mine, theirs in zip(found[index], decode(row, size_hw), strict=True):
                assert (mine == theirs).all()
            counts = np.bincount(found[index].label_hwc[..., CLASS].ravel(), minlength=256)
            assert (found.counts_nk[index] == counts).all()
    assert len(kept(tmp_path / "cache")) == 1


def test_the_file_is_made_once_and_then_only_read(source: Dataset, tmp_path: Path) -> None:
    """It is there in a moment for the second run."""
    path = tmp_path / "cache"
    cache(source, path)[0]
    (file,) = path.glob("pixels-*")
    inode = file.stat().st_ino
    cache(source, path)[0]
    assert inode == file.stat().st_ino


@pytest.mark.parametrize("size", [0, 1000, 100_000])
def test_a_file_of_the_wrong_length_is_made_anew(source: Dataset, tmp_path: Path, size: int) -> None:
    """What was cut off, or grew, holds nobody's pixels."""
    path = tmp_path / "cache"
    before = cache(source, path).counts_nk.copy()
    (file,) = path.glob("pixels-*")
    length = file.stat().st_size
    os.truncate(file, size)
    found = cache(source, path)
    assert (found.counts_nk == before).all()
    assert (found[2].image_hwc == decode(found.rows[2], None).image_hwc).all()
    assert file.stat().st_size == length


@pytest.mark.parametrize("short", [1, 2000, 7000])
def test_a_disk_that_takes_a_part_of_a_picture_is_full(source: Dataset, tmp_path: Path, short: int) -> None:
    """The rest was missing, of counts at once and of pictures unseen, where others made room meanwhile."""
    whole = cache(source, tmp_path / "roomy").counts_nk
    (file,) = (tmp_path / "roomy").glob("pixels-*")
    with cut_at(file.stat().st_size - short), pytest.raises(MachineError, match=r"(?s)cannot be kept.*free some room"):
        cache(source, tmp_path / "c")[0]
    assert kept(tmp_path / "c") == []
    assert (cache(source, tmp_path / "c").counts_nk == whole).all()


def test_other_sizes_and_other_pictures_are_files_of_their_own(source: Dataset, tmp_path: Path) -> None:
    """Nothing is ever taken for something else."""
    other = dataset(tmp_path / "other", {"a": mask(2)})
    for found in (cache(source, tmp_path / "c"), cache(source, tmp_path / "c", (8, 8)), cache(other, tmp_path / "c")):
        found[0]
    assert len(kept(tmp_path / "c")) == 3


def test_what_was_used_longest_ago_makes_room_but_never_what_is_in_use(source: Dataset, tmp_path: Path) -> None:
    """And who has a file open keeps its pixels."""
    first = cache(source, tmp_path / "c")
    before = first[0].image_hwc.copy()
    (name,) = kept(tmp_path / "c")
    os.utime(tmp_path / "c" / name, (1, 1))
    second = cache(source, tmp_path / "c", (8, 8), limit=0)
    second[0]
    assert name not in kept(tmp_path / "c")
    assert len(kept(tmp_path / "c")) == 1
    assert (first[0].image_hwc == before).all()


def test_many_who_start_at_once_decode_it_once(source: Dataset, tmp_path: Path) -> None:
    """They wait for the first."""
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: cache(source, tmp_path / "c")[0].image_hwc.sum(), range(6)))
    assert len(set(found)) == 1
    assert len(kept(tmp_path / "c")) == 1


def test_a_picture_that_cannot_be_used_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither a whole file nor a draft."""
    source = dataset(tmp_path / "odd", {"good": mask(), "odd": mask(9)})
    with pytest.raises(InputError, match=r"(?s)outside the class list.*odd"):
        cache(source, tmp_path / "c")[0]
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["locks"]


def test_a_folder_that_cannot_be_made_is_said_with_the_key_that_cures_it(source: Dataset, tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(MachineError, match=r"(?s)nothing can be kept.*cache="):
        cache(source, tmp_path / "taken")[0]
    with pytest.raises(ConfigError, match="cache_gib"):
        cache(source, tmp_path / "c", limit=-1)
