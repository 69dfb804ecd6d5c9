"""COCO's compressed run lengths of a binary map (column by column), by the reference implementation, pycocotools."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco


def encode(region_hw: npt.NDArray[np.bool_]) -> str:
    """The ``counts`` string of a COCO segmentation."""
    return str(coco.encode(np.asfortranarray(region_hw, np.uint8))["counts"].decode("ascii"))


def decode(counts: str, size_hw: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Inverse of `encode`."""
    return np.asarray(coco.decode({"size": list(size_hw), "counts": counts.encode("ascii")}), bool)
