"""Is a raw frame what a renderer should deliver? Reasons against it, before it becomes a sample.

Renderers have been seen to swap or blank a mask once in thousands of frames; nobody finds such a frame later.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from factory.core.classes import ClassList
from factory.render.frame import RawFrame

MIN_CONTRAST = 2.0
"""Least standard deviation of a usable image, in 8-bit steps."""


def reasons(frame: RawFrame, *, classes: ClassList, width: int, height: int, depth: bool) -> list[str]:
    """Everything that is wrong with the frame; empty for a good one."""
    if wrong := list(_sizes(frame, (height, width), depth=depth)):
        return wrong
    return [*_ids(frame, classes), *_tiling(frame), *_pixels(frame)]


def _sizes(frame: RawFrame, size_hw: tuple[int, int], *, depth: bool) -> Iterator[str]:
    planes = {"class ids": frame.class_ids_hw, "instances": frame.instances_hw}
    if depth and frame.depth_hw is None:
        yield "no depth"
    if frame.depth_hw is not None:
        planes["depth"] = frame.depth_hw
    if frame.image_hwc.shape != (*size_hw, 3):
        yield f"image of shape {frame.image_hwc.shape}, expected {(*size_hw, 3)}"
    for name, plane in planes.items():
        if plane.shape != size_hw:
            yield f"{name} of shape {plane.shape}, expected {size_hw}"


def _ids(frame: RawFrame, classes: ClassList) -> Iterator[str]:
    declared = range(len(classes))
    if strays := [i for i in np.unique(frame.class_ids_hw).tolist() if i not in declared]:
        yield f"undeclared class ids {strays}"
    if strays := [i for i in np.unique(frame.instances_hw).tolist() if i and i not in frame.table]:
        yield f"instance ids {strays} that the table does not know"
    if strays := sorted(i for i in set(frame.table.values()) if i not in declared or i == 0):
        yield f"instances of classes {strays}"


def _tiling(frame: RawFrame) -> Iterator[str]:
    """Every pixel belongs to exactly one instance, or to none and then to the background."""
    expected = np.zeros(int(frame.instances_hw.max()) + 1, np.int64)
    for instance, class_id in frame.table.items():
        if instance < len(expected):
            expected[instance] = class_id
    if differing := int(np.count_nonzero(expected[frame.instances_hw] != frame.class_ids_hw)):
        yield f"class ids and instances disagree on {differing} pixels"


def _pixels(frame: RawFrame) -> Iterator[str]:
    contrast = float(frame.image_hwc.std())
    if contrast < MIN_CONTRAST:
        yield f"image is constant (standard deviation {contrast:.1f} of 255)"
    if frame.depth_hw is not None and not (np.isfinite(frame.depth_hw).all() and (frame.depth_hw > 0).all()):
        yield "depth is not finite and positive everywhere"
