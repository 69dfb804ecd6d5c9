"""The sheet on which defects and marks are drawn: planes of numbers that the surface's material reads.

Every shape has an *opacity*, 0 to 1, by which it changes colour, height and roughness. The same opacity makes the
label: a pixel is a defect where the opacity of all defects together passes 0.5, the defect whose opacity last did, or
comes nearest to it. Marks that are no defects change the surface too, but leave the label alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[Any]

SIDE = 1.7
"""Length that the sheet covers, in frame sides: the diagonal of a 4:3 frame."""

TEXELS = 1024
"""Places a side; a texel is smaller than a pixel of a frame of 600."""

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


def window(x: float, y: float, turn: float, reach: float) -> Window | None:
    """The places within ``reach`` of a point, in axes turned by ``turn`` radians; None where the sheet has none."""
    rows, columns = _slice(y, reach), _slice(x, reach)
    if rows.stop - rows.start < 2 or columns.stop - columns.start < 2:
        return None
    places = (np.arange(part.start, part.stop) + 0.5 for part in (columns, rows))
    ways = (place * TEXEL - SIDE / 2 - middle for place, middle in zip(places, (x, y), strict=True))
    right, up = np.meshgrid(*(way.astype(np.float32) for way in ways))
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    return Window(rows, columns, cos * right + sin * up, cos * up - sin * right)


def _slice(middle: float, reach: float) -> slice:
    ends = ((middle + way * reach + SIDE / 2) / TEXEL for way in (-1, 1))
    low, high = (int(np.clip(np.rint(end), 0, TEXELS)) for end in ends)
    return slice(low, high)


def edged(signed: Plane, soft: float = 0.0) -> Plane:
    """Opacity of a signed field whose edge is ``soft`` wide, at least so wide that the texels show no steps."""
    return np.clip(0.5 + np.asarray(signed, np.float32) / np.float32(max(soft, 1.5 * TEXEL)), 0, 1)


class Canvas:
    """The planes, (TEXELS, TEXELS) each, first row lowest: ``opacity``, ``height``, ``erase``, ``rough``, ``number``
    of the defect; ``tone`` (3, …), what the colour's factor departs from 1.
    """

    def __init__(self) -> None:
        shape = (TEXELS, TEXELS)
        self.opacity, self.height, self.erase, self.rough = (np.zeros(shape, np.float32) for _ in range(4))
        self.tone = np.zeros((3, *shape), np.float32)
        self.number = np.zeros(shape, np.float32)
        self._nearest = np.zeros(shape, np.float32)

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
