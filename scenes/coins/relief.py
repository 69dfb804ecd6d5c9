"""The struck face of a coin as a height map, in numpy: no Blender, no pictures.

Everything is a pure function of a seed. Coordinates are in coin radii; heights run from 0 (field) to about 1.
A motif is a set of capsules (thick line segments with round ends and a domed top), which is enough for profiles,
standing figures, animals and wheels once a coin is fifty pixels wide and worn.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

Capsule = tuple[float, ...]
"""u and v of both ends, thickness, height."""

MOTIFS = {"head": 2.0, "figure": 1.0, "animal": 1.0, "wheel": 0.4, "blank": 0.4}
"""What coins show, with relative frequencies."""


def face(motif: str, seed: int, x: Array, y: Array, *, border: str, wear: float) -> Array:
    """Height at the points (x, y): motif, inscription and border, flattened by ``wear`` (0 fresh, 1 smooth)."""
    rng = np.random.default_rng(seed)
    shift, size = rng.uniform(-0.12, 0.12, 2), rng.uniform(1.0, 1.35)
    u, v = x - shift[0], y - shift[1]
    struck = np.maximum(_motif(motif, rng, u / size, v / size), _border(border, rng, u, v))
    worn = 1 - 0.8 * wear * np.clip(0.6 + 0.8 * _rough(rng, u, v, scale=3.0), 0, 1)
    pits = _rough(rng, u, v, scale=9.0) + 0.7 * _rough(rng, u, v, scale=17.0)
    return struck * worn + 0.06 * _rough(rng, u, v, scale=3.0) + rng.uniform(0.0, 0.09) * pits


def outline(angle: Array, seed: int, irregularity: float) -> Array:
    """Radius at each angle, around 1: lobes, a flat spot, and chips struck off the edge."""
    rng = np.random.default_rng(seed)
    radius = np.ones_like(angle)
    for order in range(2, 8):
        radius += irregularity * rng.normal(0, 0.9) / order * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
    for _ in range(int(rng.integers(0, 3))):
        away = np.abs((angle - rng.uniform(0, 2 * np.pi) + np.pi) % (2 * np.pi) - np.pi)
        radius -= irregularity * rng.uniform(-0.6, 1.6) * np.exp(-((away / rng.uniform(0.06, 0.4)) ** 2))
    return np.clip(radius, 0.75, 1.2)


def _capsules(u: Array, v: Array, rows: list[Capsule]) -> Array:
    """Highest of the capsules (u0, v0, u1, v1, thickness, height), 0 outside all."""
    height = np.zeros_like(u)
    for u0, v0, u1, v1, thickness, top in rows:
        du, dv = u1 - u0, v1 - v0
        along = np.clip(((u - u0) * du + (v - v0) * dv) / max(du * du + dv * dv, 1e-9), 0, 1)
        away2 = (u - u0 - along * du) ** 2 + (v - v0 - along * dv) ** 2
        height = np.maximum(height, top * np.sqrt(np.clip(1 - away2 / thickness**2, 0, 1)))
    return height


def _rough(rng: np.random.Generator, u: Array, v: Array, scale: float) -> Array:
    """Smooth noise of about unit amplitude: a few random plane waves of about ``scale`` radians a coin radius."""
    total = np.zeros_like(u)
    for _ in range(8):
        a, b, phase = *rng.normal(0, scale, 2), rng.uniform(0, 2 * np.pi)
        total += np.sin(a * u + b * v + phase)
    return total / 2


def _motif(motif: str, rng: np.random.Generator, u: Array, v: Array) -> Array:
    if motif == "head":
        return _head(rng, u, v)
    rows = {"figure": _figure, "animal": _animal, "wheel": _wheel}.get(motif, _blank)(rng)
    return _capsules(u, v, rows)


def _head(rng: np.random.Generator, u: Array, v: Array) -> Array:
    """A profile looking right: skull, face, neck, and hair as bent furrows over the back of the head."""
    j = rng.normal(0, 0.03, 12)
    rows: list[Capsule] = [
        (-0.08 + j[0], 0.16, -0.02, 0.14 + j[1], 0.42, 0.95),
        (0.10, -0.08 + j[2], 0.14, -0.14, 0.28, 0.9),
        (0.30 + j[3], 0.10, 0.45 + j[4], -0.06, 0.07, 0.8),
        (0.22, -0.34 + j[5], 0.30 + j[6], -0.36, 0.10, 0.75),
        (0.30, -0.20 + j[7], 0.38, -0.22, 0.05, 0.6),
        (-0.08, -0.30, -0.16 + j[8], -0.72, 0.20 + 0.5 * abs(j[9]), 0.7),
        (0.20, 0.22, 0.36 + j[10], 0.23, 0.05, 1.05),
        (-0.42, 0.20, 0.22, 0.44 + j[10], 0.07, 1.15),
    ]
    if rng.random() < 0.5:
        rows += _scatter(rng, (-0.25, 0.25), int(rng.integers(8, 24)), 0.13)
    base = _capsules(u, v, rows)
    bend = 2 * np.sin(5 * np.arctan2(v - 0.1, u + 0.05) + 40 * j[11])
    waves = np.sin(rng.uniform(16, 34) * np.hypot(u - 0.2, v) + bend)
    hair = (u < 0.12 + 0.4 * (v - 0.2)) & (base > 0.2)
    return np.asarray(base * (1 + 0.28 * waves * hair))


def _scatter(rng: np.random.Generator, middle: tuple[float, float], number: int, size: float) -> list[Capsule]:
    """Curls, leaves or rubble: short strokes around a point."""
    ends = rng.normal(0, 0.2, (number, 2)) + middle
    return [
        (a, b, a + rng.normal(0, 0.1), b + rng.normal(0, 0.1), size * rng.uniform(0.4, 1), rng.uniform(0.6, 1.1))
        for a, b in ends
    ]


def _figure(rng: np.random.Generator) -> list[Capsule]:
    """Somebody standing or sitting, with arms, a staff and folds of cloth."""
    j = rng.normal(0, 0.07, 14)
    return [
        (j[0], 0.52, j[0] + 0.02, 0.55, 0.12, 1.0),
        (j[0], 0.36, j[1], -0.02, 0.17, 0.9),
        (j[1] - 0.06, -0.05, -0.16 + j[2], -0.62, 0.09, 0.8),
        (j[1] + 0.06, -0.05, 0.16 + j[3], -0.62, 0.09, 0.8),
        (j[0] + 0.1, 0.32, 0.42 + j[4], 0.12 + j[5], 0.06, 0.7),
        (j[0] - 0.1, 0.32, -0.42 + j[6], 0.10 + j[7], 0.06, 0.7),
        (0.44 + j[4], 0.55, 0.46 + j[8], -0.6, 0.035, 0.6),
        (-0.45, -0.68, 0.45, -0.68 + 0.3 * j[9], 0.03, 0.6),
        *_scatter(rng, (j[10], -0.1), int(rng.integers(0, 9)), 0.1),
    ]


def _animal(rng: np.random.Generator) -> list[Capsule]:
    """Something on four legs, head raised or lowered, tail somewhere."""
    j = rng.normal(0, 0.05, 14)
    legs = [(a, -0.08, a + j[i], -0.52 + j[i + 4], 0.07, 0.75) for i, a in enumerate((-0.36, -0.24, 0.22, 0.34))]
    return [
        (-0.3, 0.06 + j[0], 0.26, 0.08 + j[1], 0.23, 1.0),
        (0.3, 0.14, 0.48 + j[2], 0.36 + 2 * j[3], 0.12, 0.9),
        (0.48 + j[2], 0.36 + 2 * j[3], 0.62, 0.3 + 2 * j[4], 0.08, 0.9),
        (-0.48, 0.1, -0.62 + j[5], 0.34 + j[6], 0.045, 0.6),
        *legs,
        (-0.6, -0.6, 0.6, -0.6, 0.03, 0.6),
    ]


def _wheel(rng: np.random.Generator) -> list[Capsule]:
    """Spokes, petals or rays around a boss."""
    number, inner, outer = int(rng.integers(3, 13)), rng.uniform(0.1, 0.25), rng.uniform(0.45, 0.68)
    angles = 2 * np.pi * np.arange(number) / number
    thick = rng.uniform(0.04, max(0.04, 1.05 * outer / number))
    rays = [(inner * np.cos(a), inner * np.sin(a), outer * np.cos(a), outer * np.sin(a), thick, 0.85) for a in angles]
    return [(0.0, 0.0, 0.001, 0.0, inner * 1.2, 1.0), *rays]


def _blank(rng: np.random.Generator) -> list[Capsule]:
    """Too worn to tell."""
    return _scatter(rng, (0.0, 0.0), int(rng.integers(4, 12)), 0.22)


def _border(border: str, rng: np.random.Generator, u: Array, v: Array) -> Array:
    """A raised rim, a ring of dots, an inscription around the edge, or nothing."""
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    if border == "rim":
        return 0.8 * np.asarray(np.clip(1 - ((radius - 0.93) / rng.uniform(0.04, 0.1)) ** 2, 0, 1))
    if border == "dots":
        ring = np.clip(1 - ((radius - rng.uniform(0.8, 0.9)) / 0.045) ** 2, 0, 1)
        beads = np.clip(np.cos(int(rng.integers(24, 60)) * angle) + 0.3, 0, 1)
        return np.asarray(0.7 * ring * beads)
    if border == "letters":
        return _capsules(u, v, _letters(rng))
    return np.zeros_like(u)


def _letters(rng: np.random.Generator) -> list[Capsule]:
    """Strokes of an inscription that runs along part of the edge."""
    number, start, ring = int(rng.integers(6, 22)), rng.uniform(0, 2 * np.pi), rng.uniform(0.72, 0.82)
    rows: list[Capsule] = []
    for place in range(number):
        angle = start - place * rng.uniform(0.19, 0.24)
        for _ in range(2):
            r0, r1, a0, a1 = ring - 0.07, ring + 0.07, *(angle + rng.uniform(-0.05, 0.05, 2))
            rows.append((r0 * np.cos(a0), r0 * np.sin(a0), r1 * np.cos(a1), r1 * np.sin(a1), 0.025, 0.55))
    return rows
