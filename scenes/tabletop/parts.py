"""Which parts there are, how large they come, and what they are made of. Each function draws from one stream."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from scenes.kit.sampling import chance, pick, uniform
from scenes.tabletop import fasteners, finishes, kitchenware, tools
from scenes.tabletop.solids import Solid

Draw = np.random.Generator


def plan_part(name: str, rng: Draw) -> dict[str, Any]:
    """Draw one part: its shape, the finish of each of its surfaces, its ``reach`` about its middle (metres), and the
    ``area`` (square metres) that it covers lying.
    """
    shape, surfaces = _DRAWN[name](rng)
    length, breadth = _extent(shape)
    return {
        "class": name,
        "shape": shape,
        "surfaces": surfaces,
        "reach": round(0.58 * math.hypot(length, breadth), 6),
        "area": round(length * breadth, 8),
    }


def solid(part: dict[str, Any]) -> Solid:
    """The planned part's meshes and hulls."""
    return _BUILT[part["class"]](part["shape"])


def _extent(shape: dict[str, Any]) -> tuple[float, float]:
    """Length and breadth of a part that lies, about."""
    if "studs" in shape:
        return max(shape["studs"]) * shape["pitch"], min(shape["studs"]) * shape["pitch"]
    length = shape.get("length", shape.get("height", 0.0)) + 0.7 * shape.get("width", 0.0)
    half = shape.get("outer", shape.get("radius", shape.get("head", shape.get("width", 0.0))))
    return length, shape.get("wide", 2 * half)


def _bolt(rng: Draw) -> tuple[dict[str, Any], dict[str, Any]]:
    width, long = uniform(rng, (0.009, 0.018)), uniform(rng, (2.8, 6.0))
    shape = {
        "kind": pick(rng, {"hex": 1.6, "socket": 0.7, "dome": 0.6}),
        "width": width,
        "length": round(width * long, 6),
        "threaded": uniform(rng, (0.5, 0.97)),
        "pitch": round(width * uniform(rng, (0.15, 0.2)), 6),
    }
    return shape, {"body": finishes.metal(rng, finishes.FASTENER)}


def _nut(rng: Draw) -> tuple[dict[str, Any], dict[str, Any]]:
    width = uniform(rng, (0.013, 0.024))
    shape = {
        "kind": pick(rng, {"hex": 1.6, "flange": 0.6, "lock": 0.7}),
        "width": width,
        "height": round(width * uniform(rng, (0.62, 0.82)), 6),
        "pitch": round(width * uniform(rng, (0.13, 0.18)), 6),
    }
    return shape, {"body": finishes.metal(rng, finishes.FASTENER), "ring": finishes.plastic(rng)}


def _washer(rng: Draw) -> tuple[dict[str, Any], dict[str, Any]]:
    inner = uniform(rng, (0.006, 0.0115))
    shape = {
        "inner": inner,
        "outer": round(inner * uniform(rng, (1.75, 2.6)), 6),
        "thickness": uniform(rng, (0.002, 0.0035)),
    }
    rubber = chance(rng, 0.12)
    finish, dark = finishes.metal(rng, finishes.FASTENER), finishes.plastic(rng)
    return shape, {"body": dark if rubber else finish}


def _wrench(rng: Draw) -> tuple[dict[str, Any], dict[str, Any]]:
    length = uniform(rng, (0.11, 0.19))
    shape = {
        "kind": pick(rng, {"open": 1.0, "combination": 1.4, "ring": 0.3}),
        "length": length,
        "head": round(length * uniform(rng, (0.095, 0.125)), 6),
        "ratio": uniform(rng, (0.75, 0.95)),
        "thickness": uniform(rng, (0.006, 0.009)),
    }
    return shape, {"body": finishes.metal(rng, finishes.TOOL)}


