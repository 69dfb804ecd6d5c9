"""How unsure the model is of each pixel: one part a measure, all from the same two streamed means, in nats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float32]


class Uncertainty(Protocol):
    """A measure per pixel; higher is less sure."""

    def __call__(self, mean_khw: Map, mean_entropy_hw: Map) -> Map:
        """From the mean probabilities over the draws, and the mean of the draws' entropies."""


def entropy(probability_khw: Map) -> Map:
    """Shannon entropy over the classes, 0 to log K."""
    clipped = np.clip(probability_khw, 1e-12, 1)
    return np.asarray(-(clipped * np.log(clipped)).sum(axis=0), np.float32)


@dataclass(frozen=True, kw_only=True)
class PredictiveEntropy:
    """Entropy of the mean prediction: doubt of any kind."""

    def __call__(self, mean_khw: Map, mean_entropy_hw: Map) -> Map:
        """See `Uncertainty`."""
        del mean_entropy_hw
        return entropy(mean_khw)


@dataclass(frozen=True, kw_only=True)
class MutualInformation:
    """Entropy of the mean minus mean of the entropies (BALD, Houlsby et al. 2011): doubt that more labels can cure."""

    def __call__(self, mean_khw: Map, mean_entropy_hw: Map) -> Map:
        """See `Uncertainty`."""
        return np.asarray(np.maximum(entropy(mean_khw) - mean_entropy_hw, 0), np.float32)
