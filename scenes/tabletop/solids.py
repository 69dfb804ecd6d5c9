"""What a part is made of: what is seen of it, and the convex parts as which it falls; shapes that parts share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.kit import meshes
from scenes.kit.meshes import Mesh

Array = npt.NDArray[Any]

SIDES = 48
"""Vertices around hexagonal parts: a multiple of 12, so that corners and flats have vertices of their own."""


@dataclass(frozen=True)
class Solid:
    """Meshes with the name of the surface of each, and convex hulls as points; metres, in the part's own space."""

    parts: tuple[tuple[Mesh, str], ...]
    hulls: tuple[Array, ...]

    @property
    def centre(self) -> Array:
        """Centre of mass, as if each hull were its bounding box."""
        low = np.array([hull.min(0) for hull in self.hulls])
        high = np.array([hull.max(0) for hull in self.hulls])
        return np.asarray(np.average((low + high) / 2, axis=0, weights=np.prod(high - low, 1) + 1e-12))


def circle(number: int) -> Array:
    """Angles around a circle, the end left out."""
    return np.linspace(0, 2 * np.pi, number, endpoint=False)


def hexagon(flat: float) -> Array:
    """Radius at each of `SIDES` angles of a hexagon whose flats lie ``flat`` from the middle."""
    return flat / np.cos((circle(SIDES) + math.pi / 6) % (math.pi / 3) - math.pi / 6)


def rings(rows: Sequence[tuple[Any, Any]], *, segments: int = SIDES, closed: bool = False) -> Mesh:
    """Rings of (radius, z), either the same all around or one value for each angle; ``closed`` for a torus."""
    shape = (len(rows), segments)
    radius, z = (np.stack([np.broadcast_to(row[part], segments) for row in rows]) for part in (0, 1))
    angle = circle(segments)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle), z], -1).reshape(-1, 3)
    faces = meshes.strip(shape[0] + closed, segments)[:, ::-1]
    return Mesh(points, (faces % len(points),))


def chamfered(flat: float, height: float, *, both: bool) -> list[tuple[Any, Any]]:
    """Rings of a hexagon's outside from z = 0 up to ``height``, its corners turned off at the top, or at both ends."""
    outline, rim = hexagon(flat), 0.96 * flat
    drop = 0.55 * (outline - rim)
    top = [(outline, height - drop), (rim, height)]
    return [(rim, 0.0), (outline, drop), *top] if both else [(outline, 0.0), *top]


def round_hull(radius: float, low: float, high: float, *, number: int = 16) -> Array:
    """Points of a standing cylinder."""
    return tapered_hull((radius, low), (radius, high), number=number)


def hex_hull(flat: float, low: float, high: float) -> Array:
    """Corners of a standing hexagonal prism, turned as `hexagon` is."""
    angle, radius = circle(6) + math.pi / 6, flat / math.cos(math.pi / 6)
    return np.concatenate([np.c_[radius * np.cos(angle), radius * np.sin(angle), np.full(6, z)] for z in (low, high)])


def tapered_hull(*rows: tuple[float, float], number: int = 16) -> Array:
    """Points of circles of (radius, z), their corners as far outside the circle as their sides are inside."""
    angle, wide = circle(number), 1 / math.sqrt(math.cos(math.pi / number))
    return np.concatenate(
        [np.c_[wide * r * np.cos(angle), wide * r * np.sin(angle), np.full(number, z)] for r, z in rows]
    )


def box_hull(low: Sequence[float], high: Sequence[float]) -> Array:
    """Corners of a block."""
    return np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T
