"""Everything that is measured of one method on one data set."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from factory.core.classes import IGNORE, ClassList
from factory.measure.boundary import Boundaries
from factory.measure.calibration import Reliability
from factory.measure.iou import Confusion, Ids, or_none


class Scores:
    """Areas, boundaries and confidence, counted together over the whole data set.

    Pixels that were left undecided (the ignore index) are no errors: they lower the coverage, the share of the pixels
    with a truth that were decided, and count nowhere else.
    """

    def __init__(self, classes: int) -> None:
        self.confusion, self.boundaries = Confusion(classes), Boundaries(classes)
        self.reliability = Reliability()
        self.known = 0

    def add(self, truth_hw: Ids, guess_hw: Ids, confidence_hw: npt.NDArray[np.uint8] | None = None) -> None:
        """Count one picture; confidence, where it is stated, is probability times 255."""
        self.known += int((truth_hw != IGNORE).sum())
        judged_hw = np.where(guess_hw == IGNORE, IGNORE, truth_hw)
        self.confusion.add(judged_hw, guess_hw)
        self.boundaries.add(judged_hw, guess_hw)
        if confidence_hw is not None:
            self.reliability.add(truth_hw, guess_hw, confidence_hw / 255)

    def figures(self, classes: ClassList) -> dict[str, Any]:
        """The figures of all, ready for JSON, each class's in one place; what nobody can state is None."""
        areas, lines = self.confusion.figures(classes), self.boundaries.figures(classes)
        by_class = {name: row | lines["by_class"][name] for name, row in areas["by_class"].items()}
        return {
            **areas,
            "boundary_iou": lines["boundary_iou"],
            "coverage": self.confusion.counts_kk.sum().item() / self.known if self.known else None,
            "ece": or_none(self.reliability.ece()),
            "by_class": by_class,
        }
