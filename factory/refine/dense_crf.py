"""Fully connected CRF (Krähenbühl & Koltun 2011), by pydensecrf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydensecrf import densecrf

from factory.refine import Confidence, Mask
from factory.refine.checks import check_count, check_positive, check_scores

FLOOR = 1e-6
"""Smallest probability taken: a score of 0 would be an unary no neighbour can overrule."""


@dataclass(frozen=True, kw_only=True)
class DenseCrf:
    """Mean field over a Gaussian (smoothness) and a bilateral (appearance) kernel, equation 3 of the paper.

    ``*_sxy`` are in pixels, ``bilateral_srgb`` in grey levels 0-255, ``*_compat`` weigh the kernels (Potts).
    """

    RANGES: ClassVar[dict[str, str]] = {
        "spatial_compat": "float:0:10",
        "bilateral_sxy": "log:10:120",
        "bilateral_srgb": "log:3:20",
        "bilateral_compat": "log:1:20",
    }

    iterations: int
    spatial_sxy: float
    spatial_compat: float
    bilateral_sxy: float
    bilateral_srgb: float
    bilateral_compat: float

    def __post_init__(self) -> None:
        check_count(self, "iterations")
        check_positive(self, "spatial_sxy", "bilateral_sxy", "bilateral_srgb")

    def __call__(
        self, image_hwc: npt.NDArray[np.uint8], scores_khw: npt.NDArray[np.float32]
    ) -> tuple[Mask, Confidence]:
        """See `factory.refine.Refiner`."""
        check_scores(image_hwc, scores_khw)
        classes, height, width = scores_khw.shape
        field = densecrf.DenseCRF2D(width, height, classes)
        unary = -np.log(np.clip(scores_khw, FLOOR, 1)).reshape(classes, -1)
        field.setUnaryEnergy(np.ascontiguousarray(unary, np.float32))
        field.addPairwiseGaussian(sxy=self.spatial_sxy, compat=self.spatial_compat)
        field.addPairwiseBilateral(
            sxy=self.bilateral_sxy,
            srgb=self.bilateral_srgb,
            rgbim=np.ascontiguousarray(image_hwc),
            compat=self.bilateral_compat,
        )
        posterior_khw = np.asarray(field.inference(self.iterations), np.float32).reshape(scores_khw.shape)
        return posterior_khw.argmax(axis=0).astype(np.uint8), np.clip(posterior_khw.max(axis=0), 0, 1)
