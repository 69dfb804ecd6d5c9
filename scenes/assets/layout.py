"""Where assets go once their sizes are known. Planned spots are shares of a square, -1 to 1; results are in metres."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.kit.strip import Strip, strip_of, turned

Array = npt.NDArray[np.float64]


_STEEP = 0.5
"""Sine of the elevation below which cameras see things too flat for a strip of them to fill a tall picture."""

_REACH = 0.5
"""How far from the middle assets lie at least, in shorter sides."""


def strip_on(ratio: float, camera: dict[str, Any], *, hover: bool) -> Strip:
    """The strip along a picture of ``ratio`` (width by height): on the ground, which the camera sees foreshortened, or
    on the plane that faces it, whose axes are the upright camera's.
    """
    facing = strip_of(ratio, {"azimuth_deg": 0.0, "roll_deg": camera["roll_deg"]})
    if hover or not facing.extra:
        return facing
    deeper = 1 / max(math.sin(math.radians(camera["elevation_deg"])), _STEEP)
    aside, ahead = math.cos(facing.turn), math.sin(facing.turn) * deeper
    turn = math.radians(camera["azimuth_deg"] + 90) + math.atan2(ahead, aside)
    return Strip(facing.extra * math.hypot(aside, ahead), turn)


def apart(radii: Sequence[float], spots: Sequence[Sequence[Sequence[float]]], *, density: float, strip: Strip) -> Array:
    """Middles (N, 2) of circles that do not overlap: each takes the first of its spots that is free, largest first.

    The square, drawn out along the strip, is so large that the circles' boxes would cover ``density`` of it. A circle
    without a free spot moves outwards from its first one until it is free.
    """
    long = math.sqrt(strip.longer(_REACH))
    half = 0.5 * math.sqrt(sum((2 * radius) ** 2 for radius in radii) / density)
    placed: dict[int, tuple[float, float]] = {}
    for index in sorted(range(len(radii)), key=lambda index: (-radii[index], index)):
        along, across = (max(side - radii[index], 0.0) for side in (half * long, half / long))
        tries = [(x * along, y * across) for x, y in spots[index]]
        free = (at for at in [*tries, *_outwards(tries[0], radii[index], long)] if _is_free(at, index, placed, radii))
        placed[index] = next(free)
    return np.array([turned(*placed[index], strip.turn) for index in range(len(radii))]).reshape(-1, 2)


def _outwards(start: tuple[float, float], step: float, long: float) -> list[tuple[float, float]]:
    angle = math.atan2(start[1] / long**2, start[0])
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
