"""Simulated scribbles beside those of people, on the same ten photographs: GrabCut's two sets, brief and careful.

Run with ``-m data -s``; FACTORY_DATA says where the data are. Prints the figures that BENCHMARKS.md shows.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage.morphology import skeletonize

from factory.command.bind import make_part
from factory.core.classes import IGNORE
from factory.core.picture import Picture
from factory.core.sample import Hints
from tests.command.composing import composed

DATA = Path(os.environ.get("FACTORY_DATA", "../shared/data")) / "grabcut_scribbles"
NAMES = [path.stem for path in sorted((DATA / "masks").glob("*.png"))]


class Drawing(NamedTuple):
    """A class's strokes in one picture; lengths and distance are shares of the diagonal."""

    strokes: int
    length: float
    each: float
    width: float
    distance: float
    wrong: float


def read(folder: str, name: str, ids: dict[int, int]) -> np.ndarray:
    """A map of class ids, 0 background and 1 object."""
    found_hw = np.asarray(Image.open(DATA / folder / f"{name}.png"))
    ids_v = np.full(256, IGNORE, np.uint8)
    ids_v[list(ids)] = list(ids.values())
    return ids_v[found_hw]


def measured(drawn_hw: np.ndarray, mask_hw: np.ndarray, class_id: int) -> Drawing:
    """How a class was scribbled: middle lines are as long as strokes, and half a width from their rims."""
    ink_hw = drawn_hw == class_id
    line_hw = skeletonize(ink_hw)
    parts_hw, count = ndimage.label(ink_hw, np.ones((3, 3)))
    pixels_p = np.bincount(parts_hw[line_hw], minlength=count + 1)[1:]
    rim_hw = cv2.distanceTransform(np.pad(ink_hw, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    others_hw = cv2.distanceTransform((mask_hw != 1 - class_id).astype(np.uint8), cv2.DIST_L2, 5)
    diagonal = float(np.hypot(*mask_hw.shape))
    return Drawing(
        strokes=count,
        length=pixels_p.sum() / diagonal,
        each=float(np.median(pixels_p)) / diagonal,
        width=2 * float(np.median(rim_hw[line_hw])),
        distance=float(np.median(others_hw[line_hw])) / diagonal,
        wrong=float((mask_hw[ink_hw] == 1 - class_id).mean()),
    )


def simulated(scribbles, name: str, mask_hw: np.ndarray, seed: int) -> np.ndarray:
    """The strokes that a filter draws in place of a mask."""
    image = np.zeros((*mask_hw.shape, 3), np.uint8)
    return scribbles(Picture(id=name, image=image, hints=Hints(), mask=mask_hw), seed).scribbles


def medians(drawings: list[Drawing]) -> Drawing:
    """The middle of each figure."""
    return Drawing(*np.median(np.array(drawings), axis=0).tolist())


@pytest.mark.data
@pytest.mark.skipif(not NAMES, reason="no grabcut_scribbles under FACTORY_DATA")
@pytest.mark.parametrize("class_id", [0, 1], ids=["background", "object"])
def test_scribbles_are_as_people_draw_them(class_id: int) -> None:
    """As many strokes, as long and as wide as those of people in a hurry; coverage 1 comes near the careful ones."""
    ((config, _),) = composed("ingest", "supervision=scribbles")
    ours = replace(make_part("supervision", config["supervision"]), missed=0.0, wrong=0.0)
    masks = {name: read("masks", name, {0: 0, 255: 1}) for name in NAMES}
    drawn = {
        person: [(read(folder, name, {2: 0, 1: 1}), masks[name]) for name in NAMES]
        for person, folder in (("brief", "scribbles_1"), ("careful", "scribbles_2"))
    }
    for title, one in (("ours", ours), ("ours, coverage 1", replace(ours, coverage=1.0))):
        drawn[title] = [(simulated(one, name, masks[name], seed), masks[name]) for name in NAMES for seed in range(8)]
    said = {title: medians([measured(*both, class_id) for both in pairs]) for title, pairs in drawn.items()}
    for title, figures in said.items():
        print(f"\n{title:<17}", *(f"{key} {value:.3f}" for key, value in figures._asdict().items()), end="")
    assert said["ours"].strokes == said["brief"].strokes
    assert said["ours"].length == pytest.approx(said["brief"].length, rel=0.25)
    assert said["ours"].each == pytest.approx(said["brief"].each, rel=0.25)
    assert said["ours"].width == pytest.approx(said["brief"].width, abs=0.5)
    assert said["ours"].distance == pytest.approx(said["brief"].distance, rel=0.35)
    assert said["ours, coverage 1"].length == pytest.approx(said["careful"].length, rel=0.5)
