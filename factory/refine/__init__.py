"""From class scores to a mask with confidence: one refiner a file."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]
Confidence = npt.NDArray[np.float32]


class Refiner(Protocol):
    """Decides every pixel's class, with regard to the image."""

    def __call__(
        self, image_hwc: npt.NDArray[np.uint8], scores_khw: npt.NDArray[np.float32]
    ) -> tuple[Mask, Confidence]:
        """Class ids, shape (height, width), and the probability given to each, 0-1."""
