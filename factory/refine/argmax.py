"""The likeliest class of each pixel by itself: what every other refiner has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from factory.refine import Confidence, Mask
from factory.refine.checks import check_scores


@dataclass(frozen=True, kw_only=True)
class Argmax:
    """No regard to the image."""

    def __call__(
        self, image_hwc: npt.NDArray[np.uint8], scores_khw: npt.NDArray[np.float32]
    ) -> tuple[Mask, Confidence]:
        """See `factory.refine.Refiner`; the lowest class id wins a tie."""
        check_scores(image_hwc, scores_khw)
        mask_hw = scores_khw.argmax(axis=0).astype(np.uint8)
        return mask_hw, scores_khw.max(axis=0).clip(0, 1)
