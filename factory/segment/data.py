"""What training reads: rows of data sets, and a picture with what is known of each of its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from factory.core import masks
from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError
from factory.core.sample import TRUSTED, Origin, Sample, Split, Supervision

Image8 = npt.NDArray[np.uint8]
Size = tuple[int, int]
LEAST_SIDE = 16
"""Pixels below which no side of a picture is worth working at."""

SPARSE = 0.02
"""Share of labelled pixels below which a mask counts as points or strokes."""

CLASS, CONFIDENCE, SOURCE = range(3)
"""Channels of a label: class id or ignore, confidence of 255, `Origin` code."""

PADDING = 254
"""What stands for the margin around a small picture where a label's source is expected: nothing is to be seen there."""

ORIGINS = {
    Supervision.EXACT: Origin.EXACT,
    Supervision.HUMAN: Origin.HUMAN,
    Supervision.POINTS: Origin.HINT,
    Supervision.SCRIBBLES: Origin.HINT,
}
"""Where a mask without a map of origins comes from; all other supervision is a pseudo-label."""


class Row(NamedTuple):
    """A sample and the data set it lies in."""

    dataset: Dataset
    sample: Sample


class Pixels(NamedTuple):
    """A picture, RGB (H, W, 3), and its label (H, W, 3): class, confidence and source of each pixel, all 8-bit."""

    image_hwc: Image8
    label_hwc: Image8


def training_rows(dataset: Dataset | None) -> list[Row]:
    """The rows that may be learnt from: split TRAIN, with a mask."""
    samples = dataset.where(split=Split.TRAIN) if dataset else []
    return [Row(dataset, sample) for sample in samples if dataset and sample.mask]


def bare_rows(dataset: Dataset | None) -> list[Row]:
    """The rows of split TRAIN without what is known of them: their pictures alone serve a teacher."""
    samples = dataset.where(split=Split.TRAIN) if dataset else []
    nothing = {"mask": None, "confidence": None, "source": None}
    return [Row(dataset, sample.replace(**nothing)) for sample in samples if dataset]


def validation_rows(given: Dataset | None, *others: Dataset | None) -> list[Row]:
    """The rows to validate on: split VAL with a mask, of ``given``; without it, of the first other that has any.

    The others' masks must be beyond doubt: exact or human.
    """
    if given:
        return [Row(given, sample) for sample in given.where(split=Split.VAL) if sample.mask]
    for dataset in filter(None, others):
        rows = [Row(dataset, sample) for sample in dataset.where(split=Split.VAL) if sample.mask]
        if rows := [row for row in rows if row.sample.supervision in TRUSTED]:
            return rows
    return []


def decode(row: Row, size_hw: Size | None) -> Pixels:
    """Read a row's picture and label at a working size (None: its own).

    Without a mask nothing is known of any pixel. `InputError` for a mask with ids outside the class list.
    """
    image_hwc = row.dataset.image(row.sample)
    label_hwc = _label(row, (image_hwc.shape[0], image_hwc.shape[1]))
    return Pixels(resize_image(image_hwc, size_hw), resize_label(label_hwc, size_hw))


def _label(row: Row, size_hw: Size) -> Image8:
    dataset, sample = row
    label_hwc = np.zeros((*size_hw, 3), np.uint8)
    label_hwc[..., CLASS] = IGNORE
    if sample.mask:
        mask_hw = dataset.mask(sample)
        masks.check_mask(mask_hw, dataset.classes, size_hw, f"{dataset.root}: {sample.id}")
        stated_hw = mask_hw != IGNORE
        label_hwc[..., CLASS] = mask_hw
        label_hwc[..., CONFIDENCE] = dataset.map(sample, "confidence") if sample.confidence else 255 * stated_hw
        origin = ORIGINS.get(sample.supervision, Origin.PSEUDO)
        label_hwc[..., SOURCE] = dataset.map(sample, "source") if sample.source else int(origin) * stated_hw
    return label_hwc


def size_of(key: str, value: Sequence[int] | None) -> Size | None:
    """A configured [height, width]; `ConfigError` naming its key if it is none."""
    if value is None:
        return None
    if len(value) != 2 or min(value) < LEAST_SIDE:
        raise ConfigError(f"{key} is [height, width], {LEAST_SIDE} or more each, or null", got=list(value))
    return int(value[0]), int(value[1])


def resize_image(image_hwc: Image8, size_hw: Size | None) -> Image8:
    """The image at another size, bilinear with antialiasing; None leaves it alone."""
    if size_hw is None or image_hwc.shape[:2] == size_hw:
        return image_hwc
    return np.asarray(Image.fromarray(image_hwc).resize(size_hw[::-1], Image.Resampling.BILINEAR))


def resize_mask(mask_hw: Image8, size_hw: Size | None) -> Image8:
    """The mask at another size; see `resize_label`."""
    return resize_label(mask_hw[..., None], size_hw)[..., 0]


def resize_label(label_hwc: Image8, size_hw: Size | None) -> Image8:
    """The label at another size, nearest; None leaves it alone. Its first channel holds class ids.

    Where hardly a pixel is labelled (points, strokes), nearest lookup would lose most of them: there each labelled
    pixel is carried to the pixel it falls into. What people looked at and left out stays left out.
    """
    if size_hw is None or label_hwc.shape[:2] == size_hw:
        return label_hwc
    height, width = label_hwc.shape[:2]
    rows, columns = np.nonzero(label_hwc[..., CLASS] != IGNORE)
    small_hwc = label_hwc[_nearest(height, size_hw[0])[:, None], _nearest(width, size_hw[1])]
    if len(rows) >= SPARSE * height * width:
        return small_hwc
    small_hwc[small_hwc[..., CLASS] != IGNORE] = 0
    small_hwc[..., CLASS] = IGNORE
    small_hwc[rows * size_hw[0] // height, columns * size_hw[1] // width] = label_hwc[rows, columns]
    return small_hwc


def _nearest(have: int, want: int) -> npt.NDArray[np.int64]:
    """For each pixel of the new side, the old pixel its middle lies in."""
    return (2 * np.arange(want) + 1) * have // (2 * want)
