"""LabelMe JSON (labelme 5-7), one file an image: polygons, rectangles, circles, masks, later shapes over earlier ones.

Coordinates count from the outer corner of the top-left pixel, so a pixel belongs to an outline when its centre does. A
mask is a PNG in base64, cut to its box, whose points are its first and its last pixel (the last one to within a pixel:
LabelMe's own AI masks are at times one larger, and moved masks lie between pixels).

Written: every class, class 0 included and first, each connected part a mask of its own: an object that is drawn over
the ground wins over it. Pixels in no shape are pixels nothing is said about.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from factory.core import given
from factory.core import masks as pixel_maps
from factory.core.classes import IGNORE, ClassList
from factory.core.errors import ConfigError, InputError
from factory.exchange import Mask, outlines, parts, placed, require_size
from factory.exchange.png import stem_of

ENDING = ".json"
VERSION = "5.5.0"
"""Of the form that is written."""

TODO = "correct it in LabelMe, or take the file away"
BROKEN = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    ArithmeticError,
    RecursionError,
    SyntaxError,
    Image.DecompressionBombError,
)


@dataclass(frozen=True, kw_only=True)
class LabelMeFile:
    """One file; opened when its mask is asked for."""

    path: Path
    name: str
    notes: tuple[str, ...] = ()

    def mask(self, classes: ClassList, size_hw: tuple[int, int]) -> Mask:
        """See `factory.exchange.Entry.mask`."""
        try:
            return read_mask(self.path, classes, IGNORE, size_hw)
        except InputError as error:
            raise placed(error, self.name, TODO) from error


@dataclass(frozen=True, kw_only=True)
class LabelMe:
    """The codec. Connected parts under ``specks`` pixels share one mask a class: dust should not fill the list.

    ``images`` is where the pictures lie, seen from the files.
    """

    specks: int = 16
    images: str = ""

    def __post_init__(self) -> None:
        if self.specks < 0:
            raise ConfigError("codec.specks must not be negative", got=self.specks, expected="pixels, 0 or more")

    def read(self, path: Path) -> Iterator[LabelMeFile]:
        """See `factory.exchange.Codec.read`: one file, or those of a folder and below, in name order."""
        folder, files = (path.parent, [path]) if path.is_file() else (path, list(_files(path)))
        if not files:
            expected = f"one {ENDING} an image, named like it"
            raise InputError("no LabelMe file in the folder", where=path, expected=expected)
        return (LabelMeFile(path=file, name=file.relative_to(folder).as_posix()) for file in files)

    def write(self, masks: Iterable[tuple[str, Mask]], classes: ClassList) -> Iterator[tuple[str, bytes]]:
        """See `factory.exchange.Codec.write`: ``<image name without its ending>.json`` for each mask."""
        for name, mask_hw in masks:
            height, width = mask_hw.shape
            body = {
                "version": VERSION,
                "flags": {},
                "shapes": [
                    _shape(classes.names[class_id], window, region_hw)
                    for class_id, window, region_hw in parts.connected(mask_hw, self.specks)
                ],
                "imagePath": self.images + Path(name).name,
                "imageData": None,
                "imageHeight": height,
                "imageWidth": width,
            }
            yield f"{stem_of(name)}{ENDING}", (json.dumps(body, indent=1) + "\n").encode()


def is_any(folder: Path) -> bool:
    """Whether there are LabelMe files in a folder, by the first JSON in it."""
    first = next(_files(folder), None)
    try:
        return first is not None and "shapes" in json.loads(first.read_bytes())
    except BROKEN:
        return False


def read_mask(path: Path, classes: ClassList, unstated: int, expected_hw: tuple[int, int] | None = None) -> Mask:
    """Class ids, shape (imageHeight, imageWidth); pixels in no shape get ``unstated``.

    `InputError` for a bad file, and for an image of another size than expected.
    """
    try:
        body = json.loads(path.read_bytes())
        size_hw = int(body["imageHeight"]), int(body["imageWidth"])
        require_size(size_hw, expected_hw or size_hw, path)
        mask_hw = np.full(size_hw, unstated, np.uint8)
        for shape in body["shapes"]:
            mask_hw[_inside(shape, mask_hw.shape, path)] = classes.id_of(shape["label"])
    except BROKEN as error:
        raise InputError.of(error, what="unreadable LabelMe file", where=path) from error
    return mask_hw


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in given.files_in(folder) if file.suffix.lower() == ENDING)


def _inside(shape: dict[str, Any], size_hw: tuple[int, int], path: Path) -> npt.NDArray[np.bool_]:
    points_n2 = np.asarray(shape["points"], float)
    if not np.isfinite(points_n2).all():
        raise ValueError("points that are no numbers")
    kind = shape.get("shape_type", "polygon")
    if kind == "mask":
        return _masked(shape["mask"], points_n2, size_hw)
    if kind == "circle":
        (x, y), rim = points_n2
        rows, columns = np.mgrid[: size_hw[0], : size_hw[1]] + 0.5
        return np.asarray(np.hypot(columns - x, rows - y) <= np.hypot(*(rim - (x, y))), bool)
    if kind == "rectangle":
        (x0, y0), (x1, y1) = points_n2.min(axis=0), points_n2.max(axis=0)
        points_n2 = outlines.box_corners(x0, y0, x1, y1, 0)
    elif kind != "polygon":
        expected = "polygon, rectangle, circle or mask"
        raise InputError("unsupported LabelMe shape", where=path, got=kind, expected=expected, todo="redraw it")
    return outlines.fill(points_n2, size_hw)


def _masked(encoded: str, points_22: npt.NDArray[np.float64], size_hw: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """The pixels of a shape that is a mask; those outside of the picture are cut off."""
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as opened:
        region_hw = np.asarray(opened) > 0
    (left, top), (right, bottom) = (map(round, corner.tolist()) for corner in (points_22.min(0), points_22.max(0)))
    height, width = region_hw.shape
    if abs(bottom + 1 - top - height) > 1 or abs(right + 1 - left - width) > 1:
        raise ValueError(f"a mask of {width} x {height} between pixels ({left}, {top}) and ({right}, {bottom})")
    rows = slice(max(top, 0), max(min(top + height, size_hw[0]), 0))
    columns = slice(max(left, 0), max(min(left + width, size_hw[1]), 0))
    inside_hw = np.zeros(size_hw, bool)
    if rows.start < rows.stop and columns.start < columns.stop:
        cut = np.s_[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        inside_hw[rows, columns] = region_hw[cut]
    return inside_hw


def _shape(label: str, window: parts.Window, region_hw: parts.Region) -> dict[str, Any]:
    rows, columns = window
    return {
        "label": label,
        "points": [[columns.start, rows.start], [columns.stop - 1, rows.stop - 1]],
        "group_id": None,
        "description": "",
        "shape_type": "mask",
        "flags": {},
        "mask": base64.b64encode(pixel_maps.encode_png(region_hw.astype(np.uint8))).decode(),
    }
