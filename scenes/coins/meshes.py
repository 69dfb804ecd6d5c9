"""The mesh of a struck coin, built in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.coins import relief
from scenes.kit.meshes import Mesh, strip

RINGS, SEGMENTS = 40, 128
"""Vertices of a coin's face along the radius and around it: finer than pixels at the sizes the pack renders."""


def coin_mesh(plan: dict[str, Any]) -> tuple[Mesh, npt.NDArray[Any]]:
    """A coin of radius 1 that stands on z = 0, and the height of its relief at each vertex (N,).

    Ring 0 is the middle, all its vertices in one point; the face's rings follow, then the rounded shoulder, the wall
    and the foot.
    """
    angle = np.linspace(0, 2 * np.pi, SEGMENTS, endpoint=False)
    edge = relief.outline(angle, plan["seed"], plan["irregularity"])
    share = np.concatenate([np.linspace(0, 0.965, RINGS), [0.99, 1.0, 0.995]])
    radius = share[:, None] * edge[None, :]
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    height = relief.face(plan["motif"], plan["seed"], x, y, border=plan["border"], wear=plan["wear"])
    z = plan["thickness"] + plan["relief"] * 0.5 * height
    z[-3] -= 0.15 * plan["thickness"]
    z[-2] = 0.5 * plan["thickness"]
    z[-1] = 0.0
    vertices = np.stack([x, y, z], -1).reshape(-1, 3)
    return Mesh(vertices, (strip(len(share), SEGMENTS),)), height.ravel()
