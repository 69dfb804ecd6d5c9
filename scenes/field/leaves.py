"""Leaves as meshes, built in numpy. Every vertex also carries numbers that the leaf's material reads."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.kit.meshes import Mesh, joined, surface

Array = npt.NDArray[Any]

ACROSS = np.array([-1.0, -0.55, 0.0, 0.55, 1.0])
"""Vertices across a leaf, in half widths; 0 is the midrib."""


@dataclass(frozen=True)
class Foliage:
    """A mesh, and for each of its vertices: ``across`` (-1 to 1), ``along`` (0 at the stalk to 1 at the tip) and
    ``tone``, a factor on the leaf's colour.
    """

    mesh: Mesh
    across: Array
    along: Array
    tone: Array

    def turned(self, angle: float, axis: str = "z") -> Foliage:
        """Turned about an axis through the origin."""
        return Foliage(self.mesh.turned(angle, axis), self.across, self.along, self.tone)

    def moved(self, by: Sequence[float]) -> Foliage:
        """Shifted by a vector."""
        return Foliage(self.mesh.moved(by), self.across, self.along, self.tone)


def together(parts: Sequence[Foliage]) -> Foliage:
    """All parts as one."""
    rest = (np.concatenate([getattr(part, name) for part in parts]) for name in ("across", "along", "tone"))
    return Foliage(joined(part.mesh for part in parts), *rest)


def leaf(
    shape: str,
    *,
    length: float,
    width: float,
    rise: float,
    droop: float,
    stalk: float = 0.0,
    fold: float = 0.15,
    ripple: float = 0.0,
    phase: float = 0.0,
    sway: float = 0.0,
    tone: float = 1.0,
) -> Foliage:
    """A leaf from the origin outwards along x. ``length`` and ``width`` in metres; the ``stalk`` is a share of the
    length. It sets out at ``rise`` radians above level and bends down by ``droop`` on its way, sideways by ``sway``.
    ``fold`` lifts its sides, ``ripple`` waves its rim, both in half widths.
    """
    t = _STEPS[shape]
    blade = np.clip((t - stalk) / (1 - stalk), 0, 1)
    half = width / 2 * np.maximum(OUTLINES[shape](blade), 0.06 * (t <= stalk + 1e-9) + 0.01)
    climb, aside = rise - droop * t, sway * t
    steps = np.diff(t, prepend=0.0) * length
    x, y = np.cumsum(steps * np.cos(climb) * np.cos(aside)), np.cumsum(steps * np.cos(climb) * np.sin(aside))
    z = np.cumsum(steps * np.sin(climb))
    offset = half[:, None] * ACROSS
    lift = half[:, None] * (fold * np.abs(ACROSS) + ripple * ACROSS * np.sin(9 * t[:, None] + phase))
    shrink = np.sqrt(np.clip(1 - fold**2, 0.2, 1))
    points = [
        x[:, None] - offset * shrink * np.sin(aside)[:, None],
        y[:, None] + offset * shrink * np.cos(aside)[:, None],
    ]
    points.append(z[:, None] + lift)
    grid = np.stack(np.broadcast_arrays(*points), -1)
    across, along = np.broadcast_to(ACROSS, grid.shape[:2]), np.broadcast_to(blade[:, None], grid.shape[:2])
    return Foliage(surface(grid), across.ravel(), along.ravel(), np.full(across.size, tone))


def stem(points: Array, radius: float, tone: float = 0.9) -> Foliage:
    """A stem or runner along points (N, 3): a ridged strip, twice ``radius`` wide."""
    along = np.gradient(points, axis=0)
    side = np.stack([-along[:, 1], along[:, 0], np.zeros(len(points))], -1)
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    rows = [points + way * radius * side + [0, 0, radius * (way == 0)] for way in (-1, 0, 1)]
    size = 3 * len(points)
    return Foliage(surface(np.stack(rows, 1)), np.zeros(size), np.full(size, 0.5), np.full(size, tone))


def _blade(t: Array) -> Array:
    return np.minimum(1, (t + 0.02) * 5) ** 0.5 * np.clip(1 - t, 0, 1) ** 0.75


def _oval(t: Array) -> Array:
    return np.sin(np.pi * t**0.8) ** 0.75


def _round(t: Array) -> Array:
    return np.sqrt(np.clip(1 - (2 * t - 1) ** 2, 0, 1))


def _heart(t: Array) -> Array:
    return np.clip(np.minimum(t * 7, 1) ** 0.5 * (1 - t) ** 0.7 * 1.15, 0, 1)


def _spoon(t: Array) -> Array:
    return np.sin(np.pi * t**1.7) ** 0.8


def _lobed(t: Array) -> Array:
    teeth = np.abs(((t * 6) % 1) - 0.35) / 0.65
    return (0.3 + 0.7 * (1 - np.clip(teeth, 0, 1))) * np.sin(np.pi * np.clip(t, 0, 1) ** 0.9) ** 0.6


OUTLINES: dict[str, Callable[[Array], Array]] = {
    "blade": _blade,
    "oval": _oval,
    "round": _round,
    "heart": _heart,
    "spoon": _spoon,
    "lobed": _lobed,
}
"""Half width along a leaf (0 to 1), in shares of the largest one."""

_STEPS = {
    shape: np.linspace(0, 1, {"blade": 12, "lobed": 31, "round": 11}.get(shape, 13))
    ** (1.0 if shape == "lobed" else 0.95)
    for shape in OUTLINES
}
GOLDEN = math.pi * (3 - math.sqrt(5))
"""Angle between one leaf of a rosette and the next, radians."""
