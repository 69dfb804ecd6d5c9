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


def deliver(out: Path, index: int, *, planes: dict[str, Any], story: dict[str, Any]) -> None:
    """Write a frame beside its place and rename it there, so that a kill leaves no half frame.

    ``planes``: image, class_ids and instances as PNG; depth and normals (float32) and amodal ({instance: mask}) as
    NumPy files. ``story`` is everything else, JSON-able.
    """
    final, partial = out / folder_name(index), out / f".{folder_name(index)}.{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, plane in planes.items():
        _write_plane(partial, name, plane)
    _write_json(partial / "frame.json", story)
    if not delivered(out, index):
        partial.rename(final)


def _write_plane(folder: Path, name: str, plane: Any) -> None:
    if name == "amodal":
        np.savez_compressed(folder / "amodal.npz", **{str(instance): _packed(mask) for instance, mask in plane.items()})
    elif name in ("depth", "normals"):
        np.save(folder / f"{name}.npy", plane.astype(np.float32))
    else:
        Image.fromarray(plane).save(folder / f"{name}.png", compress_level=1)


def _packed(mask_hw: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    return np.packbits(mask_hw, axis=1)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
