"""A person who answers a queue, simulated on pictures whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from factory.core.borders import borders_within
from factory.core.classes import IGNORE
from factory.ingest.supervision.slips import Clumsy, at_least, ids_in
from factory.ingest.supervision.wander import displaced

Map8 = npt.NDArray[np.uint8]


class Answer(NamedTuple):
    """Class ids inside the regions asked about, ignore elsewhere and where no class fits.

    ``border_r`` counts the pixels of border drawn in each region, by its number (0 is no region).
    """

    said_hw: Map8
    border_r: npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Annotator(Clumsy):
    """Paints every region asked about; with ``one_class`` gives it a single class, the one that covers most of it.

    A picture stays unanswered with probability ``missed``. What is painted as the largest class of a region is, with
    probability ``wrong``, called another class of the picture. Painted borders are off by a smooth normal deviate of
    ``shift`` pixels, which changes over ``reach`` pixels along the border.
    """

    one_class: bool
    shift: float
    reach: float

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("shift", self.shift, 0)
        at_least("reach", self.reach, 1)

    def __call__(self, truth_hw: Map8, regions_hw: npt.NDArray[np.integer], rng: np.random.Generator) -> Answer | None:
        """What is said of one picture, its regions numbered from 1; None where it stays unanswered."""
        if not self.given(np.zeros(1, np.intp), rng)[0]:
            return None
        seen_hw = displaced(truth_hw, self.shift, self.reach, rng) if self.shift and not self.one_class else truth_hw
        count = int(regions_hw.max(initial=0)) + 1
        most_r = _largest(seen_hw, regions_hw, count)
        said_r = most_r.copy()
        known_r = most_r != IGNORE
        said_r[known_r] = self.named(most_r[known_r].astype(np.intp), ids_in(truth_hw), rng)
        inside_hw, mine_hw = regions_hw > 0, seen_hw == most_r[regions_hw]
        said_hw = np.where(mine_hw | self.one_class, said_r[regions_hw], seen_hw)
        said_hw = np.where(inside_hw, said_hw, IGNORE).astype(np.uint8)
        return Answer(said_hw, borders_within(said_hw, regions_hw, count))


def _largest(ids_hw: Map8, regions_hw: npt.NDArray[np.integer], count: int) -> Map8:
    """The class that covers most of each region; ignore where that covers it."""
    flat = regions_hw.astype(np.intp) * (IGNORE + 1) + ids_hw
    counts_rk = np.bincount(flat.ravel(), minlength=count * (IGNORE + 1)).reshape(count, IGNORE + 1)
    return np.asarray(counts_rk.argmax(axis=1), np.uint8)
