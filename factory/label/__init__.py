"""From weak hints to class scores: one labeler a kind of hint."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from factory.core.sample import Hints

Scores = npt.NDArray[np.float32]


class Labeler(Protocol):
    """Spreads what is said of a few pixels over the image."""

    def __call__(self, image_hwc: npt.NDArray[np.uint8], hints: Hints, classes: int) -> Scores:
        """Class probabilities, shape (classes, height, width), summing to 1 over the classes; uniform means unknown."""
