"""One file of the user's folder at a time: decode, attach what is said of it, check, resize, tile."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from factory.core import picture
from factory.core.classes import IGNORE, ClassList
from factory.core.errors import ConfigError, InputError
from factory.core.masks import check_mask
from factory.core.picture import Picture
from factory.core.sample import Hints
from factory.core.words import many
from factory.exchange import labelme
from factory.exchange.png import PngFile
from factory.ingest import hints, ids, pictures
from factory.ingest.encoded import Encoded
from factory.ingest.maps import MapFiles
from factory.ingest.names import Names
from factory.ingest.told import Told

Map8 = npt.NDArray[np.uint8]
CONVERT = "convert them to JPEG or PNG"


class SupervisionFilter(Protocol):
    """Decides how much of the given masks the line may see."""

    def __call__(self, photo: Picture, seed: int) -> Picture:
        """The photograph with what remains."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How every photograph is treated; ``size`` is (width, height), ``longest`` the most that the longer side may have,
    ``tile`` the side of square tiles.
    """

    classes: ClassList
    supervision: SupervisionFilter
    seed: int
    white_level: int
    mask_ids: dict[int, int]
    scribble_ids: dict[int, int]
    size: tuple[int, int] | None
    longest: int | None
    tile: int | None
    tile_overlap: float

    @property
    def translations(self) -> dict[str, dict[int, int]]:
        """What ids in files of each kind of map are translated to."""
        return {"masks": self.mask_ids, "noisy_masks": self.mask_ids, "scribbles": self.scribble_ids}

    @property
    def brought_to(self) -> dict[str, Any]:
        """What a model that learns from these pictures has to know of their size."""
        given = {"size": self.size and list(self.size), "longest": self.longest}
        return {key: value for key, value in given.items() if value}

    def __post_init__(self) -> None:
        if self.size and self.longest:
            todo = "longest keeps each picture's shape, size gives all of them one: leave one out"
            raise ConfigError("pictures can be brought to one size only", got="size and longest", todo=todo)
        if self.longest is not None and self.longest < 8:
            raise ConfigError("longest is too small", got=self.longest, expected="8 pixels or more, or null")
        if self.tile is not None and self.tile < 8:
            raise ConfigError("tile is too small", got=self.tile, expected="8 pixels or more, or null")
        if not 0 <= self.tile_overlap < 1:
            raise ConfigError(
                "tile_overlap is a share of the tile", got=self.tile_overlap, expected="0 or more, below 1"
            )
        if self.size and min(self.size) < 1:
            raise ConfigError("size must be positive", got=self.size)


@dataclass(frozen=True, kw_only=True)
class Source:
    """One picture with the files and rows that belong to it.

    ``file`` is its path in the folder, ``name`` that without suffix; ``files`` are those of its maps, by the field of
    `Picture` that they fill.
    """

    path: Path
    file: str
    name: str
    id: str
    hints: Hints
    files: dict[str, Path | None]


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of one source: what is to be written (it, or its tiles), the digest of its pixels, and reasons.

    ``told`` is what was told of it before anything was cut, or forgotten for the sake of a simulation; ``brought_to``
    the size that it was given.
    """

    source: Source
    parts: tuple[Encoded, ...]
    sha256: str
    told: Told
    reasons: tuple[str, ...]
    brought_to: Mapping[str, Any] = field(default_factory=dict)


def found(images: Path, maps: Collection[Path] = ()) -> Names:
    """The pictures of a folder (or the one given); folders of ``maps`` that lie among them hold none."""
    paths = pictures.find(images, outside=_among(images, maps))
    if not paths:
        expected, other = ", ".join(pictures.SUFFIXES), [reason for _, reason in unread(images, maps)]
        raise InputError(
            "no picture found",
            where=images,
            got=other[0] if other else None,
            expected=f"files ending in {expected}",
            todo="check the path",
        )
    return Names.of(images, paths)


