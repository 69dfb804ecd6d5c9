"""Amodal masks: how much of each visible thing there would be to see if nothing stood before it.

Each thing is rendered with everything else hidden, at one sample. Things whose projected boxes do not overlap share a
render, so that a frame takes a handful of renders rather than one a thing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.kit.objects import Scene, box
from scenes.kit.passes import Camera

Plane = npt.NDArray[Any]
Box = tuple[float, float, float, float]


def masks(camera: Camera, scene: Scene, rows: list[dict[str, Any]], visible: dict[int, Plane]) -> dict[int, Plane]:
    """{key: (H, W) bool} of every thing among the rows. A drawn thing's amodal mask is its visible one."""
    import bpy

    size = bpy.context.scene.render
    keys = [row["key"] for row in rows if row["key"] > 0]
    boxes = {key: _projected(scene.objects[key - 1], size.resolution_x, size.resolution_y) for key in keys}
    found = {row["key"]: visible[row["key"]] for row in rows if row["key"] < 0}
    for group in groups(boxes):
        for number, obj in enumerate(scene.objects, start=1):
            obj.hide_render = number not in group
        object_ids = camera.shoot(samples=1, bounces=False).object_ids
        found |= {key: object_ids == key for key in group}
    for obj in scene.objects:
        obj.hide_render = False
    return found


def describe(rows: list[dict[str, Any]], found: dict[int, Plane]) -> None:
    """Add ``amodal_area``, ``amodal_box`` and ``visible_share`` (of what lies inside the frame) to the rows."""
    for row in rows:
        mask = found[row["key"]]
        row["amodal_area"], row["amodal_box"] = int(np.count_nonzero(mask)), box(mask)
        row["visible_share"] = round(row["area"] / max(row["amodal_area"], 1), 4)


def groups(boxes: dict[int, Box]) -> list[list[int]]:
    """Keys sorted into groups in which no two boxes overlap: first fit, largest boxes first."""
    result: list[list[int]] = []
    for key in sorted(boxes, key=lambda key: (-_area(boxes[key]), key)):
        free = (group for group in result if not any(_overlap(boxes[key], boxes[other]) for other in group))
        place = next(free, None)
        if place is None:
            result.append([key])
        else:
            place.append(key)
    return result


def _area(b: Box) -> float:
    return (b[2] - b[0]) * (b[3] - b[1])


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _projected(obj: Any, width: int, height: int) -> Box:
    """Pixels that the object may cover, one more on every side; the whole frame where it reaches behind the camera."""
    import bpy
    from bpy_extras.object_utils import world_to_camera_view

    corners = [obj.matrix_world @ _vector(corner) for corner in obj.bound_box]
    seen = [world_to_camera_view(bpy.context.scene, bpy.context.scene.camera, corner) for corner in corners]
    if min(point.z for point in seen) <= 0:
        return 0.0, 0.0, float(width), float(height)
    x, y = [point.x * width for point in seen], [(1 - point.y) * height for point in seen]
    return min(x) - 1, min(y) - 1, max(x) + 1, max(y) + 1


def _vector(values: Any) -> Any:
    from mathutils import Vector

    return Vector(values)
