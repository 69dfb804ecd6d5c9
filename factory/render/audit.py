"""Is a raw frame what a renderer should deliver? Reasons against it, before it becomes a sample.

Renderers have been seen to swap or blank a mask once in thousands of frames; nobody finds such a frame later.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from factory.core.classes import ClassList
from factory.render.frame import RawFrame
from factory.render.job import Settings

MIN_CONTRAST = 2.0
"""Least standard deviation of a usable image, in 8-bit steps."""


def reasons(frame: RawFrame, *, classes: ClassList, settings: Settings) -> list[str]:
    """Everything that is wrong with the frame; empty for a good one."""
    if wrong := list(_sizes(frame, settings)):
        return wrong
    return [*_ids(frame, classes), *_tiling(frame), *_objects(frame), *_amodal(frame), *_pixels(frame)]


def _sizes(frame: RawFrame, settings: Settings) -> Iterator[str]:
    size_hw = (settings.height, settings.width)
    planes: dict[str, Any] = {"depth": frame.depth_hw, "normals": frame.normals_hwc, "amodal": frame.amodal}
    for name in settings.outputs:
        if planes[name] is None:
            yield f"no {name}"
    if frame.image_hwc.shape != (*size_hw, 3):
        yield f"image of shape {frame.image_hwc.shape}, expected {(*size_hw, 3)}"
    sized = {"class ids": frame.class_ids_hw, "instances": frame.instances_hw, "depth": frame.depth_hw}
    sized |= {f"amodal mask {instance}": mask for instance, mask in (frame.amodal or {}).items()}
    for name, plane in sized.items():
        if plane is not None and plane.shape != size_hw:
            yield f"{name} of shape {plane.shape}, expected {size_hw}"


def _ids(frame: RawFrame, classes: ClassList) -> Iterator[str]:
    declared = range(len(classes))
    if strays := [i for i in np.unique(frame.class_ids_hw).tolist() if i not in declared]:
        yield f"undeclared class ids {strays}"
    if strays := [i for i in np.unique(frame.instances_hw).tolist() if i and i not in frame.table]:
        yield f"instance ids {strays} that the table does not know"
    if strays := sorted(i for i in set(frame.table.values()) if i not in declared):
        yield f"instances of classes {strays}"


def _tiling(frame: RawFrame) -> Iterator[str]:
    """Every pixel that belongs to an instance has the instance's class; both routes to the masks agree."""
    inside = frame.instances_hw > 0
    expected = np.zeros(int(frame.instances_hw.max()) + 1, np.int64)
    for instance, class_id in frame.table.items():
        if instance < len(expected):
            expected[instance] = class_id
    if differing := int(np.count_nonzero(inside & (expected[frame.instances_hw] != frame.class_ids_hw))):
        yield f"class ids and instances disagree on {differing} pixels"
    if differing := frame.story["differing"]:
        yield f"object index and emission pass disagree on {differing} pixels"


def _objects(frame: RawFrame) -> Iterator[str]:
    """The table says what the masks show."""
    areas = np.bincount(frame.instances_hw.ravel(), minlength=1)
    for row in frame.story["objects"]:
        instance = row["instance"]
        shown = int(areas[instance]) if instance < len(areas) else 0
        if shown != row["area"]:
            yield f"instance {instance} shows {shown} pixels, its row says {row['area']}"


def _amodal(frame: RawFrame) -> Iterator[str]:
    """What is visible lies within what would be there with nothing before it."""
    for instance, mask_hw in (frame.amodal or {}).items():
        if outside := int(np.count_nonzero((frame.instances_hw == instance) & ~mask_hw)):
            yield f"instance {instance} shows {outside} pixels outside its amodal mask"


def _pixels(frame: RawFrame) -> Iterator[str]:
    contrast = float(frame.image_hwc.std())
    if contrast < MIN_CONTRAST:
        yield f"image is constant (standard deviation {contrast:.1f} of 255)"
    if frame.depth_hw is not None and not (frame.depth_hw > 0).all():
        yield "depth is not positive everywhere"
    if frame.normals_hwc is not None and not np.isfinite(frame.normals_hwc).all():
        yield "normals are not finite"