def unread(images: Path, maps: Collection[Path] = ()) -> list[tuple[str, str]]:
    """The pictures in the folder that are of a kind not read here, as (folder, reason)."""
    if not (paths := pictures.unread(images, outside=_among(images, maps))):
        return []
    such = f"such as {paths[0].relative_to(images)}"
    return [(str(images.name or images), f"pictures of kinds not read here: {len(paths)}, {such}: left out; {CONVERT}")]


def _among(images: Path, maps: Collection[Path]) -> list[Path]:
    return [folder for folder in maps if images in folder.parents]


def sources(names: Names, table: hints.HintTable, maps: Mapping[str, MapFiles]) -> list[Source]:
    """Every picture with what belongs to it, in name order, under ids that are unique and safe as file names.

    ``maps`` are masks, scribbles and noisy masks, by the field of `Picture` they fill.
    """
    stems = [Path(file).with_suffix("").as_posix() for file in names.paths]
    return [
        Source(
            path=path,
            file=file,
            name=name,
            id=sample_id,
            hints=table.of(file),
            files={field: kind.by_picture.get(file) for field, kind in maps.items()},
        )
        for (file, path), name, sample_id in zip(names.paths.items(), stems, ids.unique(stems), strict=True)
    ]


def joined(first: Source, again: Source) -> Source:
    """The first of two equal pictures, with what is said of the other; of two maps of one kind its own stands."""
    files = {field: path or again.files[field] for field, path in first.files.items()}
    return replace(first, hints=hints.joined(first.hints, again.hints), files=files)


def take(source: Source, settings: Settings) -> Taken:
    """Decode and prepare one source; whatever is wrong with it becomes a reason, and it is left out."""
    try:
        photo, reasons = _read(source, settings)
        sha256 = hashlib.sha256(str(photo.image.shape).encode() + photo.image.tobytes()).hexdigest()
        told = Told.of(photo)
        photo = _sized(photo, settings)
        if photo.disputed:
            said = f"points contradict a scribble or each other at {many(len(photo.disputed), 'pixel')}"
            reasons.append(f"{said}, such as {photo.disputed[0]}: none counts there")
        return Taken(
            source=source,
            parts=_parts(photo, settings),
            sha256=sha256,
            told=told,
            reasons=tuple(reasons),
            brought_to=settings.brought_to,
        )
    except InputError as error:
        return Taken(source=source, parts=(), sha256="", told=Told(), reasons=(error.one_line(),))


def _read(source: Source, settings: Settings) -> tuple[Picture, list[str]]:
    image = pictures.read(source.path, white_level=settings.white_level)
    height, width = image.shape[:2]
    placed, reasons = hints.place(source.hints, width, height, settings.classes)
    reasons += pictures.passed_over(source.path)
    maps: dict[str, Any] = {
        field: _read_ids(path, field, settings, (height, width)) for field, path in source.files.items() if path
    }
    return Picture(id=source.id, image=image, hints=placed, **maps), reasons


def _read_ids(path: Path, field: str, settings: Settings, size_hw: tuple[int, int]) -> Map8:
    drawn = field == "scribbles"
    if path.suffix.lower() == ".json":
        ids = labelme.read_mask(path, settings.classes, IGNORE if drawn else 0, size_hw)
    elif not drawn and pictures.is_coloured(path):
        ids = PngFile(path=path, name=path.name).mask(settings.classes, size_hw)
    else:
        ids = pictures.read_ids(path, settings.scribble_ids if drawn else settings.mask_ids)
    check_mask(ids, settings.classes, size_hw, path)
    return ids


def _sized(photo: Picture, settings: Settings) -> Picture:
    if settings.size and settings.size != photo.image.shape[1::-1]:
        return picture.resize(photo, *settings.size)
    return picture.at_most(photo, settings.longest) if settings.longest else photo


def _parts(photo: Picture, settings: Settings) -> tuple[Encoded, ...]:
    parts = picture.tiles(photo, settings.tile, settings.tile_overlap) if settings.tile else (photo,)
    return tuple(Encoded.of(settings.supervision(part, settings.seed)) for part in parts)
