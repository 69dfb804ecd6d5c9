"""Another tool's masks, or an old model's, or an intern's: right on the whole, wrong here and there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.core.picture import Picture
from factory.label import Scores, unknown

WIDEST = 1000.0
"""Pixels of a border: a Gaussian takes the longer the wider it is."""


@dataclass(frozen=True, kw_only=True)
class Masks:
    """A noisy mask as probabilities: ``trust`` in its class far from its borders, less near them.

    Borders are blurred with a Gaussian of ``border_sigma`` pixels; what the mask leaves open stays unknown.
    """

    NEEDS: ClassVar[str] = "masks"
    RANGES: ClassVar[dict[str, str]] = {"trust": "float:0.5:0.99", "border_sigma": "float:0:10"}

    trust: float
    border_sigma: float

    def __post_init__(self) -> None:
        if not 0 < self.trust <= 1:
            raise ConfigError("labeler.trust is a probability above 0", got=self.trust)
        if not 0 <= self.border_sigma <= WIDEST:
            got, expected = self.border_sigma, f"0 to {WIDEST:g} pixels"
            raise ConfigError("labeler.border_sigma is out of range", got=got, expected=expected)

    def __call__(self, given: Picture, classes: int) -> Scores:
        """See `factory.label.Labeler`. A picture without such a mask is unknown everywhere."""
        if given.noisy_mask is None:
            return unknown(given, classes)
        said_khw = (given.noisy_mask == np.arange(classes)[:, None, None]).astype(np.float32)
        if self.border_sigma:
            said_khw = np.stack([cv2.GaussianBlur(plane, (0, 0), self.border_sigma) for plane in said_khw])
        said_khw[:, given.noisy_mask == IGNORE] = 0
        total_hw = said_khw.sum(axis=0)
        share_khw = np.where(total_hw > 0, said_khw / np.maximum(total_hw, 1e-6), 1 / classes)
        trust = max(self.trust, 1 / classes)
        other = (1 - trust) / max(classes - 1, 1)
        scores_khw = np.where(total_hw > 0, other + (trust - other) * share_khw, 1 / classes)
        return np.asarray(scores_khw / scores_khw.sum(axis=0), np.float32)
