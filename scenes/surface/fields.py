"""Numbers over a plane, in numpy: noise, distances to lines, blobs and polygons. Lengths are in frame sides.

A *signed* field is above zero inside a shape and falls by 1 a unit of length across its edge.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Plane = npt.NDArray[Any]
_LATTICE = 64


def noise(rng: np.random.Generator, x: Plane, y: Plane, *, octaves: int = 3) -> Plane:
    """Fractal value noise around 0, within ±1, its coarsest grain one unit wide."""
    total = np.zeros(np.broadcast(x, y).shape, np.float32)
    for octave in range(octaves):
        values, shift = rng.uniform(-1, 1, (_LATTICE, _LATTICE)).astype(np.float32), rng.uniform(0, _LATTICE, 2)
        scale = np.float32(2**octave)
        total += _looked_up(values, x * scale + np.float32(shift[0]), y * scale + np.float32(shift[1])) / scale
    return np.asarray(total / np.float32(2 - 2 ** (1 - octaves)))


def _looked_up(values: Plane, x: Plane, y: Plane) -> Plane:
    """Smoothly interpolated values of a lattice that repeats."""
    left, low = np.floor(x), np.floor(y)
    u, v = (share * share * (3 - 2 * share) for share in (x - left, y - low))
    i, k = left.astype(np.int32) & (_LATTICE - 1), low.astype(np.int32) & (_LATTICE - 1)
    j, m = (i + 1) & (_LATTICE - 1), (k + 1) & (_LATTICE - 1)
    lower, upper = (row + u * (after - row) for row, after in ((values[i, n], values[j, n]) for n in (k, m)))
    return np.asarray(lower + v * (upper - lower))


def strokes(lines: list[tuple[Plane, Plane]], x: Plane, y: Plane, *, step: float, reach: float) -> Plane:
    """Signed field of lines, each (points (N, 2), half width at each point (N,)); no lower than ``-reach``.

    Lines are walked in steps of ``step``; a place belongs to its nearest point on them.
    """
    walked = [_walked(points, half, step) for points, half in lines]
    points, half = (np.concatenate(parts) for parts in zip(*walked, strict=True))
    places = np.stack(np.broadcast_arrays(x, y), -1).reshape(-1, 2)
    away, nearest = cKDTree(points).query(places, distance_upper_bound=float(half.max()) + reach)
    missed = np.isinf(away)
    inside = np.append(half, 0.0)[nearest] - np.where(missed, reach, away)
    return np.asarray(np.maximum(np.where(missed, -reach, inside), -reach).reshape(np.broadcast(x, y).shape))


def _walked(points: Plane, half: Plane, step: float) -> tuple[Plane, Plane]:
    gone = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    at = np.linspace(0, gone[-1], max(2, int(gone[-1] / step) + 1))
    return np.stack([np.interp(at, gone, points[:, axis]) for axis in (0, 1)], -1), np.interp(at, gone, half)


def polygon(normals: Plane, offsets: Plane, x: Plane, y: Plane) -> Plane:
    """Signed field of the convex shape that keeps to the inner side of lines: normals (N, 2), offsets (N,)."""
    edges = [offset - (a * x + b * y) for (a, b), offset in zip(normals, offsets, strict=True)]
    return np.asarray(np.min(edges, axis=0))


def wander(
    rng: np.random.Generator, *, length: float, steps: int, bend: float, jag: float, heading: float = 0.0
) -> Plane:
    """A line of ``steps`` + 1 points (N, 2) from the origin: it turns by ``bend`` radians over its length, and at every
    step by up to about ``jag`` radians, to and fro.
    """
    turns = heading + bend * np.linspace(-0.5, 0.5, steps) + _wavering(rng, steps, jag)
    pace = rng.uniform(0.6, 1.4, steps)
    stretch = length / pace.sum() * pace
    moves = np.stack([np.cos(turns), np.sin(turns)], -1) * stretch[:, None]
    return np.concatenate([np.zeros((1, 2)), np.cumsum(moves, 0)])


def _wavering(rng: np.random.Generator, steps: int, jag: float) -> Plane:
    """Turns that remember a little of the one before."""
    fresh, kept = rng.normal(0, jag, steps), np.zeros(steps)
    for place in range(1, steps):
        kept[place] = 0.55 * kept[place - 1] + fresh[place]
    return kept
