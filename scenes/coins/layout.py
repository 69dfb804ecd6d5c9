"""Where coins lie: rows as a museum photographs them, or scattered. Lengths are in frame sides, origin mid-frame."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.kit.sampling import Span, chance, uniform
from scenes.kit.strip import Strip, turned

Spot = tuple[float, float, float]
"""x, y and radius of one coin."""


def rows(
    rng: np.random.Generator,
    *,
    diameter: Span,
    spread: float,
    spacing: Span,
    reach: float,
    strip: Strip,
    missing: float,
) -> list[Spot]:
    """A jittered grid of slots, some empty, cut to what the camera can see."""
    mean = uniform(rng, diameter)
    pitch_x, pitch_y = (mean * (1 + spread / 2) * uniform(rng, spacing) for _ in range(2))
    turn, shift = rng.uniform(0, 2 * math.pi), rng.uniform(-0.5, 0.5, 2)
    half = math.ceil((reach + strip.extra + mean) / min(pitch_x, pitch_y))
    spots = []
    for row in range(-half, half + 1):
        for column in range(-half, half + 1):
            jitter, radius = rng.normal(0, 0.04, 2), _radius(rng, mean, spread)
            x, y = (column + shift[0] + jitter[0]) * pitch_x, (row + shift[1] + jitter[1]) * pitch_y
            spot = (*turned(x, y, turn), radius)
            if not chance(rng, missing) and touches(spot, reach, strip):
                spots.append(spot)
    return spots


def scatter(
    rng: np.random.Generator,
    *,
    diameter: Span,
    spread: float,
    spacing: Span,
    reach: float,
    strip: Strip,
    count: Span,
    overlap: bool,
) -> list[Spot]:
    """Up to ``count`` coins thrown one after the other; one that would lie on another is thrown again, or left out."""
    mean, gap = uniform(rng, diameter), 0.55 if overlap else 0.5 + uniform(rng, spacing) / 2
    spots: list[Spot] = []
    wanted = int(rng.integers(int(count[0]), int(count[1]) + 1))
    for _ in range(wanted * 12):
        along, across = rng.uniform(-reach, reach, 2)
        x, y = turned(along * strip.longer(reach), across, strip.turn)
        radius = _radius(rng, mean, spread)
        free = all(math.hypot(x - a, y - b) > gap * (radius + r) for a, b, r in spots)
        if free and len(spots) < wanted and touches((x, y, radius), reach, strip):
            spots.append((x, y, radius))
    return spots


def touches(spot: Spot, reach: float, strip: Strip) -> bool:
    """Whether the coin reaches to within ``reach`` of the strip: what the camera may see, however it is turned."""
    return strip.away(spot[0], spot[1]) < reach + spot[2]


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


def _radius(rng: np.random.Generator, mean: float, spread: float) -> float:
    return mean / 2 * float(rng.uniform(1 - spread, 1 + spread))
