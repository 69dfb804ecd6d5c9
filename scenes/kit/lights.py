"""Lights around a table, and the dim world that fills the shadows.

Strengths are relative: the sensor sets the exposure afterwards, so that only ratios between lights matter.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.kit.sampling import Span, Streams, log_uniform, pick, tint, uniform, whole

KINDS = ("area", "sun", "point", "spot")


def plan_lights(
    streams: Streams,
    *,
    frame_m: float,
    count: Span,
    kinds: dict[str, float],
    elevation_deg: Span,
    distance: Span,
    warmth: float,
) -> list[dict[str, Any]]:
    """Draw one key light and some weaker ones; ``distance`` is in frame sides, near lights being uneven ones."""
    rng = streams("lights")
    number = whole(rng, count)
    lights = [_plan_light(rng, frame_m, kinds, elevation_deg, distance, warmth) for _ in range(number)]
    for light in lights[1:]:
        light["strength"] = round(light["strength"] * float(rng.uniform(0.15, 0.8)), 6)
    return lights


def _plan_light(
    rng: np.random.Generator,
    frame_m: float,
    kinds: dict[str, float],
    elevation_deg: Span,
    distance: Span,
    warmth: float,
) -> dict[str, Any]:
    elevation, azimuth = math.radians(uniform(rng, elevation_deg)), rng.uniform(0, 2 * math.pi)
    away = log_uniform(rng, distance) * frame_m
    flat = away * math.cos(elevation)
    return {
        "kind": pick(rng, kinds),
        "at": [
            round(flat * math.cos(azimuth), 6),
            round(flat * math.sin(azimuth), 6),
            round(away * math.sin(elevation), 6),
        ],
        "aim": [round(float(v) * frame_m, 6) for v in rng.uniform(-0.5, 0.5, 2)],
        "size": round(away * log_uniform(rng, (0.05, 1.2)), 6),
        "strength": log_uniform(rng, (0.5, 2.0)),
        "colour": tint(rng, (1.0, 1.0), (0.0, warmth)),
    }


def plan_ambient(streams: Streams, *, level: Span, warmth: float) -> dict[str, Any]:
    """Draw the world's even light, as a ratio to a key light of strength 1."""
    rng = streams("ambient")
    return {"colour": tint(rng, (1.0, 1.0), (0.0, warmth)), "strength": log_uniform(rng, level)}


def place_lights(lights: list[dict[str, Any]], ambient: dict[str, Any]) -> None:
    """Put the planned lights and the world into the scene."""
    import blenderproc as bproc

    for plan in lights:
        _place_light(plan)
    bproc.renderer.set_world_background(ambient["colour"], ambient["strength"])


def _place_light(plan: dict[str, Any]) -> None:
    import blenderproc as bproc

    at = np.array(plan["at"])
    ray = np.array([*plan["aim"], 0.0]) - at
    away = float(np.linalg.norm(ray))
    light = bproc.types.Light(plan["kind"].upper())
    light.set_location(at)
    light.set_rotation_mat(bproc.camera.rotation_from_forward_vec(ray))
    light.set_color(plan["colour"])
    # Strength 1 lights a white surface at the aim as brightly as a world of strength 1 would.
    unit = {"sun": math.pi, "area": (math.pi * away) ** 2}.get(plan["kind"], (2 * math.pi * away) ** 2)
    light.set_energy(plan["strength"] * unit)
    _shape(light.blender_obj.data, plan, away)


def _shape(data: Any, plan: dict[str, Any], away: float) -> None:
    """Give the lamp its extent: the larger, the softer its shadows."""
    if plan["kind"] == "area":
        data.shape, data.size = "DISK", plan["size"]
    elif plan["kind"] == "sun":
        data.angle = min(plan["size"] / away, 1.0)
    else:
        data.shadow_soft_size = plan["size"] / 4
    if plan["kind"] == "spot":
        data.spot_size, data.spot_blend = 1.2, 0.9
