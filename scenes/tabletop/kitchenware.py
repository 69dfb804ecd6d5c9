"""Spoons, mugs and bottles; lengths in metres, standing or lying on z = 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.kit import meshes
from scenes.kit.meshes import Mesh
from scenes.kit.physics import thinned
from scenes.tabletop.solids import Array, Solid, circle, rings, round_hull, tapered_hull

SPOONS, BOTTLES = ("table", "wooden"), ("medicine", "wine", "detergent", "beer")

_WALLS = 10
"""Convex pieces that a mug's wall falls as."""


def spoon(plan: dict[str, Any]) -> Solid:
    """Along x, the bowl at +x: a strip of rings from the tip of the bowl to the end of the handle."""
    length, wide = plan["length"], plan["wide"]
    bowl = plan["bowl"] * length
    x = np.concatenate(
        [
            bowl * (1 - np.cos(np.linspace(0, np.pi, 22))) / 2,
            bowl + (length - bowl) * np.sin(np.linspace(0, np.pi / 2, 18))[1:],
        ]
    )
    inside = x < bowl
    t = np.where(inside, x / bowl, (x - bowl) / (length - bowl))
    oval = wide * np.sqrt(np.clip(4 * t * (1 - t), 0, 1)) * (1.1 - 0.25 * t)
    neck, grip = plan["neck"] * wide, plan["grip"] * wide
    end = np.clip(1 - 2 * (length - x) / grip, 0, 1)
    handle = (neck + (grip - neck) * t**1.3) * np.sqrt(1 - 0.999 * end**2)
    half = np.maximum(np.where(inside, oval, handle), np.where(inside & (t > 0.5), neck, 0.02 * wide)) / 2
    sag = np.where(inside, plan["depth"] * wide * 4 * t * (1 - t), 0.0)
    rise = np.where(inside, 0.12 * wide * (1 - 2 * t) ** 2, 0.12 * wide + 0.035 * length * np.sin(2.2 * t))
    thick = plan["thickness"] * np.where(inside, 0.7, 1.0)
    mesh = _sweep(length / 2 - x, half, rise, sag, thick, round_handle=~inside & (plan["kind"] == "wooden"))
    points = mesh.vertices
    cut = length / 2 - bowl
    hulls = (thinned(points[points[:, 0] > cut]), thinned(points[points[:, 0] <= cut + 0.02 * length], 40))
    return Solid(((mesh, "body"),), hulls)


def _sweep(x: Array, half: Array, rise: Array, sag: Array, thick: Array, *, round_handle: Array) -> Mesh:
    """Rings of a top side, left to right, and a bottom side, right to left; round where told so."""
    v = np.linspace(-1, 1, 9)
    y = np.concatenate([v, v[::-1]])
    dip = np.concatenate([v**2, v[::-1] ** 2]) - 1
    below = np.concatenate([np.zeros(9), np.ones(9)])
    belly = np.concatenate([np.sqrt(1 - v**2), -np.sqrt(1 - v[::-1] ** 2)])
    flat = rise[:, None] + sag[:, None] * dip - below * thick[:, None]
    full = rise[:, None] + half[:, None] * belly
    z = np.where(round_handle[:, None], full, flat)
    points = np.stack([np.broadcast_to(x[:, None], z.shape), half[:, None] * y, z], -1)
    return Mesh(points.reshape(-1, 3), (meshes.strip(len(x), 18),))


def mug(plan: dict[str, Any]) -> Solid:
    """A cup with a wall one can fall into, and a handle at +x."""
    radius, high, wall = plan["radius"], plan["height"], plan["wall"]
    foot = plan["foot"] * radius
    outside = [(0, 0), (0.8 * foot, 0), (0.82 * foot, 0.02 * high), (0.94 * foot, 0), (foot, 0.03 * high)]
    outside += [(foot + (radius - foot) * s**0.8, (0.03 + 0.95 * s) * high) for s in (0.25, 0.5, 0.75, 1.0)]
    rim = [(radius - 0.25 * wall, high), (radius - 0.75 * wall, high), (radius - wall, 0.98 * high)]
    inside = [(foot + (radius - foot) * s**0.8 - wall, (0.03 + 0.95 * s) * high) for s in (0.75, 0.5, 0.25)]
    inside += [(foot - wall, wall + 0.06 * high), (foot - 2.5 * wall, wall), (0, wall)]
    cup, lining = (meshes.lathe(profile, 40) for profile in ([*outside, *rim], [rim[-1], *inside]))
    handle, pieces = _handle(plan)
    walls = [_sector(radius, foot, wall, high, 2 * math.pi * i / _WALLS) for i in range(_WALLS)]
    parts = ((cup, "body"), (handle, "body"), (lining, "inside"))
    return Solid(parts, (*walls, round_hull(foot, 0.0, wall), *pieces))


