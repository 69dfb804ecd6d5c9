"""Boundary IoU: overlap of the bands along class boundaries, which thin and small things decide, not large areas."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from factory.core.classes import IGNORE, ClassList
from factory.measure.iou import Floats, Ids, mean, or_none, ratio

Bool = npt.NDArray[np.bool_]
REACH = 0.02
"""Width of a band, a share of the picture's diagonal."""


@dataclass
class Boundaries:
    """Pixels of the bands by class, summed over pictures: in truth, in prediction, and in both.

    A class's band are its pixels at most ``reach`` times the picture's diagonal (at least one pixel) away from another
    class or from the picture's edge, counted in steps to any of the eight neighbours. Ignored pixels are taken out of
    truth and prediction alike: they are counted nowhere, and what they adjoin is no boundary, for nobody knows what is
    there.

    Source: Cheng et al., Boundary IoU: improving object-centric image segmentation evaluation (2021), equation 1; on
    data sets without ignored pixels the figures are theirs, with class regions for instances.
    """

    classes: int
    reach: float = REACH
    truth_k: npt.NDArray[np.int64] = field(init=False)
    guess_k: npt.NDArray[np.int64] = field(init=False)
    both_k: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.truth_k, self.guess_k, self.both_k = (np.zeros(self.classes, np.int64) for _ in range(3))

    def add(self, truth_hw: Ids, guess_hw: Ids) -> None:
        """Count one picture's bands; predictions must be class ids wherever the truth is one."""
        known_hw = np.asarray(truth_hw, np.uint8)
        found_hw = np.where(known_hw == IGNORE, IGNORE, guess_hw).astype(np.uint8)
        width = width_of(known_hw, self.reach)
        in_truth_hw, in_guess_hw = band(known_hw, width), band(found_hw, width)
        self.truth_k += self._count(known_hw[in_truth_hw])
        self.guess_k += self._count(found_hw[in_guess_hw])
        self.both_k += self._count(known_hw[in_truth_hw & in_guess_hw & (known_hw == found_hw)])

    def iou(self) -> Floats:
        """Boundary IoU by class; NaN for a class with no band on either side."""
        return ratio(self.both_k.astype(np.float64), (self.truth_k + self.guess_k - self.both_k).astype(np.float64))

    def miou(self) -> float:
        """Mean over the classes that have one; NaN before any pixel."""
        return mean(self.iou())

    def figures(self, classes: ClassList) -> dict[str, Any]:
        """The mean and every class's, ready for JSON: NaN as None."""
        named = zip(classes.names, self.iou(), strict=True)
        return {
            "boundary_iou": or_none(self.miou()),
            "by_class": {name: {"boundary_iou": or_none(value)} for name, value in named},
        }

    def _count(self, ids: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        return np.bincount(ids, minlength=self.classes)


def width_of(ids_hw: npt.NDArray[np.uint8], reach: float = REACH) -> int:
    """Pixels that a band is wide in a picture: at least one."""
    return max(1, round(reach * float(np.hypot(*ids_hw.shape))))


def band(ids_hw: npt.NDArray[np.uint8], width: int) -> Bool:
    """Which pixels of a class map lie in the band of their class, or at the edge; ignored ones never do."""
    found_hw = beside(ids_hw, width)
    for rim in (np.s_[:width], np.s_[-width:], np.s_[:, :width], np.s_[:, -width:]):
        found_hw[rim] = ids_hw[rim] != IGNORE
    return found_hw


def beside(ids_hw: npt.NDArray[np.uint8], width: int) -> Bool:
    """Which pixels of a class map have another class at most ``width`` steps away; ignored ones never do.

    One look at all classes: a pixel whose neighbourhood holds nothing above and nothing below its own id has none.
    """
    kernel = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    known_hw = ids_hw != IGNORE
    highest_hw = cv2.dilate(np.where(known_hw, ids_hw, 0).astype(np.uint8), kernel)
    lowest_hw = cv2.erode(ids_hw, kernel)  # IGNORE is the highest value there is
    return np.asarray(known_hw & ((highest_hw != ids_hw) | (lowest_hw != ids_hw)))
