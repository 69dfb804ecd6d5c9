"""The part under inspection: flat, bent or wavy, with edges inside the picture or far outside. Unit: frame sides."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.kit.footprint import Footprint
from scenes.kit.meshes import Mesh, surface
from scenes.kit.sampling import Span, chance, log_uniform, pick, seed_of, uniform

SHAPES = ("flat", "cylinder", "wavy")
WAYS = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "bottom": (0.0, -1.0), "top": (0.0, 1.0)}
"""Sides of the part, and where they lie."""

FAR, DEPTH, CELLS = 1.7, 0.25, 72
"""Where a part ends outside the picture, at least; its thickness; cells of its mesh along such a length."""

_SEEN = 2 / 3
"""Half the longer side of a 4:3 picture."""


def sides(away: dict[str, float], footprint: Footprint) -> dict[str, float]:
    """Where sides lie that are so far ``away`` from the middle of a 4:3 picture: as near the ends of wider ones."""
    return {side: round(sum(WAYS[side]) * footprint.end(WAYS[side], reach), 6) for side, reach in away.items()}


def plan_part(
    rng: np.random.Generator, *, shapes: dict[str, float], curvature: Span, edge_share: float, footprint: Footprint
) -> dict[str, Any]:
    """Draw the part. ``curvature`` is 1 / radius of a cylinder, and ten times the height of a wavy cloth. A cylinder
    that bends along a wide picture bends less, so that it is seen as near the picture's ends.
    """
    ends = sides({side: uniform(rng, (0.32, 0.49)) for side in WAYS}, footprint)
    cut, order = chance(rng, edge_share), rng.permutation(4)
    kept = order[: 1 + int(rng.choice(3, p=(0.5, 0.35, 0.15)))] if cut else []
    shape, bend, axis = pick(rng, shapes), uniform(rng, curvature), int(rng.integers(2))
    if shape == "cylinder":
        bend = _flattened(bend, max(map(abs, footprint.box(_SEEN)[axis])) / _SEEN, footprint.distance)
    return {
        "shape": shape,
        "curvature": bend,
        "axis": axis,
        "bevel": log_uniform(rng, (0.004, 0.03)),
        "edges": {side: ends[side] for side in (list(WAYS)[place] for place in sorted(kept))},
        "seed": seed_of(rng),
    }


def _flattened(curvature: float, wider: float, distance: float) -> float:
    """Curvature of the cylinder of which so many times as much is seen, from the same distance above its top."""
    if wider == 1:
        return curvature
    radius = 1 / max(curvature, 1e-3)
    half = wider * distance * radius / math.sqrt(distance**2 + 2 * distance * radius)
    return round(1 / (half**2 / distance + math.sqrt(half**4 / distance**2 + half**2)), 6)


def part_mesh(plan: dict[str, Any], *, seen: tuple[Span, Span] = ((0.0, 0.0), (0.0, 0.0))) -> Mesh:
    """The part's upper side with its bevelled edges, its highest point near z = 0; it ends outside of what is seen."""
    (left, right), (bottom, top) = ((min(low, -FAR), max(high, FAR)) for low, high in seen)
    ends = {"left": left, "right": right, "bottom": bottom, "top": top} | plan["edges"]
    x, fall_x = _marks(ends["left"], ends["right"], plan, ("left", "right"))
    y, fall_y = _marks(ends["bottom"], ends["top"], plan, ("bottom", "top"))
    across, along = np.meshgrid(x, y)
    fall = np.maximum(*np.meshgrid(fall_x, fall_y))
    return surface(np.stack([across, along, _height(plan, across, along) - fall], -1))


def _marks(
    low: float, high: float, plan: dict[str, Any], sides: tuple[str, str]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Places of the mesh's lines along one axis, and how far each lies lower than the part's face."""
    bevel = plan["bevel"]
    edge = np.array([(bevel, 0.0), (0.35 * bevel, 0.25 * bevel), (0.0, bevel), (0.0, DEPTH)])
    inner = np.linspace(low + bevel, high - bevel, max(CELLS, math.ceil(CELLS * (high - low) / (2 * FAR) - 1e-6)))[1:-1]
    parts = [(inner, np.zeros(len(inner)))]
    if sides[0] in plan["edges"]:
        parts.insert(0, (low + edge[::-1, 0], edge[::-1, 1]))
    if sides[1] in plan["edges"]:
        parts.append((high - edge[:, 0], edge[:, 1]))
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _height(plan: dict[str, Any], x: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[Any]:
    bent = (x, y)[plan["axis"]]
    if plan["shape"] == "cylinder":
        radius = 1 / max(plan["curvature"], 1e-3)
        return np.asarray(np.sqrt(np.maximum(radius**2 - bent**2, 0.04 * radius**2)) - radius)
    if plan["shape"] == "wavy":
        rng, total = np.random.default_rng(plan["seed"]), np.zeros_like(x)
        for _ in range(5):
            (a, b), phase = rng.normal(0, 4, 2), rng.uniform(0, 6)
            total = total + np.sin(a * x + b * y + phase) / 5
        return np.asarray(0.1 * plan["curvature"] * total)
    return np.zeros_like(x)
