"""Straw and stones as meshes; each kind is one object of the soil's class. Metres."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.field.relief import Relief
from scenes.kit.footprint import Footprint
from scenes.kit.meshes import Mesh, joined, lump, surface


def straw(plan: dict[str, Any], relief: Relief, reach: float, footprint: Footprint) -> Mesh:
    """Bits of stalk: flat, bent strips, most of them short."""
    rng, made = np.random.default_rng(plan["seed"]), []
    for _ in range(plan["straw"]):
        x, y = _place(rng, reach, footprint)
        length = float(np.clip(np.exp(rng.normal(math.log(0.045), 0.55)), 0.01, 0.16))
        width, angle, bend = rng.uniform(0.0012, 0.004), rng.uniform(0, 6.28), rng.normal(0, 0.5)
        t = np.linspace(-0.5, 0.5, 5)
        heading = angle + bend * t
        ways = np.stack([np.cos(heading), np.sin(heading)], -1)
        middle = np.array([x, y]) + np.cumsum(ways * length / 4, 0) - ways.mean(0) * length / 2
        side = ways[:, ::-1] * (-1, 1) * width / 2 * rng.uniform(0.4, 1.0, (5, 1))
        z = relief.at(x, y) + 0.006 + rng.normal(0, 0.012) * t
        made.append(surface(np.stack([np.c_[middle + way * side, z + 0.001 * (way == 0)] for way in (-1, 0, 1)], 1)))
    return joined(made)


def stones(plan: dict[str, Any], relief: Relief, reach: float, footprint: Footprint) -> Mesh:
    """Pebbles, half sunk in."""
    rng, made = np.random.default_rng(plan["seed"] + 1), []
    for _ in range(plan["stones"]):
        x, y = _place(rng, reach, footprint)
        size = float(np.clip(np.exp(rng.normal(math.log(0.015), 0.6)), 0.005, 0.07))
        form = (size, size * rng.uniform(0.6, 1.0), size * rng.uniform(0.5, 0.8))
        stone = lump(int(rng.integers(2**31)), form, roughness=0.12, rings=7, segments=12).turned(rng.uniform(0, 6.28))
        made.append(stone.moved((x, y, relief.at(x, y) + 0.1 * size)))
    return joined(made)


def _place(rng: np.random.Generator, reach: float, footprint: Footprint) -> tuple[float, float]:
    along, across = rng.uniform(-reach, reach, 2).tolist()
    return footprint.ground(along * footprint.longer(reach), across)
