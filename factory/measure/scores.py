"""Everything that is measured of one method on one data set."""

from __future__ import annotations

from typing import Any

from factory.core.classes import ClassList
from factory.measure.boundary import Boundaries
from factory.measure.iou import Confusion, Ids


class Scores:
    """Areas and boundaries, counted together over the whole data set."""

    def __init__(self, classes: int) -> None:
        self.confusion, self.boundaries = Confusion(classes), Boundaries(classes)

    def add(self, truth_hw: Ids, guess_hw: Ids) -> None:
        """Count one picture; predictions must be class ids wherever the truth is one."""
        self.confusion.add(truth_hw, guess_hw)
        self.boundaries.add(truth_hw, guess_hw)

    def figures(self, classes: ClassList) -> dict[str, Any]:
        """The figures of both, ready for JSON, each class's in one place."""
        areas, lines = self.confusion.figures(classes), self.boundaries.figures(classes)
        by_class = {name: row | lines["by_class"][name] for name, row in areas["by_class"].items()}
        return {**areas, "boundary_iou": lines["boundary_iou"], "by_class": by_class}
