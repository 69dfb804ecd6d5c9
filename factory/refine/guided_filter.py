"""Guided filter (He, Sun & Tang, ECCV 2010) on the scores, the picture as guide, by kornia."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from kornia.filters import guided_blur
from torch import Tensor

from factory.core.errors import ConfigError
from factory.refine import Confidence, Mask
from factory.refine.checks import check_count, check_positive
from factory.refine.tensors import FLOOR, decide, normalised

MOST_RADIUS = 1000
"""Pixels: memory grows with the square of what lies around the picture."""


@dataclass(frozen=True, kw_only=True)
class GuidedFilter:
    """Each class's scores as a locally linear function of the colours, equations 14-16 (colour guide).

    ``radius`` of the window in pixels; ``epsilon`` is the variance, of colours 0-1, below which a window counts as
    flat. At the border the picture goes on as its last pixel, where the paper lets windows shrink: that differs within
    two radii of the border. What falls outside 0-1 is cut off. The linear functions are found on every ``subsample``-th
    row and column and spread from there (He & Sun, "Fast Guided Filter", 2015). Needs about 80 bytes a pixel and class.
    """

    RANGES: ClassVar[dict[str, str]] = {"radius": "logint:4:64", "epsilon": "log:1e-5:0.1"}

    radius: int
    epsilon: float
    subsample: int

    def __post_init__(self) -> None:
        check_count(self, "radius")
        if self.radius > MOST_RADIUS:
            raise ConfigError("refiner.radius is too large", got=self.radius, expected=f"up to {MOST_RADIUS} pixels")
        check_positive(self, "epsilon", "subsample")

    def __call__(
        self, image_hwc: npt.NDArray[np.uint8], scores_khw: npt.NDArray[np.float32]
    ) -> tuple[Mask, Confidence]:
        """See `factory.refine.Refiner`."""
        return decide(self.posterior, image_hwc, scores_khw)

    def posterior(self, images_nchw: Tensor, scores_nkhw: Tensor) -> Tensor:
        """See `factory.refine.tensors.Posterior`."""
        filtered_nkhw: Tensor = guided_blur(
            images_nchw.float() / 255,
            scores_nkhw,
            2 * self.radius + 1,
            self.epsilon,
            border_type="replicate",
            subsample=self.subsample,
            separable=True,
        )
        return normalised(filtered_nkhw.clamp(min=FLOOR))
