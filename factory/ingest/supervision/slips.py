"""What goes wrong whatever a person gives: hints are left out, and named after another class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError

Ids = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Clumsy:
    """A person who leaves out a hint with probability ``missed``, and names another class with probability ``wrong``.

    The other class is one of those in the picture, each as likely; where there is but one, its name is never wrong.
    """

    missed: float
    wrong: float

    def __post_init__(self) -> None:
        for name in ("missed", "wrong"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(
                    f"supervision.{name} is a probability", got=getattr(self, name), expected="0 to 1, both allowed"
                )

    def given(self, meant: Ids, rng: np.random.Generator) -> Bools:
        """Which of the hints that were meant are given."""
        given: Bools = rng.random(len(meant)) >= self.missed
        return given

    def named(self, meant: Ids, present: Ids, rng: np.random.Generator) -> Ids:
        """The class ids that a person says, of hints whose ids, all among ``present``, were meant."""
        slips = rng.random(len(meant)) < self.wrong
        if len(present) < 2:
            return meant
        further = rng.integers(1, len(present), len(meant))
        others = present[(np.searchsorted(present, meant) + further) % len(present)]
        return np.where(slips, others, meant)


def at_least(name: str, value: float, least: float) -> None:
    """`ConfigError` unless a filter's value is a finite number that reaches the least that makes sense."""
    if not least <= value < np.inf:
        raise ConfigError(f"supervision.{name} is out of range", got=value, expected=f"{least:g} or more")


def class_ids(name: str, ids: Any) -> None:
    """`ConfigError` unless a filter's value lists class ids."""
    if not isinstance(ids, list) or not all(isinstance(one, int) and 0 <= one < IGNORE for one in ids):
        expected = f"a list of ids, each 0 to {IGNORE - 1}, such as [0]"
        raise ConfigError(f"supervision.{name} lists class ids", got=ids, expected=expected)


def ids_in(mask_hw: npt.NDArray[np.uint8], least: int = 1) -> Ids:
    """Class ids that cover at least so many pixels, ascending; the ignore index is none."""
    return np.flatnonzero(np.bincount(mask_hw.ravel(), minlength=IGNORE + 1)[:IGNORE] >= least)
