"""The part under inspection: flat, bent or wavy, with edges inside the picture or far outside. Unit: frame sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.kit.meshes import Mesh, surface
from scenes.kit.sampling import Span, chance, log_uniform, pick, seed_of, uniform

SHAPES = ("flat", "cylinder", "wavy")
SIDES = ("left", "right", "bottom", "top")
FAR, DEPTH, CELLS = 1.7, 0.25, 72
"""Where a part ends outside the picture; its thickness; cells of its mesh a side."""


def plan_part(
    rng: np.random.Generator, *, shapes: dict[str, float], curvature: Span, edge_share: float
) -> dict[str, Any]:
    """Draw the part. ``curvature`` is 1 / radius of a cylinder, and ten times the height of a wavy cloth."""
    ends = {side: uniform(rng, (0.32, 0.49)) * (-1 if side in ("left", "bottom") else 1) for side in SIDES}
    cut, order = chance(rng, edge_share), rng.permutation(4)
    kept = order[: 1 + int(rng.choice(3, p=(0.5, 0.35, 0.15)))] if cut else []
    return {
        "shape": pick(rng, shapes),
        "curvature": uniform(rng, curvature),
        "axis": int(rng.integers(2)),
        "bevel": log_uniform(rng, (0.004, 0.03)),
        "edges": {SIDES[place]: ends[SIDES[place]] for place in sorted(kept)},
        "seed": seed_of(rng),
    }


def part_mesh(plan: dict[str, Any]) -> Mesh:
    """The part's upper side with its bevelled edges, its highest point near z = 0."""
    ends = {side: plan["edges"].get(side, -FAR if side in ("left", "bottom") else FAR) for side in SIDES}
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
    inner = np.linspace(low + bevel, high - bevel, CELLS)[1:-1]
    parts = [(inner, np.zeros(CELLS - 2))]
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
