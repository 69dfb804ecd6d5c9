"""Points spread no further than the small superpixel each of them lies in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from factory.core.errors import ConfigError
from factory.core.picture import Picture
from factory.core.superpixels import superpixels
from factory.label import Scores, unknown


@dataclass(frozen=True, kw_only=True)
class Spots:
    """For segmenters that learn across images: a click says what its surroundings are, and nothing of the rest.

    The superpixels (SLIC, Achanta et al. 2012) have ``area`` pixels on average; ``confidence`` is the probability that
    a pixel has the class of the click in its superpixel. Where clicks in one superpixel disagree, only they are known.
    """

    area: int
    compactness: float
    confidence: float

    def __post_init__(self) -> None:
        for name in ("area", "compactness"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"labeler.{name} must be positive", got=getattr(self, name))
        if not 0 < self.confidence <= 1:
            raise ConfigError("labeler.confidence is a probability above 0", got=self.confidence)

    def __call__(self, given: Picture, classes: int) -> Scores:
        """See `factory.label.Labeler`."""
        scores_khw = unknown(given, classes)
        rows, columns, ids = given.seeds
        if not len(ids):
            return scores_khw
        segments_hw = superpixels(given.image, self.area, self.compactness)
        said: dict[int, set[int]] = {}
        for segment, class_id in zip(segments_hw[rows, columns].tolist(), ids.tolist(), strict=True):
            said.setdefault(segment, set()).add(class_id)
        sure = max(self.confidence, 1 / classes)
        for segment, (class_id, *others) in said.items():
            if not others:
                spot_hw = segments_hw == segment
                scores_khw[:, spot_hw] = (1 - sure) / max(classes - 1, 1)
                scores_khw[class_id, spot_hw] = sure
        scores_khw[:, rows, columns] = np.arange(classes)[:, None] == ids
        return scores_khw