def _handle(plan: dict[str, Any]) -> tuple[Mesh, list[Array]]:
    """A flat loop from the upper to the lower wall, and its convex pieces."""
    radius, high, thick = plan["radius"], plan["height"], plan["handle"]
    bend = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 13)
    reach, tall = 0.62 * radius * plan["loop"], 0.3 * high
    x = 0.93 * radius + reach * np.sign(np.cos(bend)) * np.abs(np.cos(bend)) ** 0.7
    z = 0.52 * high + tall * np.sin(bend)
    level = meshes.tube(np.stack([x, z, np.zeros(13)], -1).tolist(), thick / 2, segments=10).turned(np.pi / 2, "x")
    loop = Mesh(level.vertices * (1.0, 1.5, 1.0), level.faces)
    points = loop.vertices.reshape(15, 10, 3)[1:-1]
    return loop, [points[i : i + 5].reshape(-1, 3) for i in (0, 4, 8)]


def _sector(radius: float, foot: float, wall: float, high: float, angle: float) -> Array:
    """One piece of a mug's wall."""
    turn, wide = np.array([angle, angle + 2 * math.pi / _WALLS]), 1 / math.sqrt(math.cos(math.pi / _WALLS))
    rows = [(wide * r, z) for r, z in ((foot, 0.0), (foot - wall, 0.0), (radius, high), (radius - wall, high))]
    return np.concatenate([np.c_[r * np.cos(turn), r * np.sin(turn), np.full(2, z)] for r, z in rows])


def bottle(plan: dict[str, Any]) -> Solid:
    """Body, shoulder, neck, a ridged cap, and a paper label around the body."""
    radius, high = plan["radius"], plan["height"]
    shoulder, neck = plan["shoulder"] * high, plan["neck"] * radius
    cap = plan["cap"] * high
    top = high - cap
    bend = np.linspace(0, np.pi / 2, 9)
    slope = [(neck + (radius - neck) * math.cos(b), shoulder + plan["slope"] * high * math.sin(b)) for b in bend]
    foot = [(0, 0.01 * high), (0.75 * radius, 0.0), (0.92 * radius, 0.0), (radius, 0.03 * high)]
    body = meshes.lathe([*foot, *slope, (neck, top + 0.2 * cap)], 36)
    parts = [(body, "body"), (_cap(plan, 1.18 * neck, top, high), "cap"), *_label(plan)]
    hulls = tapered_hull((radius, 0), (radius, shoulder), (neck, slope[-1][1])), round_hull(1.2 * neck, top, high)
    if plan["slope"] + plan["shoulder"] < 0.8:
        return Solid(tuple(parts), (*hulls, round_hull(neck, slope[-1][1], top)))
    return Solid(tuple(parts), hulls)


def _label(plan: dict[str, Any]) -> list[tuple[Mesh, str]]:
    """Paper around the body with a printed band, lines, and a block as of letters; none where it has no height."""
    low, high = (share * plan["shoulder"] * plan["height"] for share in plan["label"])
    if high <= low:
        return []
    radius, tall = plan["radius"], high - low
    printed = [(0.0, 0.06), (0.62, 0.92), (0.18, 0.22), (0.3, 0.34), (0.42, 0.46)]
    bands = [_band(1.012 * radius, low, high)]
    bands += [_band(1.018 * radius, low + a * tall, low + b * tall) for a, b in printed]
    return [(band, "label" if place == 0 else "ink") for place, band in enumerate(bands)]


def _band(radius: float, low: float, high: float) -> Mesh:
    inner = 0.98 * radius
    return meshes.lathe([(inner, low), (radius, low), (radius, high), (inner, high)], 36)


def _cap(plan: dict[str, Any], radius: float, low: float, high: float) -> Mesh:
    """A screw cap with ridges; a detergent bottle's tapers to a nozzle."""
    ridges = 1 + 0.04 * np.sign(np.sin(18 * circle(72) + 0.01))
    narrow = 0.4 if plan["kind"] == "detergent" else 1.0
    rows = [(radius * ridges, low), (radius * ridges, low + (high - low) * (0.4 if narrow < 1 else 0.9))]
    rows += [(0.95 * radius * narrow, high), (0.0, high)]
    return rings(rows, segments=72)
