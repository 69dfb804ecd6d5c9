"""The course of a street, and coordinates along it.

A place on the street is (s, t): metres ahead of the camera along the centre line, and metres to the right of it, as
seen where traffic drives on the left. Where it drives on the right, the whole street is mirrored on its way to world
coordinates, so that nothing else needs to know. Turns are anticlockwise radians from the direction ahead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

BEHIND, AHEAD = -20.0, 170.0
"""How far a street reaches, metres along its centre line."""

_STEP = 0.5

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Path:
    """A centre line: straight to ``start``, then bent by ``curvature`` (1/m, left positive) up to ``turn`` radians."""

    curvature: float
    start: float
    turn: float
    mirrored: bool

    def at(self, s: Any, t: Any) -> tuple[Array, Array]:
        """World x and y of places; arrays are fine."""
        along = np.arange(BEHIND - 60, AHEAD + 120, _STEP)
        heading = self.heading(along)
        zero = int(np.searchsorted(along, 0.0))
        x, y = (np.concatenate([[0.0], np.cumsum(part[:-1] * _STEP)]) for part in (-np.sin(heading), np.cos(heading)))
        turn = self.heading(s)
        across = np.interp(s, along, x - x[zero]) + np.asarray(t) * np.cos(turn)
        ahead = np.interp(s, along, y - y[zero]) + np.asarray(t) * np.sin(turn)
        return (-across if self.mirrored else across), ahead

    def heading(self, s: Any) -> Array:
        """Direction of the unmirrored centre line at s."""
        bend = abs(self.curvature) * np.maximum(np.asarray(s, np.float64) - self.start, 0.0)
        return np.asarray(math.copysign(1.0, self.curvature) * np.minimum(bend, self.turn))

    def pose(self, s: float, t: float, turn: float) -> tuple[list[float], float]:
        """World x, y, and the angle about the vertical of something that stands at (s, t) turned by ``turn``."""
        x, y = self.at(s, t)
        angle = float(self.heading(s)) + turn
        return [float(x), float(y)], -angle if self.mirrored else angle

    def grid(self, s: Array, t: Array, z: Array) -> Array:
        """World points (rows, columns, 3) of a grid of places; the arguments are broadcast."""
        s, t, z = np.broadcast_arrays(s, t, z)
        x, y = self.at(s, t)
        return np.stack([x, y, z], -1)


def path_of(road: dict[str, Any]) -> Path:
    """The path of a planned road."""
    return Path(road["curvature"], road["start"], road["turn"], road["mirrored"])
