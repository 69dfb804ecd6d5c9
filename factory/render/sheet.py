"""The contact sheet: pictures beside their masks on one page, so that one look says whether they are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from factory.core import masks
from factory.core.classes import ClassList
from factory.measure.pictures import GAP, HEADING, PAPER, Image8, legend

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
    size = (columns * (2 * width + GAP) + GAP, rows * (height + GAP) + GAP + HEADING)
    sheet = Image.new("RGB", size, PAPER)
    for place, (image_hwc, class_ids_hw) in enumerate(pairs):
        row, column = divmod(place, columns)
        left, top = GAP + column * (2 * width + GAP), GAP + row * (height + GAP)
        sheet.paste(Image.fromarray(image_hwc), (left, top))
        sheet.paste(Image.fromarray(masks.colour(class_ids_hw, classes)), (left + width, top))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    legend(draw, font, range(len(classes)), classes, size[1] - HEADING, size[0])
    return np.asarray(sheet)
