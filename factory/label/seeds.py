"""Points as they are: nothing is spread, every other pixel stays unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from factory.core.sample import Hints
from factory.label import Scores


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """For segmenters that learn across images from the clicked pixels alone (partial cross-entropy)."""

    def __call__(self, image_hwc: npt.NDArray[np.uint8], hints: Hints, classes: int) -> Scores:
        """Certain at points, uniform elsewhere; see `factory.label.Labeler`."""
        scores_khw = np.full((classes, *image_hwc.shape[:2]), 1 / classes, np.float32)
        for x, y, class_id in hints.points:
            scores_khw[:, y, x] = np.arange(classes) == class_id
        return scores_khw
