"""Quotas derived from what a data set lacks, or from what the last selection doubts."""

from pathlib import Path

import numpy as np
import pytest

from factory.core.artefact import Kind
from factory.core.classes import ClassList
from factory.core.errors import InputError
from factory.core.sample import Hints
from factory.core.writer import Writer
from factory.render.derive import derived
from tests import artefacts

SCENE = ClassList.of(["background", "coin", "ring"])


def mask(*class_ids: int) -> np.ndarray:
    """A mask that shows the classes and no others."""
    return np.resize(np.array(class_ids, np.uint8), (24, 32))


def test_rare_classes_are_brought_up_to_the_median(tmp_path: Path) -> None:
    """Coins are in one of four pictures, background in all of them; classes of one side only do not count."""
    shown = {"a": mask(0, 1), "b": mask(0), "c": mask(0, 2), "d": mask(0)}
    assert derived(artefacts.dataset(tmp_path / "set", shown), SCENE, frames=99) == {"coin": {"images": 2}}


def test_hints_count_where_there_are_no_masks(tmp_path: Path) -> None:
    """A click says that a class is there."""

    def fill(out: Writer) -> None:
        for name in "abc":
            artefacts.add_sample(out, name, None, hints=Hints(points=((1, 1, 0),)))
        artefacts.add_sample(out, "d", None, hints=Hints(tags=(0, 1)))

    path = artefacts.sealed(tmp_path / "set", Kind.DATASET, fill)
    assert derived(artefacts.Dataset.open(path), SCENE, frames=1) == {"coin": {"images": 1}}


def test_classes_that_are_nowhere_are_wanted_most(tmp_path: Path) -> None:
    """However many they are: in half of the classes or more nothing was asked for."""
    classes = ClassList.of(["background", "coin", "ring", "key"])

    def fill(out: Writer) -> None:
        for name in "ab":
            artefacts.add_sample(out, name, mask(0))

    path = artefacts.sealed(tmp_path / "set", Kind.DATASET, fill, classes)
    wanted = derived(artefacts.Dataset.open(path), classes, frames=99)
    assert wanted == {name: {"images": 2} for name in ("coin", "ring", "key")}


def test_strokes_say_that_a_class_is_there(tmp_path: Path) -> None:
    """As masks of another tool do."""

    def fill(out: Writer) -> None:
        for name, kind in (("a", "scribbles"), ("b", "masks"), ("c", "")):
            hints = Hints(**{kind: out.write_map("hints", f"{name}.{kind}", mask(1, 255))} if kind else {})
            artefacts.add_sample(out, name, None, hints=hints)
        artefacts.add_sample(out, "d", mask(0))

    path = artefacts.sealed(tmp_path / "set", Kind.DATASET, fill)
    assert derived(artefacts.Dataset.open(path), SCENE, frames=99) == {"background": {"images": 1}}


def test_pictures_of_which_nothing_is_known_are_refused(tmp_path: Path) -> None:
    """They lack everything, and say of nothing how much of it is wanted."""
    path = artefacts.sealed(tmp_path / "set", Kind.DATASET, lambda out: artefacts.add_sample(out, "a", None))
    with pytest.raises(InputError, match="no training picture shows a class of the scene"):
        derived(artefacts.Dataset.open(path), SCENE, frames=4)


def test_a_queue_shares_the_frames_by_its_doubt(tmp_path: Path) -> None:
    """Scores 1 and 1/2 of coin, 1/3 of background: three parts in eleven, as near as whole pictures allow."""
    regions = np.zeros((24, 32), np.uint16)
    regions[:8], regions[8:16], regions[16:] = 1, 2, 3
    queue = artefacts.queue(tmp_path / "queue", {"a": (regions, np.where(regions == 3, 0, 1).astype(np.uint8))})
    assert derived(queue, SCENE, frames=11) == {"background": {"images": 2}, "coin": {"images": 9}}


def test_nothing_in_common_is_an_error(tmp_path: Path) -> None:
    """Both class lists are named."""
    data = artefacts.dataset(tmp_path / "set", {"a": mask(0)})
    with pytest.raises(InputError, match=r"(?s)background, coin.*weed"):
        derived(data, ClassList.of(["soil", "weed"]), frames=4)
