"""LabelMe JSON (labelme 5-7) as a mask: polygons, rectangles and circles, later shapes over earlier ones.

Coordinates count from the outer corner of the top-left pixel, so a pixel belongs to a shape when its centre does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from factory.core.classes import ClassList
from factory.core.errors import InputError
from factory.exchange import outlines


def read_mask(path: Path, classes: ClassList, unstated: int) -> npt.NDArray[np.uint8]:
    """Class ids, shape (imageHeight, imageWidth); pixels in no shape get ``unstated``. `InputError` for a bad file."""
    try:
        body = json.loads(path.read_text())
        mask_hw = np.full((int(body["imageHeight"]), int(body["imageWidth"])), unstated, np.uint8)
        for shape in body["shapes"]:
            mask_hw[_inside(shape, mask_hw.shape, path)] = classes.id_of(shape["label"])
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError.of(error, what="unreadable LabelMe file", where=path) from error
    return mask_hw


def _inside(shape: dict[str, Any], size_hw: tuple[int, int], path: Path) -> npt.NDArray[np.bool_]:
    points_n2 = np.asarray(shape["points"], float)
    kind = shape.get("shape_type", "polygon")
    if kind == "circle":
        (x, y), rim = points_n2
        rows, columns = np.mgrid[: size_hw[0], : size_hw[1]] + 0.5
        return np.asarray(np.hypot(columns - x, rows - y) <= np.hypot(*(rim - (x, y))), bool)
    if kind == "rectangle":
        (x0, y0), (x1, y1) = points_n2.min(axis=0), points_n2.max(axis=0)
        points_n2 = outlines.box_corners(x0, y0, x1, y1, 0)
    elif kind != "polygon":
        expected = "polygon, rectangle or circle"
        raise InputError("unsupported LabelMe shape", where=path, got=kind, expected=expected, todo="redraw it")
    return outlines.fill(points_n2, size_hw)
