"""COCO's compressed run lengths of a binary map (column by column), by the reference implementation, pycocotools."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco


def encode(region_hw: npt.NDArray[np.bool_]) -> str:
    """The ``counts`` string of a COCO segmentation."""
    return str(coco.encode(np.asfortranarray(region_hw, np.uint8))["counts"].decode("ascii"))


def decode(counts: str, size_hw: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Inverse of `encode`."""
    with warnings.catch_warnings():  # pycocotools 2.0.11 asks NumPy 2 for an array in a way that is going out of use
        warnings.simplefilter("ignore", DeprecationWarning)
        pixels = coco.decode({"size": list(size_hw), "counts": counts.encode("ascii")})
    return np.asarray(pixels, bool)
