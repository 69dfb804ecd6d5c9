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
