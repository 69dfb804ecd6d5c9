"""Labels that a model does not believe: candidates for mistakes (confident learning, Northcutt et al. 2021)."""

from __future__ import annotations

import functools
import time
from collections.abc import Collection
from dataclasses import dataclass
from statistics import median
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch

from factory.acquire.moments import Map, Moments
from factory.core.classes import IGNORE

FEW = 16
"""Up to so many classes, it may be quicker to read all their maps in the order of memory than to jump between them."""


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
    numbers = _numbers(flat.size, torch.int32 if probability_khw.size < 2**31 else torch.int64)
    places = torch.add(numbers, torch.from_numpy(flat), alpha=flat.size)
    ignored = flat == IGNORE if flat.size and flat.max() == IGNORE else None
    if ignored is not None:
        places[torch.from_numpy(ignored)] = 0
    values = torch.from_numpy(probability_khw.reshape(-1))
    if len(probability_khw) <= FEW and _reading_ahead_pays():
        values.sum()  # fetches all of them into the cache
    found = values.index_select(0, places).numpy()
    if ignored is not None:
        found[ignored] = np.nan
    return np.asarray(found.reshape(label_hw.shape), np.float32)


@functools.lru_cache(maxsize=4)
def _numbers(count: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.arange(count, dtype=dtype)


@functools.cache
def _reading_ahead_pays() -> bool:
    """Whether this processor fetches maps faster in the order of memory: timed once, in a tenth of a second.

    Labels are as on photographs: runs of a class, mingled with the next. What comes out never depends on the answer.
    """
    classes, pixels, turns = 11, 2**17, 7
    numbers = _numbers(pixels, torch.int32)
    mingled = torch.from_numpy(np.random.default_rng(0).integers(0, 2, pixels, np.int32))
    places = numbers + pixels * ((numbers // 48 + mingled) % classes)
    stores = [torch.full((classes * pixels,), 1.0) for _ in range(2 * turns)]
    seconds: list[list[float]] = [[], []]
    for turn, values in enumerate(stores):
        began = time.process_time()
        if turn % 2:
            values.sum()
        values.index_select(0, places)
        seconds[turn % 2].append(time.process_time() - began)
    jumping, reading = map(median, seconds)
    return reading < jumping
