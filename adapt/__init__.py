"""Making rendered images look like the real ones, masks untouched: one adapter a file.

`adapt` may use `factory`; `factory` reaches `adapt` only through a `_target_` of the configuration.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Image8 = npt.NDArray[np.uint8]


class Adapter(Protocol):
    """Changes how an image looks, never what stands where."""

    def __call__(self, image_hwc: Image8, reference_hwc: Image8, rng: np.random.Generator) -> Image8:
        """The rendered image in the manner of the real one (any size); shape and dtype stay."""
