"""How inspection stands are lit: raking light from one side, a dome, a ring of lamps, strip lights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.kit.lights import plan_ambient
from scenes.kit.sampling import Span, Streams, log_uniform, pick, tint, uniform

KINDS = ("raking", "dome", "ring", "strip")

_AMBIENT: dict[str, Span] = {"raking": (0.05, 0.5), "dome": (0.8, 2.0), "ring": (0.1, 0.6), "strip": (0.1, 0.6)}
"""Even light from all around, relative to the lamps."""


def plan_lighting(
    streams: Streams, *, frame_m: float, kinds: dict[str, float], distance: Span, longer: float
) -> dict[str, Any]:
    """Draw a stand and its lamps, in the form that `scenes.kit.lights.place_lights` takes.

    ``distance`` is that of the lamps, in frame sides; near ones light the part unevenly. It is as many times as long
    as a picture is ``longer`` than a 4:3 one: near lamps would leave the ends of wide ones black.
    """
    rng = streams("lights")
    kind, away = pick(rng, kinds), log_uniform(rng, distance) * longer * frame_m
    lamps = {"raking": _raking, "dome": _dome, "ring": _ring, "strip": _strip}[kind](rng, away)
    aim = [round(float(v) * frame_m, 6) for v in rng.uniform(-0.35, 0.35, 2)]
    colour = tint(rng, (1.0, 1.0), (0.0, 0.1))
    lights = [{"kind": "area", "aim": aim, "colour": colour} | lamp for lamp in lamps]
    ambient = plan_ambient(streams, level=_AMBIENT[kind], warmth=0.1)
    return {"kind": kind, "lights": lights, "ambient": ambient}


def _raking(rng: np.random.Generator, away: float) -> list[dict[str, Any]]:
    """One lamp low above the part, which makes every unevenness cast a shadow."""
    elevation, azimuth = math.radians(uniform(rng, (10, 32))), uniform(rng, (0, 2 * math.pi))
    return [_lamp(away, elevation, azimuth, size=0.3, strength=1.0)]


def _dome(rng: np.random.Generator, away: float) -> list[dict[str, Any]]:
    """Light from everywhere, a little more from one side."""
    return [_lamp(away, uniform(rng, (0.9, 1.4)), uniform(rng, (0, 6.28)), size=1.5, strength=uniform(rng, (0.2, 0.7)))]


def _ring(rng: np.random.Generator, away: float) -> list[dict[str, Any]]:
    """Six lamps around the lens."""
    elevation, turn = uniform(rng, (0.6, 1.25)), uniform(rng, (0, 6.28))
    return [_lamp(away, elevation, turn + place * math.pi / 3, size=0.25, strength=0.2) for place in range(6)]


def _strip(rng: np.random.Generator, away: float) -> list[dict[str, Any]]:
    """A long lamp on one side, or one on either side, each made of four short ones."""
    elevation, turn, pair = uniform(rng, (0.4, 1.2)), uniform(rng, (0, 6.28)), rng.random() < 0.5
    length, lamps = uniform(rng, (0.5, 1.5)), []
    for side in range(2 if pair else 1):
        middle = _lamp(away, elevation, turn + side * math.pi, size=0.3, strength=0.3)
        along = np.array([-math.sin(turn), math.cos(turn), 0.0]) * length * away
        for share in (-0.5, -0.17, 0.17, 0.5):
            at = np.array(middle["at"]) + share * along
            lamps.append(middle | {"at": [round(float(v), 6) for v in at]})
    return lamps


def _lamp(away: float, elevation: float, azimuth: float, *, size: float, strength: float) -> dict[str, Any]:
    flat = away * math.cos(elevation)
    at = (flat * math.cos(azimuth), flat * math.sin(azimuth), away * math.sin(elevation))
    return {"at": [round(v, 6) for v in at], "size": round(size * away, 6), "strength": round(strength, 6)}
