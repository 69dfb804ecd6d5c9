"""The confusion matrix as a picture: what each class was taken for, in per cent of its true pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from factory.core.classes import ClassList
from factory.measure.legend import INK, PAPER, SIZE, font, label_of
from factory.measure.pictures import RIGHT, WRONG, Image8

CELL, GAP, SWATCH = 40, 12, 12
LONGEST = 190
SOFT = (110, 116, 124)
EMPTY = (236, 236, 233)


@dataclass(frozen=True)
class _Layout:
    """Where things are: names take ``names`` pixels at the left and at the top, counts ``counts`` at the right."""

    classes: int
    names: int
    counts: int
    heading: int = 62

    @property
    def corner(self) -> tuple[int, int]:
        return GAP + self.names + GAP, self.heading + self.names + GAP

    @property
    def size(self) -> tuple[int, int]:
        left, top = self.corner
        return left + self.classes * CELL + GAP + self.counts + GAP, top + self.classes * CELL + GAP

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        left, top = self.corner[0] + column * CELL, self.corner[1] + row * CELL
        return left, top, left + CELL - 2, top + CELL - 2


def draw(counts_kk: npt.NDArray[np.int64], classes: ClassList) -> Image8:
    """RGB picture of a confusion matrix [truth, prediction]: a row a true class, each row 100 per cent.

    Right pixels are green on the diagonal, confusions red, the stronger the more. A class without truth has an empty
    row.
    """
    plain = font(SIZE)
    names = [label_of(k, classes, LONGEST) for k in range(len(classes))]
    longest = int(max(plain.getlength(name) for name in names)) + SWATCH + 6
    totals = [f"{total:,}" for total in counts_kk.sum(axis=1).tolist()]
    counted = int(max(plain.getlength(text) for text in ["true pixels", *totals]))
    layout = _Layout(classes=len(names), names=longest, counts=counted)
    sheet = Image.new("RGB", (max(layout.size[0], 470), layout.size[1]), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, GAP), "What each class was taken for", INK, font(14))
    pen.text((GAP, GAP + 22), "rows: the truth, columns: the prediction, per cent of the row", SOFT, plain)
    for k, name in enumerate(names):
        _name_row(pen, layout, k, name, totals[k], classes.colours[k])
        _name_column(sheet, layout, k, name, classes.colours[k])
    pen.text((layout.size[0] - GAP, layout.corner[1] - 8), "true pixels", SOFT, plain, anchor="rs")
    for row, column in np.ndindex(counts_kk.shape):
        _cell(pen, layout, (row, column), counts_kk)
    return np.asarray(sheet)


def _name_row(
    pen: ImageDraw.ImageDraw, layout: _Layout, k: int, name: str, total: str, colour: tuple[int, int, int]
) -> None:
    _, top, right, bottom = layout.box(k, layout.classes - 1)
    middle = (top + bottom) // 2
    end = layout.corner[0] - GAP
    pen.rectangle((end - SWATCH, middle - SWATCH // 2, end, middle + SWATCH // 2), colour, INK)
    pen.text((end - SWATCH - 6, middle), name, INK, font(SIZE), anchor="rm")
    pen.text((right + GAP + layout.counts, middle), total, SOFT, font(SIZE), anchor="rm")


def _name_column(sheet: Image.Image, layout: _Layout, k: int, name: str, colour: tuple[int, int, int]) -> None:
    """Written upwards, ending at the matrix."""
    strip = Image.new("RGB", (layout.names, 20), PAPER)
    pen = ImageDraw.Draw(strip)
    pen.rectangle((0, 10 - SWATCH // 2, SWATCH, 10 + SWATCH // 2), colour, INK)
    pen.text((SWATCH + 6, 10), name, INK, font(SIZE), anchor="lm")
    left, top, right, _ = layout.box(0, k)
    upright = strip.transpose(Image.Transpose.ROTATE_90)
    sheet.paste(upright, ((left + right) // 2 - 10, top - GAP - layout.names))


def _cell(pen: ImageDraw.ImageDraw, layout: _Layout, place: tuple[int, int], counts_kk: npt.NDArray[np.int64]) -> None:
    row, column = place
    box = layout.box(row, column)
    share = int(counts_kk[row, column]) / max(1, int(counts_kk[row].sum()))
    tint = np.array(RIGHT if row == column else WRONG)
    opacity = 0.02 + 0.98 * share**0.75 if share else 0.0
    fill = (np.array(EMPTY) * (1 - opacity) + tint * opacity).round().astype(int)
    pen.rectangle(box, (int(fill[0]), int(fill[1]), int(fill[2])))
    if share:
        ink = PAPER if opacity > 0.6 else INK
        pen.text(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), percent(share), ink, font(SIZE), anchor="mm")


def percent(share: float) -> str:
    """Whole per cent in three characters; a little is never shown as nothing, nor nearly all as all."""
    said = f"{100 * share:.0f}"
    if said == "0":
        return "<1"
    return ">99" if said == "100" and share < 1 else said
