"""A raw frame as a worker delivered it: a folder that holds frame.json once everything else is written."""

from __future__ import annotations

import json
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
    """Pixels of one frame. ``table`` maps each instance id to its class id; 0 in ``instances_hw`` is no instance."""

    image_hwc: npt.NDArray[Any]
    class_ids_hw: npt.NDArray[Any]
    instances_hw: npt.NDArray[Any]
    table: dict[int, int]
    depth_hw: npt.NDArray[Any] | None


def folder_of(out: Path, index: int) -> Path:
    """Where the worker puts the frame."""
    return out / f"{index:06d}"


def is_delivered(out: Path, index: int) -> bool:
    """Whether the frame is complete."""
    return (folder_of(out, index) / MARK).is_file()


def read(out: Path, index: int) -> RawFrame:
    """Load a delivered frame; `InputError` where its files are damaged."""
    folder = folder_of(out, index)
    try:
        stated = json.loads((folder / MARK).read_text("utf-8"))
        return RawFrame(
            image_hwc=read_png(folder / "image.png"),
            class_ids_hw=read_png(folder / "class_ids.png"),
            instances_hw=read_png(folder / "instances.png"),
            table={int(instance): class_id for instance, class_id in stated["instances"].items()},
            depth_hw=np.load(folder / "depth.npy") if stated["depth"] else None,
        )
    except (OSError, ValueError, KeyError) as error:
        raise InputError.of(error, what="unreadable raw frame", where=folder, todo="delete it and run again") from error
