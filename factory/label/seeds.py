"""Points and scribbles as they are: nothing is spread, every other pixel stays unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from factory.core.picture import Picture
from factory.label import Scores, unknown


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """For segmenters that learn across images from the pixels a person named alone (partial cross-entropy)."""

    def __call__(self, given: Picture, classes: int) -> Scores:
        """Certain at points and scribbles, uniform elsewhere; see `factory.label.Labeler`."""
        scores_khw = unknown(given, classes)
        rows, columns, ids = given.seeds
        scores_khw[:, rows, columns] = np.arange(classes)[:, None] == ids
        return scores_khw
