"""The audit finds every kind of bad frame, and passes good ones."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from factory.core.classes import ClassList
from factory.render.audit import reasons
from factory.render.frame import RawFrame

CLASSES = ClassList.of(["background", "coin"])


def good_frame() -> RawFrame:
    """Two coins on noise."""
    instances = np.zeros((6, 8), np.uint16)
    instances[1:3, 1:3], instances[3:, 4:] = 1, 2
    return RawFrame(
        image_hwc=np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8),
        class_ids_hw=(instances > 0).astype(np.uint8),
        instances_hw=instances,
        table={1: 1, 2: 1},
        depth_hw=np.ones((6, 8), np.float32),
    )


def audited(**changes: Any) -> list[str]:
    """What the audit says of the good frame with changes."""
    frame = dataclasses.replace(good_frame(), **changes)
    return reasons(frame, classes=CLASSES, width=8, height=6, depth=True)


def test_a_good_frame_passes() -> None:
    """No reason is given against it."""
    assert audited() == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"image_hwc": np.zeros((8, 6, 3), np.uint8)}, "image of shape"),
        ({"class_ids_hw": np.zeros((6, 7), np.uint8)}, "class ids of shape"),
        ({"depth_hw": None}, "no depth"),
        ({"depth_hw": np.full((6, 8), np.inf, np.float32)}, "depth is not finite"),
        ({"image_hwc": np.full((6, 8, 3), 90, np.uint8)}, "constant"),
        ({"class_ids_hw": np.full((6, 8), 7, np.uint8)}, "undeclared class ids [7]"),
        ({"table": {1: 1}}, "instance ids [2]"),
        ({"table": {1: 1, 2: 5}}, "instances of classes [5]"),
        ({"table": {1: 1, 2: 0}}, "instances of classes [0]"),
        ({"class_ids_hw": np.zeros((6, 8), np.uint8)}, "disagree on 16 pixels"),
    ],
)
def test_a_bad_frame_is_told_why(changes: dict[str, Any], word: str) -> None:
    """Each damage is named."""
    assert any(word in reason for reason in audited(**changes))
