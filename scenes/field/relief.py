"""The ground as a height field: coarse shapes become a mesh, fine ones are kept as slopes for the material. Metres."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from scenes.kit.meshes import Mesh, surface
from scenes.kit.sampling import Span

Array = npt.NDArray[Any]

TEXELS, COARSE = 960, 6
"""Places a side of the usual field, and how many of them the mesh's cells span."""

SPAN = 2.0
"""Side of the usual field in frame sides: what a leaning camera sees of a 4:3 frame."""

CLODS = 2200
"""Lumps of the usual field."""


@dataclass(frozen=True)
class Side:
    """One side of the field, from the usual one's length on: it has so many places ``before`` and ``after`` it more."""

    usual: float
    before: int
    after: int

    @property
    def number(self) -> int:
        """How many places."""
        return self.before + TEXELS + self.after

    @property
    def length(self) -> float:
        """In metres."""
        return self.usual * (self.number / TEXELS)

    @property
    def start(self) -> float:
        """Where the origin is, as a share of the length."""
        return (self.before + TEXELS / 2) / self.number

    def middles(self, number: Array, *, usual: int) -> Array:
        """Places of cells of which the usual side has so many."""
        return np.asarray((number + 0.5) / usual * self.usual - self.usual * (0.5 + self.before / TEXELS))

    def cell(self, place: float, *, usual: int) -> int:
        """The cell at a place, or the nearest one."""
        cell = int((place / self.usual + 0.5 + self.before / TEXELS) * usual)
        return min(max(cell, 0), self.number * usual // TEXELS - 1)


def _side(usual: float, seen: Span) -> Side:
    """The usual one, or one long enough for what is seen; ends where cells of the mesh, and of two places, do."""
    step = 2 * COARSE
    before, after = (step * math.ceil(max(end - usual / 2, 0) / usual * TEXELS / step) for end in (-seen[0], seen[1]))
    return Side(usual, before, after)


class Relief:
    """Planes (rows, columns), first row lowest: ``height``; ``tone``, the factor on the soil's colour; ``moist``, 0 to
    1. They repeat beyond the field's ``sides`` along x and y, which are longer than usual where more is ``seen``.
    """

    def __init__(self, plan: dict[str, Any], *, seen: tuple[Span, Span] = ((0.0, 0.0), (0.0, 0.0))) -> None:
        usual = SPAN * plan["frame"]
        self.texel = usual / TEXELS
        self.sides = [_side(usual, ends) for ends in seen]
        self.shape = self.sides[1].number, self.sides[0].number
        ticks = [side.middles(np.arange(side.number, dtype=np.float32), usual=TEXELS) for side in self.sides]
        self.x, self.y = np.meshgrid(*ticks)
        rng = np.random.default_rng(plan["seed"])
        rough, clod = plan["clods"], plan["clod_m"]
        grain, clouds = _fractal(rng, 0.95, self.shape), _fractal(rng, 1.7, self.shape)
        lumps, own = self._clods(rng, clod * (0.35 + 0.65 * rough))
        self.height = (0.3 + 0.7 * rough) * lumps + (0.06 + 0.08 * rough) * clod * grain + 0.3 * rough * clod * clouds
        self.tone = np.exp(0.24 * grain + 0.15 * clouds + own)
        level = 1.7 - 2.4 * plan["moisture"]
        self.moist = np.clip(0.5 + (_fractal(rng, 1.7, self.shape) - 0.4 * lumps / clod - level) / 0.7, 0, 1)
        self._shape(plan)

    def _shape(self, plan: dict[str, Any]) -> None:
        ridge = plan["ridge"]
        self.height = self.height + ridge["height"] * np.cos(2 * np.pi * self.x / ridge["pitch"])
        if plan["track"] is not None:
            self._roll(plan["track"])
        if plan["cracks"]:
            self._crack(np.random.default_rng(plan["seed"] + 1), plan["cracks"])
        cells = TEXELS // COARSE
        low = ndimage.zoom(self.height, cells / TEXELS, order=1, mode="grid-wrap", grid_mode=True)
        self.coarse = ndimage.gaussian_filter(low, 0.6, mode="wrap")

    def _clods(self, rng: np.random.Generator, size: float) -> tuple[Array, Array]:
        """Lumps pressed into the ground, the larger ones first: their height, and how much lighter each one is."""
        height, tone = (np.zeros(self.shape, np.float32) for _ in range(2))
        texel, most = self.texel, self.shape[::-1]
        number = round(CLODS * most[0] * most[1] / TEXELS**2)
        radii = np.sort(np.clip(size * np.exp(rng.normal(-1.0, 0.5, number)), 1.5 * texel, 60 * texel))[::-1]
        for radius, (x, y), (stretch, turn, light) in zip(
            radii.tolist(),
            rng.integers(0, most, (number, 2)).tolist(),
            rng.uniform(-1, 1, (number, 3)).tolist(),
            strict=True,
        ):
            reach = math.ceil(radius / texel)
            ends = ((max(v - reach, 0), min(v + reach + 1, end)) for v, end in zip((y, x), self.shape, strict=True))
            at = tuple(slice(*end) for end in ends)
            rows, columns = np.mgrid[at]
            right, up = (columns - x) * texel / radius, (rows - y) * texel / radius
            cos, sin, long = math.cos(3 * turn), math.sin(3 * turn), 1.35 + 0.35 * stretch
            inside = 1 - (cos * right + sin * up) ** 2 - (long * (cos * up - sin * right)) ** 2
            lump = 0.75 * radius * np.sqrt(np.clip(inside, 0, 1))
            higher = lump > height[at]
            height[at] = np.where(higher, lump, height[at])
            tone[at] = np.where(higher & (inside > 0.05), 0.3 * light, tone[at])
        return height, tone

    def _roll(self, track: dict[str, float]) -> None:
        """Press a tyre's print into the ground."""
        away = np.abs(self.x - track["x"])
        inside = np.clip((track["width"] / 2 - away) / 0.02, 0, 1)
        slant = self.y / track["lug"] + away / track["lug"]
        lugs = np.clip(0.5 + 2.5 * np.sin(2 * np.pi * slant), 0, 1) * (away > 0.04 * track["width"])
        base = float(self.height.mean())
        bottom = base - track["depth"] * (1 - 0.7 * lugs) + 0.2 * (self.height - base)
        self.height = self.height * (1 - inside) + bottom * inside
        self.tone = self.tone ** (1 - 0.5 * inside) * (1 - inside * (0.12 + 0.1 * (1 - lugs)))

    def _crack(self, rng: np.random.Generator, strength: float) -> None:
        """Gaps between the plates of a drying crust: where the nearest and the next point are about as far."""
        from scipy.spatial import cKDTree

        size = float(rng.uniform(0.06, 0.18))
        sides = [side.length for side in self.sides]
        number = max(int(sides[0] / size * (sides[1] / size)), 8)
        shake = 0.12 * size * np.stack([_fractal(rng, 1.6, self.shape), _fractal(rng, 1.6, self.shape)], -1)
        shift = np.array([side.length * side.start for side in self.sides], np.float32)
        places = (np.stack([self.x, self.y], -1) + shake + shift) % np.array(sides, np.float32)
        tree = cKDTree(rng.uniform(0, sides, (number, 2)), boxsize=sides)
        away, _ = tree.query(places[::2, ::2].reshape(-1, 2), k=2)
        gap = ndimage.zoom(
            (away[:, 1] - away[:, 0]).reshape(self.shape[0] // 2, -1), 2, order=1, mode="grid-wrap", grid_mode=True
        )
        depth = np.clip(1.3 - gap / (0.05 * size + 0.003), 0, 1) * strength
        self.height = self.height * (1 - 0.5 * strength) - 0.012 * depth
        self.tone = self.tone * (1 - 0.85 * depth)

    def slopes(self) -> tuple[Array, Array]:
        """How steeply what the mesh leaves out rises to the right and upwards."""
        smooth = ndimage.zoom(self.coarse, COARSE, order=1, mode="grid-wrap", grid_mode=True)
        up, right = np.gradient(self.height - smooth, self.texel)
        return right, up

    def at(self, x: float, y: float) -> float:
        """Height of the mesh below a place."""
        column, row = (side.cell(v, usual=TEXELS // COARSE) for side, v in zip(self.sides, (x, y), strict=True))
        return float(self.coarse[row, column])

    def mesh(self) -> Mesh:
        """The ground, its rim drawn out far beyond what the camera sees."""
        cells = zip(self.sides, self.coarse.shape[::-1], strict=True)
        ticks = [side.middles(np.arange(number), usual=TEXELS // COARSE) for side, number in cells]
        points = np.stack([*np.meshgrid(*ticks), self.coarse], -1)
        rim = np.ones(self.coarse.shape, bool)
        rim[1:-1, 1:-1] = False
        points[rim, :2] *= 6
        return surface(points)


def _fractal(rng: np.random.Generator, steepness: float, shape: tuple[int, int]) -> Array:
    """Noise of all sizes around 0, standard deviation 1; the steeper its spectrum, the smoother. It repeats."""
    across, up = fft.rfftfreq(shape[1])[None, :], fft.fftfreq(shape[0])[:, None]
    away = np.maximum(np.hypot(across, up), 2 / TEXELS).astype(np.float32)
    spectrum = fft.rfft2(rng.standard_normal(shape, np.float32)) * away**-steepness
    spectrum[0, 0] = 0
    plane = fft.irfft2(spectrum, shape)
    return np.asarray(plane / plane.std(), np.float32)
