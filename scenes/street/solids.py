"""Many simple solids as one mesh, built at once: a street has thousands of bars, panes and twigs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.kit.meshes import Mesh, strip

Array = npt.NDArray[Any]

_CORNERS = np.array([(x, y, z) for z in (-0.5, 0.5) for x, y in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))])
_SIDES = np.array([(3, 2, 1, 0), (4, 5, 6, 7), *((i, (i + 1) % 4, 4 + (i + 1) % 4, 4 + i) for i in range(4))])


def boxes(middles: Any, sizes: Any) -> Mesh:
    """Upright blocks by their middles (N, 3) and sizes (N, 3); either may be one row for all."""
    middle, size = np.broadcast_arrays(np.atleast_2d(middles).astype(float), np.atleast_2d(sizes).astype(float))
    vertices = (middle[:, None] + _CORNERS[None] * size[:, None]).reshape(-1, 3)
    faces = (np.arange(len(middle))[:, None, None] * 8 + _SIDES[None]).reshape(-1, 4)
    return Mesh(vertices, (faces,))


def panes(corners: Any) -> Mesh:
    """Flat four-cornered faces (N, 4, 3)."""
    corners = np.asarray(corners, float).reshape(-1, 4, 3)
    return Mesh(corners.reshape(-1, 3), (np.arange(len(corners) * 4).reshape(-1, 4),))


def rods(starts: Array, ends: Array, first: Array, last: Array, *, segments: int = 4) -> Mesh:
    """Open frusta from ``starts`` to ``ends`` (N, 3), with radii ``first`` and ``last`` (N,)."""
    along = ends - starts
    along = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    helper = np.where(np.abs(along[:, 2:]) < 0.9, (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
    side = np.cross(helper, along)
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    up = np.cross(along, side)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    ring = np.cos(angle)[None, :, None] * side[:, None] + np.sin(angle)[None, :, None] * up[:, None]
    rings = [end[:, None] + np.asarray(radius)[:, None, None] * ring for end, radius in ((starts, first), (ends, last))]
    vertices = np.stack(rings, 1).reshape(-1, 3)
    faces = (np.arange(len(starts))[:, None, None] * 2 * segments + strip(2, segments)[None]).reshape(-1, 4)
    return Mesh(vertices, (faces,))


def pierced(
    width: float, height: float, holes: Sequence[tuple[float, float, float, float]], depth: float
) -> tuple[Mesh, Mesh]:
    """A wall at y = 0 from (0, 0) to (width, height) with holes (x0, z0, x1, z1), and the panes ``depth`` behind it."""
    xs = np.unique(np.round([0, width, *(v for hole in holes for v in hole[::2])], 4))
    zs = np.unique(np.round([0, height, *(v for hole in holes for v in hole[1::2])], 4))
    middle_x, middle_z = (xs[:-1] + xs[1:]) / 2, (zs[:-1] + zs[1:]) / 2
    solid = np.ones((len(middle_x), len(middle_z)), bool)
    for x0, z0, x1, z1 in holes:
        solid &= ~(((middle_x > x0) & (middle_x < x1))[:, None] & ((middle_z > z0) & (middle_z < z1))[None])
    i, j = np.nonzero(solid)
    wall = [_upright(xs[i], zs[j], xs[i + 1], zs[j + 1], 0.0)]
    if not holes:
        return panes(wall[0]), panes(np.zeros((0, 4, 3)))
    x0, z0, x1, z1 = np.asarray(holes, float).T
    for a, b in (((x0, z0), (x1, z0)), ((x1, z0), (x1, z1)), ((x1, z1), (x0, z1)), ((x0, z1), (x0, z0))):
        wall.append(_reveal(a, b, depth))
    return panes(np.concatenate(wall)), panes(_upright(x0, z0, x1, z1, depth))


def _upright(x0: Array, z0: Array, x1: Array, z1: Array, y: float) -> Array:
    level = np.full_like(x0, y)
    corners = [(x0, level, z0), (x1, level, z0), (x1, level, z1), (x0, level, z1)]
    return np.stack([np.stack(corner, -1) for corner in corners], 1)


def _reveal(first: tuple[Array, Array], second: tuple[Array, Array], depth: float) -> Array:
    front, back = np.zeros_like(first[0]), np.full_like(first[0], depth)
    places = [(first, front), (second, front), (second, back), (first, back)]
    return np.stack([np.stack([at[0], y, at[1]], -1) for at, y in places], 1)
