"""Points and scribbles spread over superpixels that look alike and lie near."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from skimage.color import rgb2lab

from factory.core.errors import ConfigError
from factory.core.picture import Picture
from factory.core.superpixels import means_of, superpixels
from factory.label import Scores, unknown

FLOOR = 1e-3
"""Evidence every class has everywhere, so that a superpixel unlike every point stays near uniform."""


@dataclass(frozen=True, kw_only=True)
class Points:
    """Kernel classification of superpixels.

    The evidence for class c at superpixel s is the sum, over the superpixels that points or scribbles of c touch, of
    exp(-|colour|²/2σc² - |place|²/2σp²) between s and the one touched (a Parzen window, Parzen 1962, on mean CIELAB
    and centroid); evidence normalised over the classes is the probability. ``area`` is the pixels a superpixel has on
    average (SLIC, Achanta et al. 2012), ``colour_sigma`` is in CIELAB units, ``place_sigma`` a share of the image's
    diagonal.
    """

    RANGES: ClassVar[dict[str, str]] = {
        "area": "logint:16:256",
        "colour_sigma": "log:4:40",
        "place_sigma": "log:0.03:0.6",
    }

    area: int
    compactness: float
    colour_sigma: float
    place_sigma: float

    def __post_init__(self) -> None:
        for name in ("area", "compactness", "colour_sigma", "place_sigma"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"labeler.{name} must be positive", got=getattr(self, name))

    def __call__(self, given: Picture, classes: int) -> Scores:
        """See `factory.label.Labeler`. An image without points and scribbles is unknown everywhere."""
        seeds = given.seeds
        if not len(seeds.ids):
            return unknown(given, classes)
        segments_hw, features_sf = self._describe(given.image)
        evidence_sk = np.full((len(features_sf), classes), FLOOR, np.float32)
        touched = np.unique(np.stack([segments_hw[seeds.rows, seeds.columns], seeds.ids], axis=1), axis=0)
        for segment, class_id in touched:
            distance_s = ((features_sf - features_sf[segment]) ** 2).sum(axis=1)
            evidence_sk[:, class_id] += np.exp(-distance_s / 2)
        probability_sk = evidence_sk / evidence_sk.sum(axis=1, keepdims=True)
        return np.ascontiguousarray(probability_sk.T[:, segments_hw])

    def _describe(self, image_hwc: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
        """Superpixel number of each pixel, and each superpixel's features in units of their sigmas."""
        height, width = image_hwc.shape[:2]
        lab_hwc = rgb2lab(image_hwc)
        segments_hw = superpixels(image_hwc, self.area, self.compactness)
        scale = [self.colour_sigma] * 3 + [self.place_sigma * float(np.hypot(height, width))] * 2
        features_sf = means_of(segments_hw, [*np.moveaxis(lab_hwc, -1, 0), *np.mgrid[:height, :width]]) / scale
        return segments_hw, features_sf.astype(np.float32)
