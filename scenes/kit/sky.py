"""Skies from a formula, with the light that goes with them: a clear day, an overcast one, dusk.

The world is a gradient from horizon to zenith with a glow around the sun and clouds by noise, so that it lights the
scene the way a photographed panorama would, at no cost in files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scenes.kit.sampling import Span, Streams, log_uniform, pick, seed_of, settle, uniform
from scenes.kit.tree import Socket
from scenes.kit.world import World

KINDS = ("sun", "overcast", "dusk")

_HUES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "sun": ((0.62, 0.74, 0.9), (0.16, 0.34, 0.78)),
    "overcast": ((0.86, 0.88, 0.9), (0.7, 0.74, 0.8)),
    "dusk": ((0.95, 0.55, 0.32), (0.13, 0.18, 0.36)),
}
"""Linear colours at the horizon and at the zenith."""


@dataclass(frozen=True, kw_only=True)
class Sky:
    """An outdoor sky. ``level`` is the sky's brightness, ``sun`` the sun's strength relative to it on a clear day."""

    kinds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 1.0))
    elevation_deg: Span = (15.0, 65.0)
    sun: Span = (1.5, 6.0)
    clouds: Span = (0.0, 0.8)
    variety: float = 0.15

    spans: ClassVar = {"elevation_deg": (1.0, 90.0), "sun": (0.1, 30.0), "clouds": (0.0, 1.0)}

    def __post_init__(self) -> None:
        settle(self, spans=self.spans, shares=("variety",), weights={"kinds": KINDS})

    def plan(self, streams: Streams) -> dict[str, Any]:
        """Draw a sky and the sun in it."""
        rng = streams("sky")
        kind, elevation = pick(rng, self.kinds), uniform(rng, self.elevation_deg)
        sun, clouds = log_uniform(rng, self.sun), uniform(rng, self.clouds)
        tints = rng.uniform(1 - self.variety, 1 + self.variety, (2, 3))
        horizon, zenith = (np.clip(np.array(hue) * t, 0, 1) for hue, t in zip(_HUES[kind], tints, strict=True))
        return {
            "kind": kind,
            "azimuth_deg": uniform(rng, (0, 360)),
            "elevation_deg": elevation if kind != "dusk" else round(2 + elevation / 8, 4),
            "sun": {"sun": sun, "overcast": 0.05 * sun, "dusk": 0.3 * sun}[kind],
            "softness_deg": uniform(rng, (0.5, 2.0)) if kind != "overcast" else uniform(rng, (20, 60)),
            "clouds": clouds,
            "cloud_size": log_uniform(rng, (0.8, 3.0)),
            "horizon": [round(float(c), 4) for c in horizon],
            "zenith": [round(float(c), 4) for c in zenith],
            "seed": seed_of(rng),
        }


def place_sky(plan: dict[str, Any]) -> None:
    """Put world and sun into the scene."""
    import blenderproc as bproc

    _paint_world(plan)
    light = bproc.types.Light("SUN")
    light.set_rotation_mat(bproc.camera.rotation_from_forward_vec(-_towards_sun(plan)))
    light.set_color(_sunlight(plan))
    light.set_energy(plan["sun"] * math.pi / 2)
    light.blender_obj.data.angle = math.radians(plan["softness_deg"])


def _towards_sun(plan: dict[str, Any]) -> Any:
    azimuth, elevation = math.radians(plan["azimuth_deg"]), math.radians(plan["elevation_deg"])
    flat = math.cos(elevation)
    return np.array([flat * math.cos(azimuth), flat * math.sin(azimuth), math.sin(elevation)])


def _sunlight(plan: dict[str, Any]) -> list[float]:
    """Warmer towards the horizon."""
    low = math.exp(-plan["elevation_deg"] / 12)
    return [1.0, 1.0 - 0.45 * low, 0.92 - 0.72 * low]


def _paint_world(plan: dict[str, Any]) -> None:
    world = World()
    _, _, height = world.axes(world.direction)
    above = world.math("MAXIMUM", height, 0.0)
    sky = world.mix(world.math("POWER", above, 0.55), plan["horizon"], plan["zenith"])
    sky = world.mix(_clouds(world, plan, above), sky, _cloud_colour(plan))
    world.paint(world.mix(_glow(world, plan), sky, [2.2, 1.9, 1.5]))


def _cloud_colour(plan: dict[str, Any]) -> list[float]:
    grey = {"sun": 1.05, "overcast": 0.55, "dusk": 0.35}[plan["kind"]]
    return [grey * (0.5 + 0.5 * c) for c in (1.0, 0.98, 0.96)]


def _clouds(world: World, plan: dict[str, Any], above: Socket) -> Socket:
    """Noise on a plane far above, thinning towards the horizon."""
    flat = world.math("ADD", above, 0.12)
    x, y, _ = world.axes(world.direction)
    at = world.vector(world.math("DIVIDE", x, flat), world.math("DIVIDE", y, flat), plan["seed"] % 1000)
    noise = world.node("TexNoise", {"Vector": at, "Scale": 1.0 / plan["cloud_size"], "Detail": 5.0}).outputs["Fac"]
    level = 0.75 - 0.4 * plan["clouds"]
    return world.ramp(noise, level - 0.08, level + 0.12, (0.0, min(1.0, 2 * plan["clouds"])))


def _glow(world: World, plan: dict[str, Any]) -> Socket:
    """Brightness around the sun."""
    near = world.math("MAXIMUM", world.dot(world.direction, _towards_sun(plan)), 0.0)
    strength = {"sun": 0.6, "overcast": 0.1, "dusk": 0.8}[plan["kind"]]
    return world.math("MULTIPLY", world.math("POWER", near, 24.0), strength)
