"""Class names in pictures: colours and names in as many rows as they need, in letters of most alphabets."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from factory.core.classes import ClassList

Image8 = npt.NDArray[np.uint8]
PAPER, INK = (250, 250, 248), (34, 34, 34)
ROW, GAP = 22, 6
SWATCH = 12
SIZE = 12
NO_LETTER = "\uffff"
"""No font has it: what is drawn in its place is drawn for every letter that a font lacks."""


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib: Latin with every accent, Greek, Cyrillic and more."""
    found = importlib.util.find_spec("matplotlib")
    assert found is not None
    assert found.origin is not None
    return ImageFont.truetype(Path(found.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf", size)


def label_of(class_id: int, classes: ClassList, longest: float) -> str:
    """A class's name, cut to ``longest`` pixels with an ellipsis; ``class 3`` where the font lacks a letter of it."""
    pen, name = font(SIZE), classes.names[class_id]
    if any(_drawn(letter) == _drawn(NO_LETTER) for letter in name):
        name = f"class {class_id}"
    if pen.getlength(name) <= longest:
        return name
    while name and pen.getlength(f"{name}…") > longest:
        name = name[:-1]
    return f"{name}…"


@cache
def _drawn(letter: str) -> bytes:
    return bytes(font(SIZE).getmask(letter))


def legend(class_ids: Sequence[int], classes: ClassList, width: int) -> Image8:
    """Colours and names of some classes, RGB, ``width`` pixels wide and as high as all of them need."""
    names = [label_of(class_id, classes, width - SWATCH - 5 - 2 * GAP) for class_id in class_ids]
    places, rows = _places([SWATCH + 5 + round(font(SIZE).getlength(name)) for name in names], width)
    sheet = Image.new("RGB", (width, ROW * rows + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for class_id, name, (left, row) in zip(class_ids, names, places, strict=True):
        top = ROW * row + GAP // 2
        draw.rectangle((left, top + 2, left + SWATCH, top + 2 + SWATCH), classes.colours[class_id], INK)
        draw.text((left + SWATCH + 5, top + 2 + SWATCH / 2), name, INK, font(SIZE), anchor="lm")
    return np.asarray(sheet)


def _places(widths: Sequence[int], room: int) -> tuple[list[tuple[int, int]], int]:
    """Left edge and row of each thing, set out from left to right; the number of rows."""
    places: list[tuple[int, int]] = []
    left, row = GAP, 0
    for wide in widths:
        if left > GAP and left + wide > room - GAP:
            left, row = GAP, row + 1
        places.append((left, row))
        left += wide + SWATCH
    return places, row + 1
