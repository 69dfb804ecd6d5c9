"""The part of a table that a wide or tall picture shows beyond that of a 4:3 one. Unit: the picture's shorter side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

_USUAL, _MOST = 4 / 3, 4.0
"""Longer by shorter side up to which layouts need nothing more, and beyond which they are made no longer."""


@dataclass(frozen=True)
class Strip:
    """A line through the middle, ``extra`` long to either side and turned by ``turn`` radians, that layouts surround;
    a mere point for pictures of up to 4:3.
    """

    extra: float = 0.0
    turn: float = 0.0

    def longer(self, reach: float) -> float:
        """How many times as long as usual a layout is that usually reaches so far from the middle."""
        return 1 + self.extra / reach if reach else 1.0

    def away(self, x: float, y: float) -> float:
        """Distance of a place from the line."""
        along, across = turned(x, y, -self.turn)
        return math.hypot(max(abs(along) - self.extra, 0.0), across)


def strip_of(ratio: float, camera: dict[str, Any]) -> Strip:
    """The strip along the longer side of a picture of ``ratio`` (width by height), under a table camera's plan."""
    extra = (min(max(ratio, 1 / ratio), _MOST) - _USUAL) / 2
    if extra <= 1e-9:
        return Strip()
    upright = 90.0 if ratio < 1 else 0.0
    return Strip(extra, math.radians(camera["azimuth_deg"] + camera["roll_deg"] + upright))


def turned(x: float, y: float, angle: float) -> tuple[float, float]:
    """A place turned about the origin, by radians; by none, it keeps even the sign of its zeros."""
    if angle == 0:
        return float(x), float(y)
    cos, sin = math.cos(angle), math.sin(angle)
    return float(cos * x - sin * y), float(sin * x + cos * y)
