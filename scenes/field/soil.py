"""What the ground is like, as numbers: soil, clods, ridges, tracks, cracks; straw and stones on it. Metres."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scenes.kit.sampling import Span, Streams, chance, log_uniform, pick, seed_of, settle, uniform, whole
from scenes.kit.sensor import Component

SOILS: dict[str, tuple[float, float, float]] = {
    "loam": (0.135, 0.085, 0.05),
    "clay": (0.20, 0.105, 0.055),
    "sand": (0.27, 0.195, 0.12),
    "peat": (0.075, 0.056, 0.042),
    "chalk": (0.25, 0.215, 0.175),
}
"""Linear reflectance of the dry soils."""


@dataclass(frozen=True, kw_only=True)
class Soil:
    """What the ground is like; ``kinds`` by weight, ``clods`` how rough (0 rolled, 1 freshly ploughed)."""

    kinds: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(SOILS, 1.0))
    clods: Span = (0.05, 0.9)
    moisture: Span = (0.0, 0.8)
    cracked_share: float = 0.2
    track_share: float = 0.25

    def __post_init__(self) -> None:
        spans = {"clods": (0.0, 1.0), "moisture": (0.0, 1.0)}
        settle(self, spans=spans, shares=("cracked_share", "track_share"), weights={"kinds": SOILS})

    def plan(self, streams: Streams, *, frame_m: float, ridge_m: float) -> dict[str, Any]:
        """Draw the ground; ``ridge_m`` is the distance between rows, which ridges follow where there are any."""
        rng = streams("soil")
        base = (
            np.array(SOILS[pick(rng, self.kinds)])
            * np.exp(rng.normal(0, [0.05, 0.03, 0.08]))
            * math.exp(rng.normal(0, 0.25))
        )
        return {
            "colour": [round(float(c), 4) for c in np.clip(base, 0.03, 0.5)],
            "frame": frame_m,
            "clods": uniform(rng, self.clods),
            "clod_m": log_uniform(rng, (0.015, 0.06)),
            "moisture": uniform(rng, self.moisture),
            "ridge": {"pitch": ridge_m, "height": round(float(rng.uniform(0, 0.05)) * chance(rng, 0.4), 5)},
            "cracks": uniform(rng, (0.3, 1.0)) if chance(rng, self.cracked_share) else 0.0,
            "track": self._track(rng, frame_m),
            "seed": seed_of(rng),
        }

    def _track(self, rng: np.random.Generator, frame_m: float) -> dict[str, float] | None:
        """A wheel's track along the rows."""
        used, x = chance(rng, self.track_share), uniform(rng, (-0.5, 0.5))
        width, depth = uniform(rng, (0.15, 0.4)), uniform(rng, (0.01, 0.03))
        return (
            {"x": round(x * frame_m, 5), "width": width, "depth": depth, "lug": uniform(rng, (0.05, 0.12))}
            if used
            else None
        )


@dataclass(frozen=True, kw_only=True)
class Litter(Component):
    """Straw and stones on the ground: pieces a square metre."""

    straw: Span = (0.0, 80.0)
    stones: Span = (0.0, 60.0)
    spans: ClassVar = {"straw": (0.0, 2000.0), "stones": (0.0, 2000.0)}

    def plan(self, streams: Streams, *, area_m2: float, longer: float) -> dict[str, Any]:
        """Draw how many, what sizes and colours; most grounds have little. In wide pictures the area is so many times
        ``longer`` than in those of up to 4:3.
        """
        if not self.enabled:
            return {"straw": 0, "stones": 0, "seed": 0}
        rng = streams("litter")
        share = rng.uniform(0, 1, 2) ** 2
        straw, stones = (
            low + (high - low) * s for (low, high), s in zip((self.straw, self.stones), share, strict=True)
        )
        area_m2 *= longer
        return {
            "straw": min(whole(rng, (straw * area_m2, straw * area_m2 + 1)), round(400 * longer)),
            "stones": min(whole(rng, (stones * area_m2, stones * area_m2 + 1)), round(150 * longer)),
            "straw_colour": [round(float(c), 4) for c in np.array([0.34, 0.26, 0.13]) * rng.uniform(0.35, 1.1)],
            "stone_colour": [
                round(float(c), 4)
                for c in np.array([0.24, 0.22, 0.19]) * np.exp(rng.normal(0, 0.3) + rng.normal(0, 0.06, 3))
            ],
            "seed": seed_of(rng),
        }
