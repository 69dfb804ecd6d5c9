"""A picture asked about as it is and mirrored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from factory.core.errors import ConfigError
from factory.core.picture import Picture, mirrored
from factory.label import Labeler, Learner, Scores

FLOOR = 1e-6
"""Smallest probability of a look: none can rule a class out for both."""


@dataclass(frozen=True, kw_only=True)
class Mirrored:
    """``labeler``'s probabilities of the picture and of its mirror image, pooled by their geometric mean.

    A mirror image shows the same things, but superpixels fall otherwise in it and a network sees it with other eyes:
    what hangs on that comes out unsure. Costs twice the time.
    """

    labeler: Labeler

    def __post_init__(self) -> None:
        if isinstance(self.labeler, Learner):
            todo = "leave it out: such labelers look at mirror images themselves (labeler.tta=flip)"
            raise ConfigError(
                "a labeler that learns from all pictures is not asked about mirror images", where="mirrored",
                got=type(self.labeler).__name__, expected="one that looks at one picture", todo=todo,
            )  # fmt: skip

    def __call__(self, given: Picture, classes: int) -> Scores:
        """See `factory.label.Labeler`."""
        looks = self.labeler(given, classes), self.labeler(mirrored(given), classes)[:, :, ::-1]
        scores_khw = np.sqrt(np.maximum(looks[0], FLOOR) * np.maximum(looks[1], FLOOR))
        return np.asarray(scores_khw / scores_khw.sum(axis=0), np.float32)
