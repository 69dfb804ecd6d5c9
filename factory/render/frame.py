"""A raw frame as a worker delivered it: a folder that holds frame.json once everything else is written."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from factory.core.errors import InputError
from factory.core.masks import read_png

MARK = "frame.json"


@dataclass(frozen=True, kw_only=True)
class RawFrame:
    """Pixels of one frame and its ``story``: what the worker says of it (objects, camera, audit, notes).

    0 in ``instances_hw`` is no instance. ``amodal`` maps an instance id to its (H, W) bool mask.
    """

    image_hwc: npt.NDArray[Any]
    class_ids_hw: npt.NDArray[Any]
    instances_hw: npt.NDArray[Any]
    depth_hw: npt.NDArray[Any] | None
    normals_hwc: npt.NDArray[Any] | None
    amodal: dict[int, npt.NDArray[np.bool_]] | None
    story: dict[str, Any]

    @property
    def table(self) -> dict[int, int]:
        """Class id of each instance."""
        return {row["instance"]: row["class_id"] for row in self.story["objects"]}


def folder_of(out: Path, index: int) -> Path:
    """Where the worker puts the frame."""
    return out / f"{index:06d}"


def is_delivered(out: Path, index: int) -> bool:
    """Whether the frame is complete."""
    return (folder_of(out, index) / MARK).is_file()


def story(out: Path, index: int) -> dict[str, Any]:
    """What the worker says of a delivered frame; all that is left of one that was not wanted, or is collected."""
    place = folder_of(out, index) / MARK
    try:
        return dict(json.loads(place.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise _unreadable(error, place.parent) from error


def read(out: Path, index: int) -> RawFrame:
    """Load a delivered frame; `InputError` where its files are damaged."""
    folder = folder_of(out, index)
    stated = story(out, index)
    try:
        return RawFrame(
            image_hwc=read_png(folder / "image.png"),
            class_ids_hw=read_png(folder / "class_ids.png"),
            instances_hw=read_png(folder / "instances.png"),
            depth_hw=_array(folder / "depth.npy"),
            normals_hwc=_array(folder / "normals.npy"),
            amodal=_amodal(folder / "amodal.npz", stated["width"]),
            story=stated,
        )
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(error, folder) from error


def drop_pixels(out: Path, index: int) -> None:
    """Remove a collected frame's planes; its story stays, so that it counts as rendered."""
    for path in folder_of(out, index).iterdir():
        if path.name != MARK:
            path.unlink()


def forget(out: Path, index: int) -> None:
    """Remove a delivered frame, so that it can be rendered again."""
    shutil.rmtree(folder_of(out, index))


def _array(path: Path) -> npt.NDArray[Any] | None:
    return np.load(path) if path.exists() else None


def _amodal(path: Path, width: int) -> dict[int, npt.NDArray[np.bool_]] | None:
    if not path.exists():
        return None
    with np.load(path) as packed:
        return {int(name): np.unpackbits(packed[name], axis=1, count=width).astype(bool) for name in packed}


def _unreadable(error: Exception, folder: Path) -> InputError:
    return InputError.of(error, what="unreadable raw frame", where=folder, todo="delete it and run again")
