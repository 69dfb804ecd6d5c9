"""The light of a room: a world with a bright ceiling, a dim floor and a few windows or lamps, for metal to mirror.

An even world makes polished things look grey and flat; the windows are what one sees in them. Strengths are relative,
as in `scenes.kit.lights`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.kit.sampling import Span, Streams, log_uniform, tint, uniform, whole
from scenes.kit.tree import Socket
from scenes.kit.world import World


def plan_room(streams: Streams, *, level: Span, warmth: float, windows: Span = (1, 3)) -> dict[str, Any]:
    """Draw a room's light; ``level`` is its mean strength against a key light of 1, drawn by ratio."""
    rng = streams("room")
    return {
        "strength": log_uniform(rng, level),
        "ceiling": tint(rng, (0.9, 1.3), (0.0, warmth)),
        "floor": tint(rng, (0.1, 0.6), (0.0, 2 * warmth)),
        "windows": [_window(rng, warmth) for _ in range(whole(rng, windows))],
    }


def _window(rng: np.random.Generator, warmth: float) -> dict[str, Any]:
    """A bright oblong around a direction; half its width and height as tangents."""
    return {
        "azimuth_deg": uniform(rng, (0, 360)),
        "elevation_deg": uniform(rng, (15, 80)),
        "half": [log_uniform(rng, (0.2, 0.7)), log_uniform(rng, (0.15, 0.5))],
        "strength": log_uniform(rng, (2.0, 7.0)),
        "colour": tint(rng, (1.0, 1.0), (0.0, warmth)),
    }


def place_room(plan: dict[str, Any]) -> None:
    """Paint the world."""
    world = World()
    up = world.dot(world.direction, (0.0, 0.0, 1.0))
    colour = world.mix(world.ramp(up, -0.3, 0.9), plan["floor"], plan["ceiling"])
    for window in plan["windows"]:
        glass = [channel * window["strength"] for channel in window["colour"]]
        colour = world.mix(_inside(world, window), colour, glass)
    world.paint(colour, plan["strength"])


def _inside(world: World, window: dict[str, Any]) -> Socket:
    """1 in the window, soft at its edges."""
    azimuth, elevation = (math.radians(window[f"{name}_deg"]) for name in ("azimuth", "elevation"))
    cos, sin = math.cos(azimuth), math.sin(azimuth)
    low, high = math.cos(elevation), math.sin(elevation)
    towards, across, up = (
        world.dot(world.direction, axis)
        for axis in ((cos * low, sin * low, high), (-sin, cos, 0.0), (-cos * high, -sin * high, low))
    )
    away = world.math("MAXIMUM", towards, 1e-3)
    edges = []
    for side, half in zip((across, up), window["half"], strict=True):
        offset = world.math("DIVIDE", world.math("ABSOLUTE", side, 0.0), away)
        edges.append(world.ramp(offset, 1.1 * half, 0.95 * half))
    return world.math("MULTIPLY", edges[0], edges[1])
