"""Fully connected CRF (Krähenbühl & Koltun 2011), by pydensecrf."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydensecrf import densecrf

from factory.refine import Confidence, Mask
from factory.refine.checks import check_scores
from factory.refine.kernels import Kernels

FLOOR = 1e-6
"""Smallest probability taken: a score of 0 would be an unary no neighbour can overrule."""


@dataclass(frozen=True, kw_only=True)
class DenseCrf(Kernels):
    """Mean field over both kernels, by filtering on a permutohedral lattice."""

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
