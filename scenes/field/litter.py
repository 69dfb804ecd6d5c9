"""Straw and stones as meshes; each kind is one object of the soil's class. Metres."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.field.relief import Relief
from scenes.kit.meshes import Mesh, joined, lump, surface


def straw(plan: dict[str, Any], relief: Relief, reach: float) -> Mesh:
    """Bits of stalk: flat, slightly bent strips."""
    rng, made = np.random.default_rng(plan["seed"]), []
    for _ in range(plan["straw"]):
        x, y = rng.uniform(-reach, reach, 2)
        length, width, angle, bend = (
            rng.uniform(0.02, 0.13),
            rng.uniform(0.002, 0.005),
            rng.uniform(0, 6.28),
            rng.normal(0, 0.25),
        )
        t = np.linspace(-0.5, 0.5, 4)
        heading = angle + bend * t
        side = np.stack([-np.sin(heading), np.cos(heading)], -1) * width / 2
        middle = np.stack([x + length * t * np.cos(angle), y + length * t * np.sin(angle)], -1)
        z = relief.at(x, y) + 0.006 + rng.normal(0, 0.012) * t
        made.append(surface(np.stack([np.c_[middle + way * side, z + 0.001 * (way == 0)] for way in (-1, 0, 1)], 1)))
    return joined(made)


def stones(plan: dict[str, Any], relief: Relief, reach: float) -> Mesh:
    """Pebbles, half sunk in."""
    rng, made = np.random.default_rng(plan["seed"] + 1), []
    for _ in range(plan["stones"]):
        x, y = rng.uniform(-reach, reach, 2)
        size = float(np.clip(np.exp(rng.normal(math.log(0.015), 0.6)), 0.005, 0.07))
        form = (size, size * rng.uniform(0.6, 1.0), size * rng.uniform(0.5, 0.8))
        stone = lump(int(rng.integers(2**31)), form, roughness=0.12, rings=7, segments=12).turned(rng.uniform(0, 6.28))
        made.append(stone.moved((x, y, relief.at(x, y) + 0.1 * size)))
    return joined(made)
