"""How unsure the answers are of each pixel: one part a measure, all from the same streamed averages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Protocol

import cv2
import numpy as np

from factory.acquire.moments import SQUARES, VOTES, Map, Moments
from factory.core.errors import ConfigError


class Uncertainty(Protocol):
    """A measure per pixel; higher is less sure, NaN says nothing.

    ``extras`` are the averages it needs beside mean and entropy.
    """

    extras: ClassVar[Collection[str]]

    def __call__(self, moments: Moments) -> Map:
        """From what all answers for a picture come to; (H, W)."""


def entropy(probability_khw: Map) -> Map:
    """Shannon entropy over the classes, 0 to log K."""
    clipped = np.clip(probability_khw, 1e-12, 1)
    return np.asarray(-(clipped * np.log(clipped)).sum(axis=0), np.float32)


@dataclass(frozen=True, kw_only=True)
class PredictiveEntropy:
    """Entropy of the mean prediction: doubt of any kind."""

    extras: ClassVar[Collection[str]] = ()

    def __call__(self, moments: Moments) -> Map:
        """See `Uncertainty`; nats."""
        return entropy(moments.mean_khw)


@dataclass(frozen=True, kw_only=True)
class Margin:
    """One minus the lead of the likeliest class over the next (Scheffer et al. 2001): 1 where they tie."""

    extras: ClassVar[Collection[str]] = ()

    def __call__(self, moments: Moments) -> Map:
        """See `Uncertainty`; 0 to 1. With a single class there is no doubt."""
        if len(moments.mean_khw) < 2:
            return np.zeros_like(moments.entropy_hw)
        second_hw, first_hw = np.partition(moments.mean_khw, -2, axis=0)[-2:]
        return np.asarray(1 - (first_hw - second_hw), np.float32)


@dataclass(frozen=True, kw_only=True)
class MutualInformation:
    """Entropy of the mean minus mean of the entropies (BALD, Houlsby et al. 2011): doubt that more labels can cure.

    The same as the mean Kullback-Leibler divergence of the answers from their mean (McCallum & Nigam 1998).
    """

    extras: ClassVar[Collection[str]] = ()

    def __call__(self, moments: Moments) -> Map:
        """See `Uncertainty`; nats."""
        return np.asarray(np.maximum(entropy(moments.mean_khw) - moments.entropy_hw, 0), np.float32)


@dataclass(frozen=True, kw_only=True)
class Variance:
    """Variance of the answers' probabilities, summed over the classes."""

    extras: ClassVar[Collection[str]] = (SQUARES,)

    def __call__(self, moments: Moments) -> Map:
        """See `Uncertainty`; 0 to 1."""
        assert moments.squares_hw is not None
        return np.asarray(np.maximum(moments.squares_hw - (moments.mean_khw**2).sum(axis=0), 0), np.float32)


@dataclass(frozen=True, kw_only=True)
class VoteEntropy:
    """Entropy of the answers' votes, each for its likeliest class (Dagan & Engelson 1995)."""

    extras: ClassVar[Collection[str]] = (VOTES,)

    def __call__(self, moments: Moments) -> Map:
        """See `Uncertainty`; nats."""
        assert moments.votes_khw is not None
        return entropy(moments.votes_khw)


@dataclass(frozen=True, kw_only=True)
class RegionImpurity:
    """Many predicted classes close together, times doubt: RIPU (Xie et al. 2022, equations 3 to 5).

    Entropy of the shares that predicted classes have of the square of ``2 reach + 1`` pixels a side around a pixel,
    times the mean entropy of the prediction there; the square ends at the picture's edge. A pixel that the model says
    no number of has no number, and adds nothing to those around it.
    """

    extras: ClassVar[Collection[str]] = ()

    reach: int

    def __post_init__(self) -> None:
        if self.reach < 1:
            raise ConfigError("uncertainty.reach is a number of pixels, 1 or more", got=self.reach)

    def __call__(self, moments: Moments) -> Map:
        """See `Uncertainty`."""
        doubt_hw = entropy(moments.mean_khw)
        told_hw = ~np.isnan(doubt_hw)
        inside_hw = self._sum(told_hw.astype(np.float32)).clip(min=1)
        predicted_hw = moments.mean_khw.argmax(axis=0)
        classes = np.unique(predicted_hw)
        share_khw = np.stack(
            [self._sum((told_hw & (predicted_hw == k)).astype(np.float32)) / inside_hw for k in classes]
        )
        mean_hw = self._sum(np.nan_to_num(doubt_hw)) / inside_hw
        return np.where(told_hw, entropy(share_khw) * mean_hw, np.nan).astype(np.float32)

    def _sum(self, values_hw: Map) -> Map:
        side = 2 * self.reach + 1
        found = cv2.boxFilter(values_hw, -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
        return np.asarray(found, np.float32)
