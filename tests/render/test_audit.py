"""The audit finds every kind of bad frame, and passes good ones."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from factory.core.classes import ClassList
from factory.render.audit import reasons
from factory.render.frame import RawFrame
from factory.render.job import Settings

CLASSES = ClassList.of(["background", "coin"])
SETTINGS = Settings(width=8, height=6, samples=1, denoise=False, outputs=("depth", "amodal"), device="cpu")


def story(*rows: tuple[int, int, int], differing: int = 0) -> dict[str, Any]:
    """What a worker says: (instance, class id, area) of each thing."""
    objects = [{"instance": instance, "class_id": class_id, "area": area} for instance, class_id, area in rows]
    return {"objects": objects, "differing": differing}


def good_frame() -> RawFrame:
    """Two coins on noise."""
    instances = np.zeros((6, 8), np.uint16)
    instances[1:3, 1:3], instances[3:, 4:] = 1, 2
    return RawFrame(
        image_hwc=np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8),
        class_ids_hw=(instances > 0).astype(np.uint8),
        instances_hw=instances,
        depth_hw=np.full((6, 8), np.inf, np.float32),
        normals_hwc=None,
        amodal={1: instances == 1, 2: instances > 0},
        story=story((1, 1, 4), (2, 1, 12)),
    )


def audited(**changes: Any) -> list[str]:
    """What the audit says of the good frame with changes."""
    frame = dataclasses.replace(good_frame(), **changes)
    return reasons(frame, classes=CLASSES, settings=SETTINGS)


def test_a_good_frame_passes() -> None:
    """No reason is given against it."""
    assert audited() == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"image_hwc": np.zeros((8, 6, 3), np.uint8)}, "image of shape"),
        ({"class_ids_hw": np.zeros((6, 7), np.uint8)}, "class ids of shape"),
        ({"depth_hw": None}, "no depth"),
        ({"depth_hw": np.zeros((6, 8), np.float32)}, "depth is not positive"),
        ({"depth_hw": np.full((6, 8), np.nan, np.float32)}, "depth is not positive"),
        ({"normals_hwc": np.full((6, 8, 3), np.nan, np.float32)}, "normals are not finite"),
        ({"image_hwc": np.full((6, 8, 3), 90, np.uint8)}, "constant"),
        ({"class_ids_hw": np.full((6, 8), 7, np.uint8)}, "undeclared class ids [7]"),
        ({"story": story((1, 1, 4))}, "instance ids [2]"),
        ({"story": story((1, 1, 4), (2, 5, 12))}, "instances of classes [5]"),
        ({"story": story((1, 1, 4), (2, 1, 11))}, "instance 2 shows 12 pixels, its row says 11"),
        ({"story": story((1, 1, 4), (2, 1, 12), differing=3)}, "emission pass disagree on 3 pixels"),
        ({"amodal": {1: np.zeros((6, 8), bool)}}, "instance 1 shows 4 pixels outside its amodal mask"),
        ({"amodal": {1: np.zeros((6, 7), bool)}}, "amodal mask 1 of shape"),
        ({"amodal": None}, "no amodal"),
        ({"class_ids_hw": np.zeros((6, 8), np.uint8)}, "disagree on 16 pixels"),
    ],
)
def test_a_bad_frame_is_told_why(changes: dict[str, Any], word: str) -> None:
    """Each damage is named."""
    assert any(word in reason for reason in audited(**changes))
