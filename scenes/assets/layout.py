"""Where assets go once their sizes are known. Planned spots are shares of a square, -1 to 1; results are in metres."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def apart(radii: Sequence[float], spots: Sequence[Sequence[Sequence[float]]], *, density: float) -> Array:
    """Middles (N, 2) of circles that do not overlap: each takes the first of its spots that is free, largest first.

    The square is so large that the circles' boxes would cover ``density`` of it. A circle without a free spot moves
    outwards from its first one until it is free.
    """
    half = 0.5 * math.sqrt(sum((2 * radius) ** 2 for radius in radii) / density)
    placed: dict[int, tuple[float, float]] = {}
    for index in sorted(range(len(radii)), key=lambda index: (-radii[index], index)):
        inside = max(half - radii[index], 0.0)
        tries = [(x * inside, y * inside) for x, y in spots[index]]
        free = (at for at in [*tries, *_outwards(tries[0], radii[index])] if _is_free(at, index, placed, radii))
        placed[index] = next(free)
    return np.array([placed[index] for index in range(len(radii))]).reshape(-1, 2)


def _outwards(start: tuple[float, float], step: float) -> list[tuple[float, float]]:
    angle = math.atan2(start[1], start[0])
    far = [math.hypot(*start) + step * (number + 1) for number in range(2000)]
    return [(away * math.cos(angle), away * math.sin(angle)) for away in far]


def _is_free(
    at: tuple[float, float], index: int, placed: dict[int, tuple[float, float]], radii: Sequence[float]
) -> bool:
    return all(math.dist(at, other) > radii[index] + radii[key] for key, other in placed.items())


def corners(low: Array, high: Array) -> Array:
    """The eight corners (8, 3) of a box."""
    return np.array([(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])


def levelled(extent: Sequence[float]) -> tuple[float, float, float]:
    """Euler angles that lay a thing with this extent on its largest side: its thinnest measure upwards."""
    thinnest = int(np.argmin(np.asarray(extent)))
    return ((0.0, math.pi / 2, 0.0), (math.pi / 2, 0.0, 0.0), (0.0, 0.0, 0.0))[thinnest]
