"""Scribbles spread by many settings at once: none has to be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy.special import softmax

from factory.core import parts
from factory.core.errors import ConfigError
from factory.core.picture import Picture
from factory.core.ranges import drawn, ranges
from factory.core.seeds import generator
from factory.label import Scores
from factory.label.scribbles import Scribbles

FLOOR = 1e-6
"""Smallest probability of a member: none can rule a class out for all."""


@dataclass(frozen=True, kw_only=True)
class Committee:
    """``members`` labelers, each with settings drawn at random (by ``draw``) from those that ``labeler`` recommends.

    They look at superpixels of these ``areas`` in turn. Their probabilities are pooled by the geometric mean
    (logarithmic opinion pool, Genest & Zidek 1986), sharpened or softened by ``certainty``. What hangs on the settings
    comes out unsure, and no picture is needed to choose them on: settings that win on a few pictures seldom do on the
    next. Superpixels of each area, and their features, are made once a picture.
    """

    RANGES: ClassVar[dict[str, str]] = {"certainty": "log:0.3:3"}

    labeler: Scribbles
    areas: Sequence[int]
    members: int
    draw: int
    certainty: float

    def __post_init__(self) -> None:
        if not self.areas or min(self.areas) < 1:
            raise ConfigError("labeler.areas are pixels of a superpixel, at least one", got=list(self.areas))
        if self.members < len(self.areas):
            got, expected = self.members, f"{len(self.areas)} or more, one for each of the areas"
            raise ConfigError("labeler.members are too few", got=got, expected=expected)
        if self.certainty <= 0:
            raise ConfigError("labeler.certainty must be positive", got=self.certainty)

    def __call__(self, given: Picture, classes: int) -> Scores:
        """See `factory.label.Labeler`."""
        logs_khw = np.zeros((classes, *given.size_hw), np.float32)
        for start in range(len(self.areas)):
            alike = self._members[start :: len(self.areas)]
            sight = alike[0].seen_as(given)
            for member in alike:
                logs_khw += np.log(np.maximum(member.spread(given, classes, sight), FLOOR))
        logs_khw *= self.certainty / self.members
        return np.asarray(softmax(logs_khw, axis=0), np.float32)

    @cached_property
    def _members(self) -> list[Scribbles]:
        return [self._member(number) for number in range(self.members)]

    def _member(self, number: int) -> Scribbles:
        rng = generator(self.draw, "member", number)
        member = replace(self.labeler, area=self.areas[number % len(self.areas)])
        for key, text in ranges(self.labeler):
            member = parts.changed(member, key, drawn(text, rng))
        return member
