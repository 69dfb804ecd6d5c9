"""From activation maps to class scores: what is left to the background, and what to nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from factory.core.errors import ConfigError

Maps = npt.NDArray[np.float32]


class Background(Protocol):
    """How much of each pixel belongs to none of the classes that tags speak of."""

    def __call__(self, maps_khw: Maps) -> Maps:
        """The background's score beside the classes' maps (0 to 1 in each picture), (H, W)."""


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """The same score everywhere: a class gets the pixels where its map is above ``level``."""

    level: float

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ConfigError("labeler.background.level lies between 0 and 1", got=self.level)

    def __call__(self, maps_khw: Maps) -> Maps:
        """See `Background`."""
        return np.full(maps_khw.shape[1:], self.level, np.float32)


@dataclass(frozen=True, kw_only=True)
class Rest:
    """A score of its own: (1 - the highest of the maps) to the power ``exponent`` (Ahn & Kwak 2018, eq. 2)."""

    exponent: float

    def __post_init__(self) -> None:
        if self.exponent <= 0:
            raise ConfigError("labeler.background.exponent must be positive", got=self.exponent)

    def __call__(self, maps_khw: Maps) -> Maps:
        """See `Background`."""
        return np.asarray((1 - maps_khw.max(axis=0, initial=0)) ** self.exponent, np.float32)


@dataclass(frozen=True, kw_only=True)
class Extent:
    """A class gets as much of its pictures as what stands out in them.

    Which of the labeler's ``shares`` that is follows from the surprise beside normal pictures (see
    `factory.label.cam.extents`); where none are known, from the head of the classifier that tells the class best (of
    equals the one of the largest share, see `factory.label.cam.telling`). The pixels with the strongest evidence, over
    all pictures tagged with the class, make that share. Evidence is ``gain`` times the map (0 to 1) plus the surprise;
    ``softness`` is the evidence around the threshold that changes the odds by a factor of e.
    """

    gain: float
    softness: float

    def __post_init__(self) -> None:
        for name in ("gain", "softness"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"labeler.background.{name} must be positive", got=getattr(self, name))

    def evidence(self, map_hw: Maps, surprise_hw: Maps | float) -> Maps:
        """What speaks for a class at each pixel, (H, W)."""
        return np.asarray(self.gain * map_hw + surprise_hw, np.float32)

    def probability(self, evidence_hw: Maps, level: float) -> Maps:
        """Of the class beside the background, one half at its ``level``."""
        return np.asarray(1 / (1 + np.exp(np.clip((level - evidence_hw) / self.softness, -30, 30))), np.float32)


def undecided(maps_khw: Maps, band: Sequence[float] | None) -> npt.NDArray[np.bool_]:
    """Pixels whose highest map lies within ``band``: neither surely a class nor surely background, (H, W)."""
    if band is None:
        return np.zeros(maps_khw.shape[1:], bool)
    highest_hw = maps_khw.max(axis=0, initial=0)
    return np.asarray((highest_hw > band[0]) & (highest_hw < band[1]))
