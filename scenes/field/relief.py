"""The ground as a height field: coarse shapes become a mesh, fine ones are kept as slopes for the material. Metres."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from scenes.kit.meshes import Mesh, surface

Array = npt.NDArray[Any]

TEXELS, COARSE = 960, 6
"""Places a side, and how many of them the mesh's cells span."""

SPAN = 2.0
"""Side of the field in frame sides: what a leaning camera sees of a 4:3 frame."""

CLODS = 2200


class Relief:
    """Planes (TEXELS, TEXELS), first row lowest: ``height``; ``tone``, the factor on the soil's colour; ``moist``, 0 to
    1. They repeat beyond the field's ``side``.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        self.side = SPAN * plan["frame"]
        ticks = (np.arange(TEXELS, dtype=np.float32) + 0.5) / TEXELS * self.side - self.side / 2
        self.x, self.y = np.meshgrid(ticks, ticks)
        rng = np.random.default_rng(plan["seed"])
        rough, clod = plan["clods"], plan["clod_m"]
        grain, clouds = _fractal(rng, 0.95), _fractal(rng, 1.7)
        lumps, own = self._clods(rng, clod * (0.35 + 0.65 * rough))
        self.height = (0.3 + 0.7 * rough) * lumps + (0.06 + 0.08 * rough) * clod * grain + 0.3 * rough * clod * clouds
        self.tone = np.exp(0.24 * grain + 0.15 * clouds + own)
        level = 1.7 - 2.4 * plan["moisture"]
        self.moist = np.clip(0.5 + (_fractal(rng, 1.7) - 0.4 * lumps / clod - level) / 0.7, 0, 1)
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
        height, tone = (np.zeros((TEXELS, TEXELS), np.float32) for _ in range(2))
        texel = self.side / TEXELS
        radii = np.sort(np.clip(size * np.exp(rng.normal(-1.0, 0.5, CLODS)), 1.5 * texel, 60 * texel))[::-1]
        for radius, (x, y), (stretch, turn, light) in zip(
            radii.tolist(),
            rng.integers(0, TEXELS, (CLODS, 2)).tolist(),
            rng.uniform(-1, 1, (CLODS, 3)).tolist(),
            strict=True,
        ):
            reach = math.ceil(radius / texel)
            ends = ((max(place - reach, 0), min(place + reach + 1, TEXELS)) for place in (y, x))
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
        number = max(int((self.side / size) ** 2), 8)
        shake = 0.12 * size * np.stack([_fractal(rng, 1.6), _fractal(rng, 1.6)], -1)
        places = (np.stack([self.x, self.y], -1) + shake + self.side / 2) % self.side
        tree = cKDTree(rng.uniform(0, self.side, (number, 2)), boxsize=self.side)
        away, _ = tree.query(places[::2, ::2].reshape(-1, 2), k=2)
        gap = ndimage.zoom(
            (away[:, 1] - away[:, 0]).reshape(TEXELS // 2, -1), 2, order=1, mode="grid-wrap", grid_mode=True
        )
        depth = np.clip(1.3 - gap / (0.05 * size + 0.003), 0, 1) * strength
        self.height = self.height * (1 - 0.5 * strength) - 0.012 * depth
        self.tone = self.tone * (1 - 0.85 * depth)

    def slopes(self) -> tuple[Array, Array]:
        """How steeply what the mesh leaves out rises to the right and upwards."""
        smooth = ndimage.zoom(self.coarse, COARSE, order=1, mode="grid-wrap", grid_mode=True)
        up, right = np.gradient(self.height - smooth, self.side / TEXELS)
        return right, up

    def at(self, x: float, y: float) -> float:
        """Height of the mesh below a place."""
        row, column = (
            min(max(int((value / self.side + 0.5) * len(self.coarse)), 0), len(self.coarse) - 1) for value in (y, x)
        )
        return float(self.coarse[row, column])

    def mesh(self) -> Mesh:
        """The ground, its rim drawn out far beyond what the camera sees."""
        ticks = (np.arange(len(self.coarse)) + 0.5) / len(self.coarse) * self.side - self.side / 2
        points = np.stack([*np.meshgrid(ticks, ticks), self.coarse], -1)
        rim = np.abs(points[..., :2]).max(-1) > ticks[-1] - 1e-9
        points[rim, :2] *= 6
        return surface(points)


def _fractal(rng: np.random.Generator, steepness: float) -> Array:
    """Noise of all sizes around 0, standard deviation 1; the steeper its spectrum, the smoother. It repeats."""
    across, up = fft.rfftfreq(TEXELS)[None, :], fft.fftfreq(TEXELS)[:, None]
    away = np.maximum(np.hypot(across, up), 2 / TEXELS).astype(np.float32)
    spectrum = fft.rfft2(rng.standard_normal((TEXELS, TEXELS), np.float32)) * away**-steepness
    spectrum[0, 0] = 0
    plane = fft.irfft2(spectrum, (TEXELS, TEXELS))
    return np.asarray(plane / plane.std(), np.float32)
