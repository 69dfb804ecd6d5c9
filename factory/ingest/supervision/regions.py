"""What a person sees as one thing: a connected part of a class, and how deep inside it each pixel lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.measure import label

from factory.core.classes import IGNORE
from factory.core.masks import inner_border

Map8 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Region:
    """A connected part of a class: ``window`` bounds it, ``inside_hw`` says which pixels of the window are its own."""

    class_id: int
    window: tuple[slice, slice]
    inside_hw: Bools


def numbered(mask_hw: Map8) -> tuple[Numbers, Numbers, Numbers]:
    """Each pixel's region from 1, 0 where the mask ignores; and, by that number, the regions' class ids and pixels."""
    numbers_hw: Numbers = label(mask_hw, background=IGNORE, connectivity=2)  # type: ignore[no-untyped-call]
    pixels_r = np.bincount(numbers_hw.ravel())
    class_r = np.full(len(pixels_r), IGNORE, np.intp)
    class_r[numbers_hw.ravel()] = mask_hw.ravel()
    return numbers_hw, class_r, pixels_r


def regions(mask_hw: Map8, least: int) -> Iterator[Region]:
    """The regions of at least so many pixels, in reading order of their first pixels."""
    numbers_hw, class_r, pixels_r = numbered(mask_hw)
    for number, window in enumerate(ndimage.find_objects(numbers_hw), start=1):
        if pixels_r[number] >= least:
            yield Region(class_id=int(class_r[number]), window=window, inside_hw=numbers_hw[window] == number)


def depths(mask_hw: Map8, *, frame: bool = True) -> Floats:
    """Pixels from each pixel to the nearest that is not of its region, 1 beside it; beyond the ``frame`` lie none.

    Without the frame only other regions count, and what the mask ignores.
    """
    rim_hw = inner_border(mask_hw)
    if frame:
        rim_hw[[0, -1]] = rim_hw[:, [0, -1]] = True
    return np.asarray(cv2.distanceTransform((~rim_hw).astype(np.uint8), cv2.DIST_L2, 5) + 1, np.float32)
