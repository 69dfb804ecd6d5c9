"""One strip a picture for people: photograph, truth, prediction and errors side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from factory.core import masks
from factory.core.classes import IGNORE, ClassList

Image8 = npt.NDArray[np.uint8]
Panel = tuple[str, Image8]
RIGHT, WRONG, UNKNOWN = (58, 160, 92), (226, 60, 52), (128, 128, 128)
PAPER, INK = (250, 250, 248), (34, 34, 34)
HEADING = 22
GAP = 6
SHORTEST = 240


def strip(
    before: Sequence[Panel], image_hwc: Image8, truth_hw: Image8, guess_hw: Image8, classes: ClassList, title: str
) -> Image8:
    """Captioned panels in a row, RGB: some before, then truth, guess and errors; the classes in sight below.

    Small pictures are enlarged.
    """
    panels = [*before, *_judged(image_hwc, truth_hw, guess_hw, classes, title)]
    return _sheet(panels, truth_hw, guess_hw, classes)


def _judged(image_hwc: Image8, truth_hw: Image8, guess_hw: Image8, classes: ClassList, title: str) -> list[Panel]:
    """Truth, guess and errors, each laid over the photograph, with captions."""
    return [
        ("truth", masks.overlay(image_hwc, truth_hw, classes, 0.6)),
        (title, masks.overlay(image_hwc, guess_hw, classes, 0.6)),
        (f"errors: {_error_share(truth_hw, guess_hw)}", errors(image_hwc, truth_hw, guess_hw)),
    ]


def _sheet(panels: Sequence[Panel], truth_hw: Image8, guess_hw: Image8, classes: ClassList) -> Image8:
    """Captioned panels in a row, all brought to one size, and the classes of both masks below, RGB."""
    factor = max(1, -(-SHORTEST // min(truth_hw.shape)))
    width, height = truth_hw.shape[1] * factor, truth_hw.shape[0] * factor
    wide = len(panels) * (width + GAP) + GAP
    sheet = Image.new("RGB", (wide, height + 2 * HEADING + 2 * GAP), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for column, (caption, panel_hwc) in enumerate(panels):
        left = GAP + column * (width + GAP)
        draw.text((left, GAP // 2), caption, INK, font)
        sheet.paste(Image.fromarray(panel_hwc).resize((width, height), Image.Resampling.NEAREST), (left, HEADING))
    legend(draw, font, _in_sight(truth_hw, guess_hw), classes, HEADING + height + GAP, sheet.width)
    return np.asarray(sheet)


def errors(image_hwc: Image8, truth_hw: Image8, guess_hw: Image8) -> Image8:
    """The photograph in grey; right pixels tinted green, wrong ones red, pixels without truth plain grey."""
    verdict = np.where(truth_hw == IGNORE, 2, (truth_hw != guess_hw).astype(np.uint8))
    tint_hwc = np.array([RIGHT, WRONG, UNKNOWN], np.float32)[verdict]
    opacity_hw1 = np.array([0.25, 0.75, 0.5], np.float32)[verdict][..., None]
    grey_hw1 = image_hwc.mean(axis=2, keepdims=True)
    return np.asarray((grey_hw1 * (1 - opacity_hw1) + tint_hwc * opacity_hw1).round(), np.uint8)


def _error_share(truth_hw: Image8, guess_hw: Image8) -> str:
    counted = truth_hw != IGNORE
    return f"{100 * np.mean(truth_hw[counted] != guess_hw[counted]):.1f} %" if counted.any() else "no truth"


def _in_sight(*ids: Image8) -> Sequence[int]:
    present = np.bincount(np.concatenate([one.ravel() for one in ids]), minlength=256) > 0
    return [int(i) for i in np.flatnonzero(present) if i != IGNORE]


def legend(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    class_ids: Sequence[int],
    classes: ClassList,
    top: int,
    right: int,
) -> None:
    """A row of class colours and names from ``top`` pixels down, as many as fit left of ``right``."""
    left = float(GAP)
    for class_id in class_ids:
        wide = 20 + draw.textlength(classes.names[class_id], font=font)
        if left + wide > right:
            return
        draw.rectangle((left, top + 2, left + 12, top + 14), classes.colours[class_id], INK)
        draw.text((left + 17, top), classes.names[class_id], INK, font)
        left += wide + 12
