"""Hints of several kinds in one image: every kind spread by its own labeler, the scores fused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.special import softmax

from factory.core.errors import ConfigError
from factory.core.picture import Picture
from factory.label import Labeler, Scores, Workshop, learnt, unknown
from factory.label.corpus import Corpus

FLOOR = 1e-6
"""Smallest probability that goes into the product: no single labeler can rule a class out for good."""


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """A labeler and how much its word counts."""

    RANGES: ClassVar[dict[str, str]] = {"weight": "float:0:2"}

    labeler: Labeler
    weight: float

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise ConfigError("a labeler's weight must not be negative", got=self.weight)


@dataclass(frozen=True, kw_only=True)
class Mixed:
    """A logarithmic opinion pool (Genest & Zidek 1986): p(c) is proportional to the product of p_m(c) to the w_m.

    Where a labeler knows nothing its scores are uniform and change nothing; with one labeler of weight 1 the scores are
    its own. Labelers that look at the same hint are not independent: weights below 1 say so.
    """

    members: Mapping[str, Weighed]

    def __post_init__(self) -> None:
        if not any(member.weight for member in self.members.values()):
            raise ConfigError("there is no labeler to ask", got=", ".join(self.members) or "none of any weight")

    def learnt(self, corpus: Corpus, *, seed: int, shop: Workshop) -> Labeler:
        """See `factory.label.Learner`: those members that have to learn, each in a folder of its own.

        All by the same seed: each learns what it would learn alone.
        """

        def ready(name: str, member: Weighed) -> Weighed:
            own = replace(shop, scratch=shop.scratch / name)
            return replace(member, labeler=learnt(member.labeler, corpus, seed=seed, shop=own))

        return replace(self, members={name: ready(name, one) for name, one in self.members.items() if one.weight})

    def __call__(self, given: Picture, classes: int) -> Scores:
        """See `factory.label.Labeler`."""
        logs_khw = np.zeros_like(unknown(given, classes))
        for member in self.members.values():
            if member.weight:
                logs_khw += member.weight * np.log(np.clip(member.labeler(given, classes), FLOOR, 1))
        return np.asarray(softmax(logs_khw, axis=0), np.float32)
