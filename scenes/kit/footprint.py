"""The piece of level ground that a table camera's picture shows, where the picture is wider or taller than 4:3."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scenes.kit.sampling import Span
from scenes.kit.strip import strip_of, turned

Place = tuple[float, float]

_FARTHEST = 3.0
"""How many times as far from the camera as the picture's middle the ground is laid out at most: beyond are horizons."""


@dataclass(frozen=True)
class Footprint:
    """Layouts made for pictures of up to 4:3, *drawn out* to the picture's ends: along its longer side they are
    ``extra`` longer at either end, ``turn`` radians from the direction that the camera leans to by ``tilt``, radians,
    which is ``azimuth`` from the ground's own axes. For pictures of up to 4:3 layouts stay as they are.

    All lengths are in one unit, whichever the layout has. ``distance`` is the camera's from the picture's middle.
    """

    extra: float
    turn: float
    tilt: float
    azimuth: float
    distance: float

    def longer(self, reach: float) -> float:
        """How many times as long as usual a layout is that usually reaches so far from the middle."""
        return 1 + self.extra / reach if reach else 1.0

    def end(self, way: Place, reach: float) -> float:
        """How far out a layout ends on the ground that usually ends at ``reach``; ``way`` is of length 1."""
        along, across = turned(*way, -(self.turn + self.azimuth))
        x, y = self.ground(along * (reach + self.extra), across * reach)
        return x * way[0] + y * way[1]

    def ground(self, along: float, across: float) -> Place:
        """The place on the ground that is seen at a place of the picture."""
        if not self.extra:
            return along, across
        aside, ahead = turned(along, across, self.turn)
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        nearness = max(cos - ahead / self.distance * sin, 1 / _FARTHEST)
        return turned(aside * cos / nearness, ahead / nearness, self.azimuth)

    def picture(self, x: float, y: float) -> Place:
        """Where in the picture a place on the ground is seen: along and across its longer side."""
        if not self.extra:
            return x, y
        aside, ahead = turned(x, y, -self.azimuth)
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        shrunk = 1 / max(1 + ahead / self.distance * sin, 1e-6)
        return turned(aside * shrunk, ahead * cos * shrunk, -self.turn)

    def away(self, x: float, y: float) -> float:
        """Distance within the picture from its middle, or from the line through it that a wide one has instead."""
        along, across = self.picture(x, y)
        return math.hypot(max(abs(along) - self.extra, 0.0), across)

    def within(self, x: float, y: float, reach: float) -> bool:
        """Whether a place on the ground belongs to a layout that usually reaches so far from the middle."""
        along, across = self.picture(x, y)
        return max(abs(along) - self.extra, abs(across)) < reach

    def box(self, reach: float) -> tuple[Span, Span]:
        """The ground that such a layout takes up, along x and along y."""
        ends = [(way * (reach + self.extra), side * reach) for way in (-1, 1) for side in (-1, 1)]
        x, y = zip(*(self.ground(*end) for end in ends), strict=True)
        return (min(x), max(x)), (min(y), max(y))


def footprint_of(ratio: float, camera: dict[str, Any], *, frame: float) -> Footprint:
    """That of a picture of ``ratio`` (width by height) under a table camera's plan, its shorter side ``frame`` long."""
    strip = strip_of(ratio, camera)
    azimuth, tilt = math.radians(camera["azimuth_deg"]), math.radians(camera["tilt_deg"])
    distance = frame / 2 / math.tan(math.radians(camera["field_deg"]) / 2)
    return Footprint(strip.extra * frame, strip.turn - azimuth, tilt, azimuth, distance)
