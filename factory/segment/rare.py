"""Rare class sampling: some pictures are drawn because they show a class that few pictures show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError

LEAST = 0.1
"""A picture stands for a class if it shows this part of what the class's average picture shows."""


@dataclass(frozen=True, kw_only=True)
class RareClasses:
    """Draws ``share`` of the pictures for a class, the rarer the likelier.

    The class is drawn with probability softmax((1 - f) / ``temperature``), f its share of the labelled pixels; then a
    picture that shows it, all alike. Source: Hoyer et al., DAFormer (2022), eq. 6-7 (temperature 0.01 there).
    """

    share: float = 0.5
    temperature: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ConfigError("sampling.share is a probability", got=self.share, expected="0 to 1")
        if self.temperature <= 0:
            raise ConfigError("sampling.temperature must be above 0", got=self.temperature)

    def __call__(self, counts_nk: npt.NDArray[np.int64], rng: np.random.Generator) -> tuple[int, int] | None:
        """(index of a picture, class id), or None where pictures are to come in turn; ``counts_nk`` as the cache's."""
        if rng.random() >= self.share or not (odds_k := self.odds(counts_nk)).any():
            return None
        class_id = int(rng.choice(len(odds_k), p=odds_k))
        shown_n = counts_nk[:, class_id]
        enough = max(LEAST * shown_n[shown_n > 0].mean(), 1)
        return int(rng.choice(np.flatnonzero(shown_n >= enough))), class_id

    def odds(self, counts_nk: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Probability of each class id to be drawn; 0 for those nobody labelled."""
        counts_k = counts_nk[:, :IGNORE].sum(axis=0)
        if not counts_k.any():
            return np.zeros(IGNORE)
        logit_k = np.where(counts_k > 0, (1 - counts_k / counts_k.sum()) / self.temperature, -np.inf)
        weight_k = np.exp(logit_k - logit_k.max())
        return np.asarray(weight_k / weight_k.sum(), np.float64)
