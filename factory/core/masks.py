"""Reading, writing, checking and colouring pixel maps: images, class ids, confidence, origin, instances."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from factory.core.classes import IGNORE, ClassList
from factory.core.errors import InputError

Image8 = npt.NDArray[np.uint8]
FADING = 0.4
"""How much of the void colour lies over the grey photograph where nothing is known."""


def encode_png(pixels_hwc: npt.NDArray[np.generic]) -> bytes:
    """PNG bytes of an 8-bit RGB or grey, or a 16-bit grey array. Equal arrays give equal bytes.

    Compressed lightly: half the time of level 4 for 3 % more bytes of a photograph (BENCHMARKS.md).
    """
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels_hwc)).save(buffer, format="PNG", compress_level=2)
    return buffer.getvalue()


def read_png(path: Path) -> npt.NDArray[np.generic]:
    """The pixels of a PNG the factory wrote, as they were handed to `encode_png`."""
    try:
        with Image.open(path) as opened:
            return np.asarray(opened).astype(np.uint16) if opened.mode.startswith("I") else np.asarray(opened)
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError.of(error, what="unreadable picture", where=path, todo="make the artefact again") from error


def undeclared_ids(mask_hw: Image8, classes: ClassList) -> list[int]:
    """Ids in the mask that are neither a class nor the ignore index, ascending."""
    present = np.flatnonzero(np.bincount(mask_hw.ravel(), minlength=256))
    return [int(i) for i in present if i >= len(classes) and i != IGNORE]


def check_mask(mask_hw: Image8, classes: ClassList, size_hw: tuple[int, int], where: object) -> None:
    """Raise `InputError` unless the mask has the image's size and declared ids only."""
    if mask_hw.shape != size_hw:
        raise InputError(
            "mask and image differ in size", where=where, got=_size(mask_hw.shape), expected=_size(size_hw)
        )
    if strays := undeclared_ids(mask_hw, classes):
        raise InputError(
            "mask holds ids outside the class list",
            where=where,
            got=strays,
            expected=f"0-{len(classes) - 1} or {IGNORE}",
            todo=f"mask_ids=[[{strays[0]},<class id>],…] of factory ingest translates them, or name all classes",
        )


def colour(mask_hw: Image8, classes: ClassList) -> Image8:
    """The mask in class colours, RGB."""
    return classes.palette()[mask_hw]


def overlay(image_hwc: Image8, mask_hw: Image8, classes: ClassList, opacity: float = 0.5) -> Image8:
    """Class colours laid over the image, borders drawn solid.

    A class whose colour is black (class 0, where no colours are given) stays as photographed; ignored pixels are faded.
    """
    tint_hwc, ignored_hw = colour(mask_hw, classes), mask_hw == IGNORE
    tinted_hw = tint_hwc.any(axis=2) & ~ignored_hw
    weight_hw = opacity * tinted_hw + (1 - opacity) * (tinted_hw & inner_border(mask_hw)) + FADING * ignored_hw
    grey_hw1 = image_hwc.mean(axis=2, keepdims=True)
    shown_hwc = np.where(ignored_hw[..., None], grey_hw1, image_hwc)
    mixed = shown_hwc * (1 - weight_hw[..., None]) + tint_hwc * weight_hw[..., None]
    return np.asarray(mixed.round(), np.uint8)


def inner_border(mask_hw: Image8) -> npt.NDArray[np.bool_]:
    """Pixels with a 4-neighbour of another id."""
    border = np.zeros(mask_hw.shape, bool)
    across, down = mask_hw[:, 1:] != mask_hw[:, :-1], mask_hw[1:] != mask_hw[:-1]
    border[:, 1:] |= across
    border[:, :-1] |= across
    border[1:] |= down
    border[:-1] |= down
    return border


def _size(shape_hw: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape_hw[1::-1]) + " (width x height)"
