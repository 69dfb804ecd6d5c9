"""How much each pixel counts in the loss, by where its label came from and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.core.sample import Origin
from factory.segment.cache import PixelCache
from factory.segment.data import CLASS, CONFIDENCE, SOURCE


@dataclass(frozen=True, kw_only=True)
class PixelWeights:
    """One weight an origin, times the label's confidence (0 to 1) to the power ``confidence``.

    ``exact``: rendered; ``hint``: said by a person's click or stroke; ``pseudo``: by a labeler; ``human``: by a person
    who looked at the mask. Pixels of confidence below ``least`` do not count, nor do pixels without a class.
    """

    exact: float = 1.0
    hint: float = 1.0
    pseudo: float = 1.0
    human: float = 1.0
    confidence: float = 0.0
    least: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if (got := getattr(self, field.name)) < 0:
                raise ConfigError(f"pixel_weights.{field.name} must not be negative", got=got)
        if self.least > 1:
            raise ConfigError("pixel_weights.least is a probability", got=self.least, expected="0 to 1")
        if not any((self.exact, self.hint, self.pseudo, self.human)):
            raise ConfigError("pixel_weights leave nothing to learn from: all of them are 0")

    def count_in(self, cache: PixelCache) -> bool:
        """Whether any pixel counts; pictures are looked at until one is found."""
        labelled = np.flatnonzero(cache.counts_nk[:, :IGNORE].any(axis=1))
        labels = (torch.tensor(cache[int(index)].label_hwc).permute(2, 0, 1) for index in labelled)
        return any(bool(self(label_chw[None]).any()) for label_chw in labels)

    def __call__(self, labels_nchw: Tensor) -> Tensor:
        """Weights (N, H, W), float32, of 8-bit labels (N, 3, H, W: class, confidence, source)."""
        by_origin = torch.zeros(256, device=labels_nchw.device)
        for origin in (Origin.EXACT, Origin.HINT, Origin.PSEUDO, Origin.HUMAN):
            by_origin[origin] = getattr(self, origin.name.lower())
        weight_nhw = by_origin[labels_nchw[:, SOURCE].long()]
        sure_nhw = labels_nchw[:, CONFIDENCE].float() / 255
        if self.confidence:
            weight_nhw = weight_nhw * sure_nhw**self.confidence
        counted_nhw = (labels_nchw[:, CLASS] != IGNORE) & (sure_nhw >= self.least)
        return weight_nhw * counted_nhw
