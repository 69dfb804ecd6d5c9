"""What an annotator is asked about at a time: superpixels, or connected segments of the prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from skimage.measure import label

from factory.core.errors import ConfigError
from factory.core.superpixels import superpixels


class Regions(Protocol):
    """Divides an image into regions."""

    def __call__(self, image_hwc: npt.NDArray[np.uint8], proposal_hw: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
        """Region numbers from 1, shape (height, width); every pixel belongs to one."""


@dataclass(frozen=True, kw_only=True)
class Superpixels:
    """SLIC superpixels (Achanta et al. 2012) of ``area`` pixels on average."""

    area: int
    compactness: float

    def __post_init__(self) -> None:
        if self.area < 1 or self.compactness <= 0:
            raise ConfigError("regions.area and compactness must be positive", got=f"{self.area}, {self.compactness}")

    def __call__(self, image_hwc: npt.NDArray[np.uint8], proposal_hw: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
        """See `Regions`; the prediction does not matter."""
        del proposal_hw
        return superpixels(image_hwc, self.area, self.compactness) + 1


@dataclass(frozen=True, kw_only=True)
class Segments:
    """Connected areas of one predicted class."""

    def __call__(self, image_hwc: npt.NDArray[np.uint8], proposal_hw: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
        """See `Regions`; the image does not matter."""
        del image_hwc
        return np.asarray(label(proposal_hw.astype(np.int32) + 1, connectivity=1), np.intp)  # type: ignore[no-untyped-call]
