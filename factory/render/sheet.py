"""The contact sheet: pictures beside their masks on one page, so that one look says whether they are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from factory.core import masks
from factory.core.classes import ClassList
from factory.measure.legend import GAP, PAPER, Image8, legend

MOST, WIDEST = 16, 1680
"""Pictures on a sheet; pixels across."""


def chosen(count: int) -> list[int]:
    """Places of the pictures to show, evenly spread."""
    shown = min(count, MOST)
    return [place * count // shown for place in range(shown)]


def contact_sheet(pairs: Sequence[tuple[Image8, Image8]], classes: ClassList) -> Image8:
    """(image, class ids) pairs of one size, each image beside its mask in class colours, and the classes below."""
    height, width = pairs[0][1].shape
    columns = max(1, min(4, len(pairs), (WIDEST - GAP) // (2 * width + GAP)))
    rows = -(-len(pairs) // columns)
    wide, high = columns * (2 * width + GAP) + GAP, rows * (height + GAP) + GAP
    below_hwc = legend(range(len(classes)), classes, wide)
    sheet = Image.new("RGB", (wide, high + len(below_hwc)), PAPER)
    for place, (image_hwc, class_ids_hw) in enumerate(pairs):
        row, column = divmod(place, columns)
        left, top = GAP + column * (2 * width + GAP), GAP + row * (height + GAP)
        sheet.paste(Image.fromarray(image_hwc), (left, top))
        sheet.paste(Image.fromarray(masks.colour(class_ids_hw, classes)), (left + width, top))
    sheet.paste(Image.fromarray(below_hwc), (0, high))
    return np.asarray(sheet)
