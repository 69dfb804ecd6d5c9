"""Bolts, nuts and washers, in the proportions of metric ones; lengths in metres, axis upright."""

from __future__ import annotations

from typing import Any

import numpy as np

from scenes.kit import meshes
from scenes.kit.meshes import Mesh
from scenes.tabletop.solids import (
    SIDES,
    Array,
    Solid,
    chamfered,
    circle,
    hex_hull,
    hexagon,
    rings,
    round_hull,
    tapered_hull,
)

HEADS, NUTS = ("hex", "socket", "dome"), ("hex", "flange", "lock")

_TURNS = 24
"""Vertices around a thread."""


def bolt(plan: dict[str, Any]) -> Solid:
    """Head below z = 0, shaft above it; the thread is a real helix."""
    width, length = plan["width"], plan["length"]
    head, radius, depth = _head(plan["kind"], width)
    plain = length * (1 - plan["threaded"])
    shank = rings([(width / 2, 0.0), (width / 2, plain), (0.44 * width, plain)], segments=_TURNS)
    shaft = meshes.joined([head, shank, _thread(width, plain, length, plan["pitch"])])
    return Solid(((shaft, "body"),), (round_hull(radius, -depth, 0.0), round_hull(width / 2, 0.0, length, number=8)))


def nut(plan: dict[str, Any]) -> Solid:
    """A hexagon with a threaded hole; a lock nut carries a ring of plastic, a flange nut a foot."""
    width, high = plan["width"], plan["height"]
    flat, bore = 0.79 * width, width / 2
    inside = _bore(width, high, plan["pitch"])
    outside = rings([*chamfered(flat, high, both=True), *inside], closed=True)
    parts, hull = [(outside, "body")], hex_hull(flat, 0.0, high)
    if plan["kind"] == "flange":
        parts.append(
            (meshes.lathe([(bore, 0), (1.4 * flat, 0), (1.4 * flat, 0.12 * high), (flat, 0.35 * high)]), "body")
        )
        hull = np.concatenate([hull, round_hull(1.4 * flat, 0.0, 0.12 * high)])
    if plan["kind"] == "lock":
        top = 1.35 * high
        collar = [(0.92 * flat, high), (0.92 * flat, 1.3 * high), (0.84 * flat, top), (0.78 * flat, top)]
        parts.append((meshes.lathe(collar, SIDES), "body"))
        ring = [(0.78 * flat, 0.98 * top), (0.88 * bore, 0.98 * top), (0.88 * bore, high)]
        parts.append((meshes.lathe(ring, SIDES), "ring"))
        hull = hex_hull(flat, 0.0, top)
    return Solid(tuple(parts), (hull,))


def washer(plan: dict[str, Any]) -> Solid:
    """A flat ring with broken edges; its hull has a keen edge, on which it cannot come to rest."""
    inner, outer, thick = plan["inner"], plan["outer"], plan["thickness"]
    edge = 0.2 * thick
    profile = [(inner, 0), (outer - edge, 0), (outer, edge), (outer, thick - edge), (outer - edge, thick)]
    ring = rings([*profile, (inner + edge, thick), (inner, thick - edge)], closed=True)
    keen = tapered_hull((0.96 * outer, 0.0), (outer, thick / 2), (0.96 * outer, thick), number=20)
    return Solid(((ring, "body"),), (keen,))


def _head(kind: str, width: float) -> tuple[Mesh, float, float]:
    """(mesh hanging below z = 0, its largest radius, its depth)."""
    if kind == "hex":
        flat, deep = 0.79 * width, 0.66 * width
        rows = [(0.0, 0.0), *chamfered(flat, deep, both=False), (0.0, deep)]
        return rings(rows).turned(np.pi, "x"), 1.14 * flat, deep
    radius, deep = (0.76 * width, width) if kind == "socket" else (0.95 * width, 0.6 * width)
    key = hexagon(0.42 * width)
    if kind == "socket":
        outside = [(0.0, 0.0), (radius, 0.0), (radius, 0.9 * deep), (0.9 * radius, deep)]
    else:
        bend = np.linspace(0, 1.1, 6)
        outside = [(0.0, 0.0), *((radius * np.cos(a), deep * np.sin(a) / np.sin(1.1)) for a in bend)]
    recess = [(key, deep), (key, 0.45 * deep), (0.0, 0.4 * deep)]
    return rings([*outside, *recess]).turned(np.pi, "x"), radius, deep


def _wave(z: Array, pitch: float, angle: Array) -> Array:
    """How deep into the thread a place lies, 0 on its crest to 1 in its root."""
    phase = (z[:, None] / pitch - angle[None] / (2 * np.pi)) % 1.0
    return np.clip(1.35 * np.abs(2 * phase - 1) - 0.15, 0, 1)


def _thread(width: float, low: float, high: float, pitch: float) -> Mesh:
    """The threaded end of a shaft, pointed a little, closed at its tip."""
    z = np.linspace(low, high, max(int(5 * (high - low) / pitch), 4))
    radius = width / 2 * (1 - 0.2 * _wave(z, pitch, circle(_TURNS)))
    radius = np.minimum(radius, (0.4 * width + (high - z) * 0.8)[:, None])
    rows = [*zip(radius, z, strict=True), (0.0, high)]
    return rings(rows, segments=_TURNS)


def _bore(width: float, high: float, pitch: float) -> list[tuple[Any, Any]]:
    """Rings of the threaded hole from the top down, countersunk at both ends."""
    z = np.linspace(high, 0, max(int(4 * high / pitch), 6))
    radius = width / 2 * (0.88 + 0.12 * _wave(z, pitch, circle(SIDES)))
    sink = np.maximum(0.54 * width - np.minimum(z, high - z), 0)
    return list(zip(np.maximum(radius, sink[:, None]), z, strict=True))
