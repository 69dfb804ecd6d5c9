"""One strip a picture for people: photograph, truth, prediction and errors side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from factory.core import masks
from factory.core.classes import IGNORE, ClassList
from factory.measure.legend import GAP, INK, PAPER, SIZE, font, legend

Image8 = npt.NDArray[np.uint8]
Panel = tuple[str, Image8]
RIGHT, WRONG, UNKNOWN, OPEN = (58, 160, 92), (226, 60, 52), (128, 128, 128), (70, 110, 230)
HEADING = 22
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
        (f"errors: {error_share(truth_hw, guess_hw)}", errors(image_hwc, truth_hw, guess_hw)),
    ]


def _sheet(panels: Sequence[Panel], truth_hw: Image8, guess_hw: Image8, classes: ClassList) -> Image8:
    """Captioned panels in a row, all brought to one size, and the classes of both masks below, RGB."""
    factor = max(1, -(-SHORTEST // min(truth_hw.shape)))
    width, height = truth_hw.shape[1] * factor, truth_hw.shape[0] * factor
    wide = len(panels) * (width + GAP) + GAP
    below_hwc = legend(in_sight(truth_hw, guess_hw), classes, wide)
    sheet = Image.new("RGB", (wide, HEADING + height + GAP + len(below_hwc)), PAPER)
    draw = ImageDraw.Draw(sheet)
    for column, (caption, panel_hwc) in enumerate(panels):
        left = GAP + column * (width + GAP)
        draw.text((left, HEADING // 2), caption, INK, font(SIZE), anchor="lm")
        sheet.paste(Image.fromarray(panel_hwc).resize((width, height), Image.Resampling.NEAREST), (left, HEADING))
    sheet.paste(Image.fromarray(below_hwc), (0, HEADING + height + GAP))
    return np.asarray(sheet)


def errors(image_hwc: Image8, truth_hw: Image8, guess_hw: Image8) -> Image8:
    """The photograph in grey: right pixels green, wrong ones red, unlabelled ones blue, those without truth plain."""
    verdict = np.where(guess_hw == IGNORE, 3, (truth_hw != guess_hw).astype(np.uint8))
    verdict[truth_hw == IGNORE] = 2
    tint_hwc = np.array([RIGHT, WRONG, UNKNOWN, OPEN], np.float32)[verdict]
    opacity_hw1 = np.array([0.25, 0.75, 0.5, 0.4], np.float32)[verdict][..., None]
    grey_hw1 = image_hwc.mean(axis=2, keepdims=True)
    return np.asarray((grey_hw1 * (1 - opacity_hw1) + tint_hwc * opacity_hw1).round(), np.uint8)


def error_share(truth_hw: Image8, guess_hw: Image8) -> str:
    """The share of wrong pixels among those that have a truth and a label, and of these without a label."""
    known = truth_hw != IGNORE
    if not known.any():
        return "no truth"
    counted = known & (guess_hw != IGNORE)
    wrong = f"{100 * np.mean(truth_hw[counted] != guess_hw[counted]):.1f} %" if counted.any() else "nothing labelled"
    return (
        wrong if counted.all(where=known) else f"{wrong}; {100 * (1 - counted.sum() / known.sum()):.0f} % open (blue)"
    )


def in_sight(*ids: Image8) -> Sequence[int]:
    """The classes that masks hold, ascending."""
    present = np.bincount(np.concatenate([one.ravel() for one in ids]), minlength=256) > 0
    return [int(i) for i in np.flatnonzero(present) if i != IGNORE]
