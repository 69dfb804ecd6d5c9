"""The sheet on which defects and marks are drawn: planes of numbers that the surface's material reads.

Every shape has an *opacity*, 0 to 1, by which it changes colour, height and roughness. The same opacity makes the
label: a pixel is a defect where the opacity of all defects together passes 0.5, the defect whose opacity last did, or
comes nearest to it. Marks that are no defects change the surface too, but leave the label alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.kit.sampling import Span

Plane = npt.NDArray[Any]

SIDE = 1.7
"""Length that the sheet covers at least, in frame sides: the diagonal of a 4:3 frame."""

TEXELS = 1024
"""Places along it; a texel is smaller than a pixel of a frame of 600."""

TEXEL = SIDE / TEXELS


@dataclass(frozen=True)
class Window:
    """A part of the sheet around a shape; ``x`` and ``y`` are its places in the shape's own axes, in frame sides."""

    rows: slice
    columns: slice
    x: Plane
    y: Plane


@dataclass(frozen=True)
class Layer:
    """What a shape does within its window, each (H, W) or a number: ``opacity``; ``tone``, the factor on the colour;
    ``height`` in frame sides; ``erase``, how far the texture beneath disappears; ``rough``, what is added to the
    roughness. ``tint`` is a factor on red, green and blue.
    """

    opacity: Plane
    tone: Plane | float
    height: Plane | float = 0.0
    erase: Plane | float = 0.0
    rough: float = 0.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class _Side:
    """One side of the sheet: where it begins, and how many places it has."""

    low: float
    number: int

    @property
    def length(self) -> float:
        return self.number * TEXEL

    def part(self, middle: float, reach: float) -> slice:
        """The places within ``reach`` of the middle."""
        ends = ((middle + way * reach - self.low) / TEXEL for way in (-1, 1))
        low, high = (int(np.clip(np.rint(end), 0, self.number)) for end in ends)
        return slice(low, high)

    def away(self, part: slice, middle: float) -> Plane:
        """How far these places are from the middle."""
        return ((np.arange(part.start, part.stop) + 0.5) * TEXEL + self.low - middle).astype(np.float32)


def _side(seen: Span) -> _Side:
    before, after = (math.ceil(max(end - SIDE / 2, 0.0) / TEXEL) for end in (-seen[0], seen[1]))
    return _Side(-SIDE / 2 - before * TEXEL, before + TEXELS + after)


def edged(signed: Plane, soft: float = 0.0) -> Plane:
    """Opacity of a signed field whose edge is ``soft`` wide, at least so wide that the texels show no steps."""
    return np.clip(0.5 + np.asarray(signed, np.float32) / np.float32(max(soft, 1.5 * TEXEL)), 0, 1)


class Canvas:
    """The planes, (rows, columns) each, first row lowest: ``opacity``, ``height``, ``erase``, ``rough``, ``number``
    of the defect; ``tone`` (3, …), what the colour's factor departs from 1. The sheet's ``sides`` along x and y are
    longer than usual where more is ``seen``.
    """

    def __init__(self, *, seen: tuple[Span, Span] = ((0.0, 0.0), (0.0, 0.0))) -> None:
        self.sides = tuple(_side(ends) for ends in seen)
        shape = self.sides[1].number, self.sides[0].number
        self.opacity, self.height, self.erase, self.rough = (np.zeros(shape, np.float32) for _ in range(4))
        self.tone = np.zeros((3, *shape), np.float32)
        self.number = np.zeros(shape, np.float32)
        self._nearest = np.zeros(shape, np.float32)

    def window(self, x: float, y: float, turn: float, reach: float) -> Window | None:
        """The places within ``reach`` of a point, in axes turned by ``turn`` radians; None where the sheet has none."""
        across, upwards = self.sides
        columns, rows = across.part(x, reach), upwards.part(y, reach)
        if rows.stop - rows.start < 2 or columns.stop - columns.start < 2:
            return None
        right, up = np.meshgrid(across.away(columns, x), upwards.away(rows, y))
        cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        return Window(rows, columns, cos * right + sin * up, cos * up - sin * right)

    def slopes(self) -> tuple[Plane, Plane]:
        """How steeply the height rises to the right and upwards."""
        up, right = np.gradient(self.height, np.float32(TEXEL))
        return right, up

    def add(self, where: Window, layer: Layer, number: int = 0) -> None:
        """Lay a shape over what is there; ``number`` above 0 makes it a defect."""
        at, opacity = (where.rows, where.columns), layer.opacity
        for channel, tint in enumerate(layer.tint):
            factor = 1 + opacity * (layer.tone * tint - 1)
            self.tone[channel][at] = (1 + self.tone[channel][at]) * factor - 1
        self.height[at] = self.height[at] * (1 - opacity * layer.erase) + opacity * layer.height
        self.erase[at] = 1 - (1 - self.erase[at]) * (1 - opacity * layer.erase)
        self.rough[at] = self.rough[at] + opacity * layer.rough
        if number:
            self._claim(at, opacity, number)

    def _claim(self, at: tuple[slice, slice], opacity: Plane, number: int) -> None:
        taken = (opacity > 0.5) | (opacity > self._nearest[at])
        self.number[at] = np.where(taken, number, self.number[at])
        self._nearest[at] = np.where(taken, opacity, self._nearest[at])
        self.opacity[at] = 1 - (1 - self.opacity[at]) * (1 - opacity)
