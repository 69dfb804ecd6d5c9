"""Scores averaged over superpixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from factory.core.errors import ConfigError
from factory.core.superpixels import means_of, superpixels
from factory.refine import Confidence, Mask
from factory.refine.checks import check_positive, check_scores


@dataclass(frozen=True, kw_only=True)
class SuperpixelVote:
    """Every pixel's probabilities are blended with the mean of its superpixel's, which counts ``share``.

    ``area`` is the pixels a superpixel has on average, ``compactness`` in CIELAB units (`factory.core.superpixels`).
    """

    RANGES: ClassVar[dict[str, str]] = {"area": "logint:32:1024", "share": "float:0.3:1"}

    area: int
    compactness: float
    share: float

    def __post_init__(self) -> None:
        check_positive(self, "area", "compactness")
        if not 0 <= self.share <= 1:
            raise ConfigError("refiner.share is a share", got=self.share, expected="0 to 1")

    def __call__(
        self, image_hwc: npt.NDArray[np.uint8], scores_khw: npt.NDArray[np.float32]
    ) -> tuple[Mask, Confidence]:
        """See `factory.refine.Refiner`."""
        check_scores(image_hwc, scores_khw)
        segments_hw = superpixels(image_hwc, self.area, self.compactness)
        mean_ks = means_of(segments_hw, scores_khw).astype(np.float32).T
        blended_khw = np.empty(scores_khw.shape, np.float32)
        for class_khw, class_hw, mean_s in zip(blended_khw, scores_khw, mean_ks, strict=True):
            class_khw[:] = self.share * mean_s[segments_hw] + (1 - self.share) * class_hw
        blended_khw /= np.maximum(blended_khw.sum(axis=0), np.finfo(np.float32).tiny)
        return blended_khw.argmax(axis=0).astype(np.uint8), blended_khw.max(axis=0).clip(0, 1)