def _spoon(rng: Draw) -> tuple[dict[str, Any], dict[str, Any]]:
    kind = pick(rng, {"table": 1.6, "wooden": 1.0})
    length, stout = uniform(rng, (0.13, 0.19)), kind == "wooden"
    shape = {
        "kind": kind,
        "length": length,
        "wide": round(length * uniform(rng, (0.21, 0.26)), 6),
        "bowl": uniform(rng, (0.3, 0.36)),
        "neck": uniform(rng, (0.26, 0.3)) if stout else uniform(rng, (0.13, 0.18)),
        "grip": uniform(rng, (0.26, 0.32)) if stout else uniform(rng, (0.38, 0.5)),
        "depth": uniform(rng, (0.2, 0.32)),
        "thickness": 0.004 if stout else 0.0022,
    }
    steel, wood, bright = finishes.metal(rng, finishes.CUTLERY), finishes.wood(rng), finishes.plastic(rng)
    return shape, {"body": (bright if chance(rng, 0.2) else wood) if stout else steel}


def _mug(rng: Draw) -> tuple[dict[str, Any], dict[str, Any]]:
    radius = uniform(rng, (0.034, 0.042))
    shape = {
        "radius": radius,
        "height": round(radius * uniform(rng, (1.9, 2.5)), 6),
        "wall": uniform(rng, (0.0028, 0.0045)),
        "foot": uniform(rng, (0.72, 1.0)),
        "handle": uniform(rng, (0.007, 0.01)),
        "loop": uniform(rng, (0.9, 1.15)),
        "width": round(1.1 * radius, 6),
    }
    glaze, other = finishes.ceramic(rng), finishes.ceramic(rng)
    return shape, {"body": glaze, "inside": other if chance(rng, 0.5) else glaze}


def _bottle(rng: Draw) -> tuple[dict[str, Any], dict[str, Any]]:
    kind = pick(rng, dict.fromkeys(kitchenware.BOTTLES, 1.0))
    form = {
        "medicine": ((1.9, 2.3), 0.62, 0.12, 0.55, 0.16),
        "wine": ((3.6, 4.4), 0.56, 0.12, 0.32, 0.05),
        "detergent": ((2.8, 3.4), 0.66, 0.16, 0.36, 0.14),
        "beer": ((3.2, 3.7), 0.52, 0.22, 0.4, 0.05),
    }[kind]
    radius = uniform(rng, (0.019, 0.026))
    low, high = uniform(rng, (0.12, 0.25)), uniform(rng, (0.75, 0.9))
    labelled = chance(rng, 0.8)
    shape = {
        "kind": kind,
        "radius": radius,
        "height": round(radius * uniform(rng, form[0]), 6),
        **dict(zip(("shoulder", "slope", "neck", "cap"), form[1:], strict=True)),
        "label": [low, high if labelled else low],
    }
    glass = finishes.glass(rng) if kind in ("wine", "beer") else finishes.plastic(rng)
    if kind == "medicine" and chance(rng, 0.6):
        glass = finishes.glass(rng)
    paper, ink = finishes.paper(rng), finishes.plastic(rng, bright=True)
    return shape, {"body": glass, "cap": finishes.plastic(rng), "label": paper, "ink": ink}


def _brick(rng: Draw) -> tuple[dict[str, Any], dict[str, Any]]:
    pitch = uniform(rng, (0.011, 0.016))
    long, wide = pick(rng, {"42": 2.0, "22": 0.8, "32": 0.6, "41": 0.5})
    shape = {"pitch": pitch, "height": round(pitch * uniform(rng, (1.1, 1.25)), 6), "studs": [int(long), int(wide)]}
    return shape, {"body": finishes.plastic(rng, bright=True)}


_DRAWN: dict[str, Callable[[Draw], tuple[dict[str, Any], dict[str, Any]]]] = {
    "bolt": _bolt,
    "nut": _nut,
    "washer": _washer,
    "wrench": _wrench,
    "spoon": _spoon,
    "mug": _mug,
    "bottle": _bottle,
    "brick": _brick,
}

_BUILT: dict[str, Callable[[dict[str, Any]], Solid]] = {
    "bolt": fasteners.bolt,
    "nut": fasteners.nut,
    "washer": fasteners.washer,
    "wrench": tools.wrench,
    "spoon": kitchenware.spoon,
    "mug": kitchenware.mug,
    "bottle": kitchenware.bottle,
    "brick": tools.brick,
}

PARTS = tuple(_DRAWN)
"""Names of the parts, in the order of their class ids from 1."""
