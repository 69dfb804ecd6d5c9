"""What a rendered picture shows, thing by thing, and the camera that saw it: the file behind ``Sample.objects``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
