"""How far the mean IoU of some pictures may lie from that of all pictures like them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from factory.calibrate.audit import Counts, miou
from factory.core.seeds import generator

Interval = tuple[float, float]
RESAMPLES = 1000
"""Bootstrap resamples behind an interval."""


def interval(
    counts: Sequence[Counts], photographs: Sequence[str], *, beside: Sequence[Counts] | None = None, seed: int
) -> Interval | None:
    """Where the mean IoU lies with a probability of 95 %: a t interval of the bootstrap's standard error.

    With ``beside`` (other counts of the same pictures): the difference, counts less beside. Photographs are drawn, each
    with all its tiles, for tiles are no independent witnesses. Resamples of n spread less than the n they are drawn
    from, and few say little of their spread: sqrt(n / (n - 1)) and Student's t make up for both (Hesterberg 2015, What
    teachers should know about the bootstrap). None where all pictures are of one photograph.
    """
    sides_nkk = [_by_photograph(side, photographs) for side in ([counts] if beside is None else [counts, beside])]
    number = len(sides_nkk[0])
    if number == 1:
        return None
    draws = generator(seed, "bootstrap").integers(0, number, (RESAMPLES, number))
    spread = float(np.nanstd([_figure(sides_nkk, draw) for draw in draws]))
    reach = float(stdtrit(number - 1, 0.975)) * (number / (number - 1)) ** 0.5 * spread
    middle = _figure(sides_nkk, np.arange(number))
    return max(middle - reach, 0.0 if beside is None else -1.0), min(middle + reach, 1.0)


def _by_photograph(counts: Sequence[Counts], photographs: Sequence[str]) -> Counts:
    """The counts of each photograph's pictures together."""
    names, of_picture = np.unique(photographs, return_inverse=True)
    total_nkk = np.zeros((len(names), *counts[0].shape), np.int64)
    np.add.at(total_nkk, of_picture, np.stack(counts))
    return total_nkk


def _figure(sides_nkk: Sequence[Counts], rows: np.ndarray) -> float:
    """The mean IoU of some photographs, less that of the other side where there is one."""
    mine, *theirs = (miou(side_nkk[rows]) for side_nkk in sides_nkk)
    return mine - sum(theirs)
