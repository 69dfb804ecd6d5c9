"""Overlap figures from one confusion matrix, accumulated over the whole data set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from factory.core.classes import IGNORE, ClassList

Ids = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]


@dataclass
class Confusion:
    """``counts_kk[truth, prediction]``: pixels so far. Pixels whose truth is the ignore index are left out."""

    classes: int
    counts_kk: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.counts_kk = np.zeros((self.classes, self.classes), np.int64)

    def add(self, truth: Ids, prediction: Ids) -> None:
        """Count pixels; two arrays of equal shape. Predictions must be class ids wherever the truth is one."""
        counted = truth.ravel() != IGNORE
        flat = truth.ravel()[counted].astype(np.int64) * self.classes + prediction.ravel()[counted]
        self.counts_kk += np.bincount(flat, minlength=self.classes**2).reshape(self.classes, self.classes)

    def iou(self) -> Floats:
        """Intersection over union by class; NaN for a class neither there nor predicted."""
        hits, truth, guess = self._margins()
        return ratio(hits, truth + guess - hits)

    def f1(self) -> Floats:
        """F1 (the Dice coefficient) by class; NaN for a class neither there nor predicted."""
        hits, truth, guess = self._margins()
        return ratio(2 * hits, truth + guess)

    def precision(self) -> Floats:
        """Share of a class's predicted pixels that are it; NaN for a class never predicted."""
        hits, _, guess = self._margins()
        return ratio(hits, guess)

    def recall(self) -> Floats:
        """Share of a class's true pixels that were found; NaN for a class that is not there."""
        hits, truth, _ = self._margins()
        return ratio(hits, truth)

    def miou(self) -> float:
        """Mean IoU over the classes that are there or predicted; NaN before any pixel."""
        return mean(self.iou())

    def mean_f1(self) -> float:
        """Mean F1 over the same classes."""
        return mean(self.f1())

    def pixel_accuracy(self) -> float:
        """Share of pixels given the right class; NaN before any pixel."""
        total = self.counts_kk.sum()
        return float(np.trace(self.counts_kk) / total) if total else float("nan")

    def figures(self, classes: ClassList) -> dict[str, Any]:
        """Every figure, ready for JSON: NaN as None, those by class by name; ``pixels`` are the truth's."""
        columns = {"iou": self.iou(), "f1": self.f1(), "precision": self.precision(), "recall": self.recall()}
        pixels = self.counts_kk.sum(axis=1).tolist()
        return {
            "miou": or_none(self.miou()),
            "pixel_accuracy": or_none(self.pixel_accuracy()),
            "f1": or_none(self.mean_f1()),
            "iou": {name: or_none(value) for name, value in zip(classes.names, self.iou(), strict=True)},
            "by_class": {
                name: {**{column: or_none(values[k]) for column, values in columns.items()}, "pixels": pixels[k]}
                for k, name in enumerate(classes.names)
            },
        }

    def _margins(self) -> tuple[Floats, Floats, Floats]:
        counts = self.counts_kk.astype(np.float64)
        return np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)


def or_none(value: float) -> float | None:
    """A float as JSON can hold it."""
    return None if np.isnan(value) else float(value)


def ratio(part: Floats, whole: Floats) -> Floats:
    """Shares by class; NaN where there is no whole."""
    shares: Floats = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return shares


def mean(values: Floats) -> float:
    """Mean over the classes that have a value; NaN where none has."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
