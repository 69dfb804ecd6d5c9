"""Raw frames on disk: one folder a frame, complete or absent."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image


def folder_name(index: int) -> str:
    """Name of a frame's folder inside the output folder."""
    return f"{index:06d}"


def delivered(out: Path, index: int) -> bool:
    """Whether the frame is complete."""
    return (out / folder_name(index) / "frame.json").is_file()


def deliver(
    out: Path,
    index: int,
    *,
    image: npt.NDArray[np.uint8],
    class_ids: npt.NDArray[np.uint8],
    instances: npt.NDArray[np.uint16],
    table: dict[int, int],
    depth: npt.NDArray[np.float32] | None,
    seconds: float,
) -> None:
    """Write a frame beside its place and rename it there, so that a kill leaves no half frame."""
    final, partial = out / folder_name(index), out / f".{folder_name(index)}.{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    Image.fromarray(image).save(partial / "image.png")
    Image.fromarray(class_ids).save(partial / "class_ids.png")
    Image.fromarray(instances).save(partial / "instances.png")
    if depth is not None:
        np.save(partial / "depth.npy", depth)
    _write_json(partial / "frame.json", _description(index, image, table, depth, seconds))
    if not delivered(out, index):
        partial.rename(final)


def _description(
    index: int, image: npt.NDArray[Any], table: dict[int, int], depth: npt.NDArray[Any] | None, seconds: float
) -> dict[str, Any]:
    return {
        "index": index,
        "height": image.shape[0],
        "width": image.shape[1],
        "depth": depth is not None,
        "instances": {str(instance): class_id for instance, class_id in sorted(table.items())},
        "seconds": round(seconds, 3),
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
