"""A prediction for people: class colours over the photograph, the classes in sight below."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from factory.core import masks
from factory.core.classes import IGNORE, ClassList
from factory.measure.pictures import GAP, HEADING, PAPER, legend
from factory.segment.data import resize_image

Image8 = npt.NDArray[np.uint8]
SHORTEST, LONGEST = 240, 2048
"""Pixels of a side: smaller pictures are enlarged by whole factors, larger ones shrunk."""


def overlay(image_hwc: Image8, mask_hw: Image8, classes: ClassList) -> Image8:
    """The picture with its classes laid over it, RGB; class 0 and ignored pixels stay as photographed."""
    size_hw = _shown(mask_hw.shape[0], mask_hw.shape[1])
    shown_hw = np.asarray(Image.fromarray(mask_hw).resize(size_hw[::-1], Image.Resampling.NEAREST))
    drawn_hwc = masks.overlay(resize_image(image_hwc, size_hw), shown_hw, classes)
    font = ImageFont.load_default(13)
    present = [int(i) for i in np.flatnonzero(np.bincount(shown_hw.ravel(), minlength=256)) if i != IGNORE]
    lines = _lines(present, [32 + font.getlength(classes.names[i]) for i in present], size_hw[1] - GAP)
    sheet = Image.new("RGB", (size_hw[1], size_hw[0] + HEADING * len(lines) + GAP), PAPER)
    sheet.paste(Image.fromarray(drawn_hwc))
    for number, line in enumerate(lines):
        top = size_hw[0] + GAP // 2 + HEADING * number
        legend(ImageDraw.Draw(sheet), font, line, classes, top, sheet.width + HEADING)
    return np.asarray(sheet)


def _lines(class_ids: Sequence[int], widths: Sequence[float], room: float) -> list[list[int]]:
    """The classes in as many rows as their names need."""
    lines: list[list[int]] = [[]]
    left = room
    for class_id, wide in zip(class_ids, widths, strict=True):
        if wide > left and lines[-1]:
            lines.append([])
            left = room
        lines[-1].append(class_id)
        left -= wide
    return lines


def _shown(height: int, width: int) -> tuple[int, int]:
    factor = min(float(max(1, -(-SHORTEST // min(height, width)))), LONGEST / max(height, width))
    return max(round(factor * height), 1), max(round(factor * width), 1)
