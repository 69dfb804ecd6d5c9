"""Everything that is measured of one method on one data set."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from factory.core.classes import IGNORE, ClassList
from factory.measure.boundary import Boundaries, beside, width_of
from factory.measure.calibration import Reliability
from factory.measure.iou import Confusion, Ids, mean, or_none


class Scores:
    """Areas, boundaries and confidence, counted together over the whole data set.

    Pixels that were left undecided (the ignore index) are no errors: they lower the coverage, the share of the pixels
    with a truth that were decided, and count nowhere else.
    """

    def __init__(self, classes: int) -> None:
        self.confusion, self.boundaries = Confusion(classes), Boundaries(classes)
        self.reliability, self.at_boundary = Reliability(), Reliability()
        self.reliability_k = [Reliability() for _ in range(classes)]
        self.known = 0

    def add(self, truth_hw: Ids, guess_hw: Ids, confidence_hw: npt.NDArray[np.uint8] | None = None) -> None:
        """Count one picture; confidence, where it is stated, is probability times 255."""
        self.known += int((truth_hw != IGNORE).sum())
        judged_hw = np.where(guess_hw == IGNORE, IGNORE, truth_hw)
        self.confusion.add(judged_hw, guess_hw)
        self.boundaries.add(judged_hw, guess_hw)
        if confidence_hw is not None:
            self._count_confidence(np.asarray(truth_hw, np.uint8), guess_hw, confidence_hw / 255)

    def figures(self, classes: ClassList) -> dict[str, Any]:
        """The figures of all, ready for JSON, each class's in one place; what nobody can state is None."""
        areas, lines = self.confusion.figures(classes), self.boundaries.figures(classes)
        ece_k = np.array([seen.ece() for seen in self.reliability_k])
        by_class = {
            name: row | lines["by_class"][name] | {"ece": or_none(ece)}
            for (name, row), ece in zip(areas["by_class"].items(), ece_k, strict=True)
        }
        return {
            **areas,
            "boundary_iou": lines["boundary_iou"],
            "coverage": self.confusion.counts_kk.sum().item() / self.known if self.known else None,
            "ece": or_none(self.reliability.ece()),
            "class_ece": or_none(mean(ece_k)),
            "boundary_ece": or_none(self.at_boundary.ece()),
            "aurc": or_none(self.reliability.aurc()),
            "ause": or_none(self.reliability.ause()),
            "by_class": by_class,
            "confidence": self.reliability.as_json(),
        }

    def _count_confidence(
        self, truth_hw: npt.NDArray[np.uint8], guess_hw: Ids, confidence_hw: npt.NDArray[np.float64]
    ) -> None:
        """All pixels, those of each class as it was guessed, and those beside the true boundaries between classes."""
        self.reliability.add(truth_hw, guess_hw, confidence_hw)
        beside_hw = beside(truth_hw, width_of(truth_hw))
        self.at_boundary.add(truth_hw[beside_hw], guess_hw[beside_hw], confidence_hw[beside_hw])
        for class_id, seen in enumerate(self.reliability_k):
            here_hw = guess_hw == class_id
            seen.add(truth_hw[here_hw], guess_hw[here_hw], confidence_hw[here_hw])
