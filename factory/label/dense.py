"""One picture's hints made dense: spread by a labeler, decided by a refiner, human pixels left as they were said."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from factory.core import picture
from factory.core.classes import IGNORE
from factory.core.errors import ConfigError, InputError
from factory.core.picture import Picture
from factory.core.sample import Origin
from factory.core.tiling import starts
from factory.label import Labeler, Scores
from factory.measure.calibration import level_of
from factory.refine import Confidence, Mask, Refiner
from factory.refine.argmax import Argmax

OVERLAP = 0.125
"""Share of a tile that its neighbour decides again; each keeps what is further from its own edge."""
SHORTEST = 64
"""Pixels a side that hints are spread at, at least."""


class Dense(NamedTuple):
    """Class ids or ignore, the probability given to each (0 where ignored), and `Origin` codes; all (height, width)."""

    mask_hw: Mask
    confidence_hw: Confidence
    origin_hw: npt.NDArray[np.uint8]

    @property
    def coverage(self) -> float:
        """Share of the pixels that have a class."""
        return float((self.mask_hw != IGNORE).mean())


@dataclass(frozen=True, kw_only=True)
class Densifier:
    """Labeler, refiner and what is common to all of them.

    Hints are spread over a picture of at most ``longest`` pixels a side, larger ones being reduced for it; masks are
    decided at full size, in tiles of that side: memory does not grow with the picture beyond what its maps take.
    ``curve`` holds the probability that stands behind each of 256 levels of confidence (none: its own); pixels of which
    nothing is known keep theirs, for the class that comes first there was picked by nobody. They, and pixels of less
    than ``min_confidence``, then become ignore; at 0 every pixel is decided.
    """

    labeler: Labeler
    refiner: Refiner
    min_confidence: float
    longest: int
    curve: Sequence[float] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise ConfigError(
                "min_confidence is a probability", where="label", got=self.min_confidence, expected="0 to 1"
            )
        if self.longest < SHORTEST:
            expected = f"{SHORTEST} pixels or more"
            raise ConfigError("longest is too small", where="label", got=self.longest, expected=expected)

    def __call__(self, given: Picture, classes: int) -> Dense:
        """Decide every pixel of a picture; what a person said of a pixel stands."""
        return self.settled(given, self.spread(given, classes))

    def settled(self, given: Picture, scores_khw: Scores) -> Dense:
        """The labels that come of scores, of whatever size they are."""
        mask_hw, confidence_hw = self.decide(given, scores_khw)
        known_hw = confidence_hw > of_nothing(given, len(scores_khw))
        if self.curve:
            confidence_hw[known_hw] = np.asarray(self.curve, np.float32)[level_of(confidence_hw[known_hw])]
        origin_hw = np.full(mask_hw.shape, Origin.PSEUDO, np.uint8)
        unsure = (confidence_hw < self.min_confidence) | (~known_hw & (self.min_confidence > 0))
        mask_hw[unsure], confidence_hw[unsure], origin_hw[unsure] = IGNORE, 0, Origin.NONE
        rows, columns, ids = given.seeds
        mask_hw[rows, columns], confidence_hw[rows, columns], origin_hw[rows, columns] = ids, 1, Origin.HINT
        return Dense(mask_hw, confidence_hw, origin_hw)

    def spread(self, given: Picture, classes: int) -> Scores:
        """The labeler's scores, of the size that hints are spread at, certain where a person spoke.

        Classes known to be absent get nothing. `InputError` for scores that are no probabilities.
        """
        small = picture.at_most(given, self.longest)
        scores_khw = self.labeler(small, classes)
        if scores_khw.shape != (classes, *small.size_hw) or not np.isfinite(scores_khw).all() or scores_khw.min() < 0:
            todo = "report it with the picture, or choose another labeler"
            raise InputError(
                "the labeler's scores are no probabilities", where=given.id, got=repr(self.labeler), todo=todo
            )
        return _stated(_without(scores_khw, given.hints.absent), small)

    def decide(self, given: Picture, scores_khw: Scores) -> tuple[Mask, Confidence]:
        """The refiner's mask and confidence at full size, from scores of any size.

        Where a single class is spoken for there is nothing to weigh it against, and a refiner would spread it over all.
        """
        height, width = given.size_hw
        refiner = self.refiner if _spoken_for(given, scores_khw) > 1 else Argmax()
        if max(height, width) <= self.longest:
            mask_hw, confidence_hw = refiner(given.image, scores_khw)
            return mask_hw.copy(), confidence_hw.copy()
        mask_hw, confidence_hw = np.empty((height, width), np.uint8), np.empty((height, width), np.float32)
        for down, keep_down in _tiles(height, self.longest):
            for across, keep_across in _tiles(width, self.longest):
                part = np.ascontiguousarray(given.image[down, across])
                found = refiner(part, _cut(scores_khw, (height, width), down, across))
                inner = (_within(keep_down, down), _within(keep_across, across))
                mask_hw[keep_down, keep_across], confidence_hw[keep_down, keep_across] = (m[inner] for m in found)
        return mask_hw, confidence_hw


def of_nothing(given: Picture, classes: int) -> float:
    """The confidence of a pixel that any class may be, or hardly more; 0 where there is one class to choose from."""
    possible = classes - len(given.hints.absent)
    return 1 / possible + 0.5 / 255 if possible > 1 else 0.0


def _spoken_for(given: Picture, scores_khw: Scores) -> int:
    """How many classes have more than even chances somewhere."""
    highest_k = scores_khw.reshape(len(scores_khw), -1).max(axis=1)
    return int((highest_k > of_nothing(given, len(scores_khw))).sum())


def _without(scores_khw: Scores, absent: tuple[int, ...]) -> Scores:
    """Scores in which some classes are impossible."""
    if not absent:
        return scores_khw
    left_khw = scores_khw.copy()
    left_khw[list(absent)] = 0
    total_hw = left_khw.sum(axis=0)
    possible_k = np.isin(np.arange(len(scores_khw)), absent, invert=True)
    left_khw[:, total_hw == 0] = possible_k[:, None] / max(possible_k.sum(), 1)
    return np.asarray(left_khw / np.where(total_hw == 0, 1, total_hw), np.float32)


def _stated(scores_khw: Scores, given: Picture) -> Scores:
    """Scores that are certain wherever a person said the class."""
    rows, columns, ids = given.seeds
    if not len(ids):
        return scores_khw
    stated_khw = scores_khw.copy()
    stated_khw[:, rows, columns] = np.arange(len(scores_khw))[:, None] == ids
    return stated_khw


def _tiles(length: int, size: int) -> list[tuple[slice, slice]]:
    """Along one side: each tile, and the part of it that is its own to decide."""
    begins = starts(length, min(size, length), OVERLAP)
    ends = [begin + min(size, length) for begin in begins]
    cuts = [0, *((after + before) // 2 for after, before in zip(begins[1:], ends[:-1], strict=True)), length]
    owned = itertools.starmap(slice, itertools.pairwise(cuts))
    return list(zip(map(slice, begins, ends), owned, strict=True))


def _within(own: slice, tile: slice) -> slice:
    return slice(own.start - tile.start, own.stop - tile.start)


def _cut(scores_khw: Scores, size_hw: tuple[int, int], down: slice, across: slice) -> Scores:
    """The scores of a part of the picture, brought from their own size to the picture's (bilinear)."""
    rows = _centres(down, size_hw[0], scores_khw.shape[1])
    columns = _centres(across, size_hw[1], scores_khw.shape[2])
    grid = np.meshgrid(columns, rows)
    planes = [cv2.remap(plane, *grid, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for plane in scores_khw]
    return np.stack(planes)


def _centres(part: slice, length: int, scores: int) -> npt.NDArray[np.float32]:
    """Where the centres of some pixels of a side lie among the scores of that side."""
    return ((np.arange(part.start, part.stop) + 0.5) * (scores / length) - 0.5).astype(np.float32)
