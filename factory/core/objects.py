"""What a rendered picture shows, thing by thing, and the camera that saw it: the file behind ``Sample.objects``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from factory.core import digests
from factory.core.errors import ArtefactError

Matrix = Sequence[Sequence[float]]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class SceneObject:
    """One visible thing. ``instance`` is its id in the instances map; ``area`` and ``box`` are of its visible pixels.

    Boxes are (x0, y0, x1, y1), ends exclusive. ``pose`` is 4 x 4, world from object, metres. ``amodal`` is its mask as
    if nothing stood before it, within the frame, as a compressed COCO run-length string; ``visible_share`` is ``area``
    of that mask's. The last four are None where amodal masks were not asked for.
    """

    instance: int
    class_id: int
    area: int
    box: Box
    pose: Matrix
    amodal_area: int | None = None
    amodal_box: Box | None = None
    visible_share: float | None = None
    amodal: str | None = None


@dataclass(frozen=True, kw_only=True)
class SceneObjects:
    """All visible things, and the camera: ``k`` (3 x 3, pixels) and ``pose`` (4 x 4, world from camera, looking along
    its own -z with y up).
    """

    objects: tuple[SceneObject, ...]
    camera: dict[str, Any]

    def encode(self) -> bytes:
        """Canonical JSON."""
        return digests.canonical(asdict(self))

    def seen_in(self, instances_hw: npt.NDArray[np.integer]) -> SceneObjects:
        """The things that are left in a map that shows less of them than it did, measured by what it shows."""
        regions = ((row, instances_hw == row.instance) for row in self.objects)
        return replace(self, objects=tuple(_measured(row, region_hw) for row, region_hw in regions if region_hw.any()))

    @classmethod
    def read(cls, path: Path) -> SceneObjects:
        """Inverse of `encode`."""
        try:
            body = json.loads(path.read_text("utf-8"))
            rows = tuple(SceneObject(**row) for row in body["objects"])
            return cls(objects=rows, camera=body["camera"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtefactError.of(
                error, what="unreadable objects", where=path, todo="make the artefact again"
            ) from error


def _measured(row: SceneObject, region_hw: npt.NDArray[np.bool_]) -> SceneObject:
    rows, columns = np.flatnonzero(region_hw.any(1)), np.flatnonzero(region_hw.any(0))
    area = int(np.count_nonzero(region_hw))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    share = None if row.amodal_area is None else round(area / max(row.amodal_area, 1), 4)
    return replace(row, area=area, box=box, visible_share=share)
