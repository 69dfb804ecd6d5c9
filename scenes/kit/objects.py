"""From object indexes to classes, instances, and a table of what can be seen: one row a visible thing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.kit.labels import CLASS_KEY, THING_KEY, drawn_table
from scenes.kit.passes import Planes, mesh_objects

Plane = npt.NDArray[Any]


class Scene:
    """The labelled objects of the built scene; 0 is no object, which the pack's ``nothing`` class describes."""

    def __init__(self, nothing: int) -> None:
        self.objects = mesh_objects()
        if unlabelled := sorted(obj.name for obj in self.objects if CLASS_KEY not in obj):
            raise RuntimeError(f"objects without a label: {', '.join(unlabelled[:8])}")
        self.class_of = np.array([nothing, *(int(obj[CLASS_KEY]) for obj in self.objects)])
        self.is_thing = np.array([False, *(bool(obj[THING_KEY]) for obj in self.objects)])
        self.drawn = drawn_table()

    def ids(self, planes: Planes) -> tuple[Plane, Plane]:
        """Class ids (H, W uint8) and keys (H, W int64) of things: object index, or minus the drawn number; else 0."""
        class_ids, keys = self.class_of[planes.object_ids], planes.object_ids * self.is_thing[planes.object_ids]
        if self.drawn:
            lookup = np.zeros(max(self.drawn) + 1, np.int64)
            lookup[list(self.drawn)] = list(self.drawn.values())
            inside = planes.drawn > 0
            class_ids = np.where(inside, lookup[planes.drawn * inside], class_ids)
            keys = np.where(inside, -planes.drawn, keys)
        return class_ids.astype(np.uint8), keys

    def class_of_key(self, key: int) -> int:
        """Class of a thing."""
        return self.drawn[-key] if key < 0 else int(self.class_of[key])

    def pose_of_key(self, key: int) -> list[list[float]]:
        """World from object, 4 x 4; of a drawn thing, that of nothing in particular: the world's own."""
        matrix = np.eye(4) if key < 0 else np.array(self.objects[key - 1].matrix_world)
        return [[round(float(v), 9) for v in row] for row in matrix]


def table(scene: Scene, keys_hw: Plane) -> tuple[Plane, list[dict[str, Any]]]:
    """Instance ids (H, W uint16, from 1 in the order of keys) and one row a visible thing."""
    found, places, areas = np.unique(keys_hw, return_inverse=True, return_counts=True)
    number = np.zeros(len(found), np.uint16)
    number[found != 0] = np.arange(1, np.count_nonzero(found) + 1)
    rows = [
        {
            "instance": int(number[place]),
            "key": int(key),
            "class_id": scene.class_of_key(int(key)),
            "area": int(areas[place]),
            "box": box(keys_hw == key),
            "pose": scene.pose_of_key(int(key)),
        }
        for place, key in enumerate(found.tolist())
        if key != 0
    ]
    return number[places].reshape(keys_hw.shape), rows


def box(region_hw: Plane) -> list[int]:
    """(x0, y0, x1, y1) around the region's pixels, ends exclusive; all zero for an empty one."""
    rows, columns = np.flatnonzero(region_hw.any(1)), np.flatnonzero(region_hw.any(0))
    if not len(rows):
        return [0, 0, 0, 0]
    return [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]
