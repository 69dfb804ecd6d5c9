"""Labels that a model does not believe: candidates for mistakes (confident learning, Northcutt et al. 2021)."""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch

from factory.acquire.moments import Map, Moments
from factory.core.classes import IGNORE


@dataclass(frozen=True, kw_only=True)
class LabelIssue:
    """One minus the probability of the class that the data set gives a pixel; no number where it gives none.

    Honest where the model did not learn from that label: a labeler's, checked by a network of another fold. On labels
    that it learnt from, a model doubts fewer of the wrong ones. One minus the self-confidence
    of cleanlab's `segmentation` (Lad & Mueller 2023), pixel by pixel.
    """

    extras: ClassVar[Collection[str]] = ()

    def __call__(self, moments: Moments) -> Map:
        """See `factory.acquire.uncertainty.Uncertainty`; 0 to 1."""
        if moments.label_hw is None:
            return np.full(moments.entropy_hw.shape, np.nan, np.float32)
        return 1 - self_confidence(moments.label_hw, moments.mean_khw)


def self_confidence(label_hw: npt.NDArray[np.uint8], probability_khw: Map) -> Map:
    """The probability (K, H, W) of each pixel's own label (H, W); NaN where that is the ignore index."""
    flat = label_hw.reshape(-1)
    numbers = _numbers(flat.size, np.int32 if probability_khw.size < 2**31 else np.int64)
    places = flat.astype(numbers.dtype)
    np.multiply(places, flat.size, out=places)
    np.add(places, numbers, out=places)
    ignored = flat == IGNORE if flat.size and flat.max() == IGNORE else None
    if ignored is not None:
        places[ignored] = 0
    found = torch.from_numpy(probability_khw.reshape(-1)).index_select(0, torch.from_numpy(places)).numpy()
    if ignored is not None:
        found[ignored] = np.nan
    return np.asarray(found.reshape(label_hw.shape), np.float32)


@functools.lru_cache(maxsize=4)
def _numbers(count: int, dtype: type[np.int32 | np.int64]) -> npt.NDArray[np.signedinteger]:
    return np.arange(count, dtype=dtype)
