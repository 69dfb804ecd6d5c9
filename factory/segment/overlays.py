"""A prediction for people: class colours over the photograph, the classes in sight below."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from factory.core import masks
from factory.core.classes import ClassList
from factory.measure.legend import legend
from factory.measure.pictures import in_sight
from factory.segment.data import resize_image

Image8 = npt.NDArray[np.uint8]
SHORTEST, LONGEST = 240, 2048
"""Pixels of a side: smaller pictures are enlarged by whole factors, larger ones shrunk."""


def overlay(image_hwc: Image8, mask_hw: Image8, classes: ClassList) -> Image8:
    """The picture with its classes laid over it, RGB, and their names below."""
    size_hw = _shown(mask_hw.shape[0], mask_hw.shape[1])
    shown_hw = np.asarray(Image.fromarray(mask_hw).resize(size_hw[::-1], Image.Resampling.NEAREST))
    drawn_hwc = masks.overlay(resize_image(image_hwc, size_hw), shown_hw, classes)
    below_hwc = legend(in_sight(shown_hw), classes, size_hw[1])
    return np.concatenate([drawn_hwc, below_hwc])


def _shown(height: int, width: int) -> tuple[int, int]:
    factor = min(float(max(1, -(-SHORTEST // min(height, width)))), LONGEST / max(height, width))
    return max(round(factor * height), 1), max(round(factor * width), 1)
