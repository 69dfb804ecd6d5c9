"""The classical peer: a global threshold and filled holes, nothing learnt and nothing tuned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_fill_holes
from skimage.color import rgb2gray
from skimage.filters import threshold_otsu

from factory.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Otsu:
    """Otsu's threshold on the grey image, then hole filling.

    ``bright`` says on which side the objects are; they get ``class_id``, the rest 0.
    Source: Otsu, A threshold selection method from gray-level histograms (1979).
    """

    bright: bool = True
    class_id: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.class_id <= 254:
            raise ConfigError("peer.class_id must be a class id above 0", got=self.class_id)

    @property
    def ids(self) -> tuple[int, ...]:
        """The classes that it tells apart."""
        return 0, self.class_id

    def __call__(self, image_hwc: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Class ids, shape (height, width); an image of one grey has no objects."""
        grey_hw = np.rint(255 * rgb2gray(image_hwc)).astype(np.uint8)
        if grey_hw.min() == grey_hw.max():
            return np.zeros(grey_hw.shape, np.uint8)
        threshold = float(threshold_otsu(grey_hw))  # type: ignore[no-untyped-call]
        objects_hw = grey_hw > threshold if self.bright else grey_hw <= threshold
        filled_hw = np.asarray(binary_fill_holes(objects_hw), np.uint8)
        return filled_hw * np.uint8(self.class_id)
