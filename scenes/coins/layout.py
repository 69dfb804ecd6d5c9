"""Where coins lie: rows as a museum photographs them, or scattered. Lengths are in frame sides, origin mid-frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenes.kit.sampling import Span, chance, uniform
from scenes.kit.strip import Strip, turned

Spot = tuple[float, float, float]
"""x, y and radius of one coin."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """How large coins are, how far apart, and how far from the strip they lie: the camera may see so much."""

    diameter: Span
    spread: float
    spacing: Span
    reach: float
    strip: Strip

    def radius(self, rng: np.random.Generator, mean: float) -> float:
        """That of one coin of a picture whose coins have this mean diameter."""
        return mean / 2 * float(rng.uniform(1 - self.spread, 1 + self.spread))

    def touches(self, spot: Spot) -> bool:
        """Whether the coin reaches into what the camera may see, however it is turned."""
        return self.strip.away(spot[0], spot[1]) < self.reach + spot[2]


def rows(rng: np.random.Generator, room: Room, *, missing: float) -> list[Spot]:
    """A jittered grid of slots, some empty, cut to what the camera can see."""
    mean = uniform(rng, room.diameter)
    pitch_x, pitch_y = (mean * (1 + room.spread / 2) * uniform(rng, room.spacing) for _ in range(2))
    turn, shift = rng.uniform(0, 2 * math.pi), rng.uniform(-0.5, 0.5, 2)
    half = math.ceil((room.reach + room.strip.extra + mean) / min(pitch_x, pitch_y))
    spots = []
    for row in range(-half, half + 1):
        for column in range(-half, half + 1):
            jitter, radius = rng.normal(0, 0.04, 2), room.radius(rng, mean)
            x, y = (column + shift[0] + jitter[0]) * pitch_x, (row + shift[1] + jitter[1]) * pitch_y
            spot = (*turned(x, y, turn), radius)
            if not chance(rng, missing) and room.touches(spot):
                spots.append(spot)
    return spots


def scatter(rng: np.random.Generator, room: Room, *, count: Span, overlap: bool) -> list[Spot]:
    """Up to ``count`` coins thrown one after the other; one that would lie on another is thrown again, or left out."""
    mean, gap = uniform(rng, room.diameter), 0.55 if overlap else 0.5 + uniform(rng, room.spacing) / 2
    spots: list[Spot] = []
    wanted = int(rng.integers(int(count[0]), int(count[1]) + 1))
    for _ in range(wanted * 12):
        along, across = rng.uniform(-room.reach, room.reach, 2)
        x, y = turned(along * room.strip.longer(room.reach), across, room.strip.turn)
        radius = room.radius(rng, mean)
        free = all(math.hypot(x - a, y - b) > gap * (radius + r) for a, b, r in spots)
        if free and len(spots) < wanted and room.touches((x, y, radius)):
            spots.append((x, y, radius))
    return spots


def is_clear(piece: dict[str, Any], coins: list[dict[str, Any]]) -> bool:
    """Whether a piece of clutter lies beside all coins, not in one; lengths in metres."""
    away = (math.hypot(piece["x"] - coin["x"], piece["y"] - coin["y"]) - coin["radius"] for coin in coins)
    return bool(min(away, default=math.inf) > piece["size"])


def stacked(spots: list[Spot], thickness: list[float]) -> list[float]:
    """Height at which each coin lies: on the table, or upon those of the earlier ones that it overlaps."""
    heights: list[float] = []
    for index, (x, y, radius) in enumerate(spots):
        below = [
            heights[other] + thickness[other]
            for other, (a, b, r) in enumerate(spots[:index])
            if math.hypot(x - a, y - b) < 0.97 * (radius + r)
        ]
        heights.append(max(below, default=0.0))
    return heights
