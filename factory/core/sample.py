"""One row of a data set: an image, what is known of its pixels, and where that knowledge came from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

MAPS = ("mask", "confidence", "source", "instances", "depth", "normals", "objects")
"""Fields of a sample that name a file about its image, beside the image itself."""


class Split(StrEnum):
    """Assigned once, at ingest or rendering, and never changed along the line."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


class Domain(StrEnum):
    """Rendered or photographed."""

    SYNTHETIC = "synthetic"
    REAL = "real"


class Supervision(StrEnum):
    """The kind of knowledge a sample's mask stands on."""

    NONE = "none"
    EXACT = "exact"
    TAGS = "tags"
    POINTS = "points"
    SCRIBBLES = "scribbles"
    BOXES = "boxes"
    MASKS = "masks"
    PSEUDO = "pseudo"
    HUMAN = "human"


TRUSTED = (Supervision.EXACT, Supervision.HUMAN)
"""What masks that others are measured against must stand on."""


class Origin(IntEnum):
    """Per-pixel origin, the codes of the 8-bit ``source/`` maps."""

    NONE = 0
    EXACT = 1
    HINT = 2
    PSEUDO = 3
    HUMAN = 4


@dataclass(frozen=True, kw_only=True)
class Hints:
    """Weak labels of one image, in its own pixel coordinates (x right, y down, origin at the top-left pixel).

    ``points`` are (x, y, class_id); ``boxes`` are (x0, y0, x1, y1, class_id) with x1 and y1 exclusive; ``tags`` are
    class ids present, ``absent`` ids known not to be there (the two have no class in common); ``scribbles`` and
    ``masks`` are paths, inside the artefact, of class-id PNGs in which the ignore index means "nothing said".
    """

    tags: tuple[int, ...] = ()
    absent: tuple[int, ...] = ()
    points: tuple[tuple[int, int, int], ...] = ()
    boxes: tuple[tuple[int, int, int, int, int], ...] = ()
    scribbles: str | None = None
    masks: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Only what is there, ready for JSON."""
        return {key: value for key, value in dataclasses.asdict(self).items() if value}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Hints:
        """Inverse of `as_json`."""
        return cls(
            tags=tuple(record.get("tags", ())),
            absent=tuple(record.get("absent", ())),
            points=tuple((x, y, class_id) for x, y, class_id in record.get("points", ())),
            boxes=tuple((x0, y0, x1, y1, class_id) for x0, y0, x1, y1, class_id in record.get("boxes", ())),
            scribbles=record.get("scribbles"),
            masks=record.get("masks"),
        )


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A manifest row. Every path is relative to the artefact's folder; a map that does not exist is ``None``.

    ``mask`` holds class ids (8-bit), ``confidence`` probability x 255 (8-bit), ``source`` `Origin` codes (8-bit),
    ``instances`` ids with 0 for none (16-bit), ``depth`` metres and ``normals`` unit vectors in world space, of
    the faces that the depth shows and towards the camera, 0 where nothing is (float32 ``.npy``).
    All are of the image's size. ``objects`` is a JSON file that describes each instance and the camera.
    ``group`` is what must never be divided between splits: a video, a site, a photograph cut into tiles.
    """

    id: str
    image: str
    width: int
    height: int
    split: Split
    group: str
    domain: Domain
    supervision: Supervision
    image_sha256: str
    mask: str | None = None
    confidence: str | None = None
    source: str | None = None
    instances: str | None = None
    depth: str | None = None
    normals: str | None = None
    objects: str | None = None
    hints: Hints = field(default_factory=Hints)
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def photograph(self) -> str:
        """What names the photograph that this picture is, or was cut from as a tile."""
        return str(self.provenance.get("file", self.id))

    def replace(self, **changes: Any) -> Sample:
        """A copy with other values; the id stays."""
        return dataclasses.replace(self, **changes)
