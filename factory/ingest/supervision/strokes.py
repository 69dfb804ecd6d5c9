"""The way a pen takes within a region: between inner points, straight where there is room, off the border."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.graph import MCP_Geometric

from factory.ingest.supervision.aim import pick
from factory.ingest.supervision.regions import Bools, Floats

Places = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.intp]
CELLS = 48
"""Cells along the longer side of the grid on which ways are sought: finer ones change nothing that is seen."""
ABOUT = 0.2
"""How far a way's length may be off, as a share of it."""
CROSSING, NEVERTHELESS = 20.0, 0.1
"""What a step onto an earlier stroke costs, in steps at ease; how likely ends there remain, in cells of distance."""
LOOSE = 4.0
"""How far from others strokes are still drawn, in comforts: people draw where it could be doubted what a pixel is."""
ROOMY = 2.0
"""How far off the border strokes begin and end ever more readily, in comforts: in the body rather than in the limbs."""
STRAIGHT, ROUND = (1.0, 0.75, 0.5, 0.25), (0.1, 0.05, 0.025)
"""Shares by which a way is drawn straight, and of its length over which corners are rounded, in the order tried."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A region in its window, for a pen that is at ease ``comfort`` pixels off the border, its greatest depth at most.

    ``depth_hw`` is how far the region's border is, ``others_hw`` how far other regions are, both in pixels. Ways lead
    from cell to square cell of ``side`` pixels, each represented by its deepest pixel.
    """

    inside_hw: Bools
    depth_hw: Floats
    others_hw: Floats
    comfort: float

    @property
    def side(self) -> int:
        """Pixels along a cell."""
        return math.ceil(max(len(self.inside_hw), len(self.inside_hw[0])) / CELLS)

    def ways(self, lengths: Places, rng: np.random.Generator) -> Iterator[Places]:
        """Ways of about these lengths, in pixels, as (row, column); each keeps off those before."""
        place_gc2 = _deepest(np.where(self.inside_hw, self.depth_hw, 0), self.side)
        cost_gc, liking_gc = self._judged(place_gc2)
        dear_gc, free_gc, drawn_gc = cost_gc, liking_gc, np.zeros(cost_gc.shape, bool)
        for length in lengths:
            cells = _way(dear_gc, free_gc, float(length) / self.side, rng)
            yield self._taut(place_gc2[cells].astype(np.float64))
            drawn_gc[cells] = True
            apart_gc = ndimage.distance_transform_edt(~drawn_gc)
            dear_gc = np.where(apart_gc < 1.5, cost_gc + CROSSING, cost_gc)
            free_gc = liking_gc * (apart_gc + NEVERTHELESS) ** 2

    def _judged(self, place_n2: Pixels) -> tuple[Places, Places]:
        """What a step onto pixels costs, and how likely a way begins or ends there.

        A step costs 1 at ease, up to 5 beside a border, infinity outside; a quarter more far from all others.
        """
        at = tuple(np.moveaxis(place_n2, -1, 0))
        inside_n = self.inside_hw[at]
        off_n = np.where(inside_n, self.depth_hw[at], 0) / self.comfort
        away_n = np.maximum(self.others_hw[at] / self.comfort - 1, 0) / LOOSE
        cost_n = 1 + 4 * (1 - np.minimum(off_n, 1)) ** 2 + np.minimum(away_n, 1) / 4
        liking_n = np.minimum(off_n, ROOMY) ** 2 * np.maximum(np.exp(-away_n), 1e-9)
        return np.where(inside_n, cost_n, np.inf).astype(np.float64), liking_n.astype(np.float64)

    def _taut(self, way_n2: Places) -> Places:
        """The way as a hand draws it: straight if it can be, else with its corners rounded. The ends stay."""
        line_n2 = np.linspace(way_n2[0], way_n2[-1], len(way_n2))
        rounded = [_rounded(way_n2, share * len(way_n2)) for share in ROUND]
        straight = [share * line_n2 + (1 - share) * rounded[0] for share in STRAIGHT]
        most = 1.05 * self._cost(way_n2)
        return next((taut_n2 for taut_n2 in [*straight, *rounded] if self._cost(taut_n2) <= most), way_n2)

    def _cost(self, way_n2: Places) -> float:
        cost_n, _ = self._judged(np.rint(way_n2).astype(np.intp))
        steps_n = np.hypot(*np.diff(way_n2, axis=0, prepend=way_n2[:1]).T)
        return float((cost_n * np.maximum(steps_n, 1e-6)).sum())


def drawn(way_n2: Places, width: int, inside_hw: Bools) -> Bools:
    """The pixels of a region that a round pen of ``width`` pixels covers on a way."""
    canvas_hw, corners_n2 = np.zeros(inside_hw.shape, np.uint8), np.rint(way_n2).astype(np.int32)
    cv2.polylines(canvas_hw, [corners_n2[:, None, ::-1]], isClosed=False, color=(1,))
    canvas_hw[tuple(corners_n2[0])] = 1
    pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    return np.asarray((cv2.dilate(canvas_hw, pen) > 0) & inside_hw)


def _way(cost_gc: Places, liking_gc: Places, length: float, rng: np.random.Generator) -> tuple[Pixels, ...]:
    """The cells of a way of about this length, counted in cells at ease."""
    field, far_gc = _field(cost_gc, pick(liking_gc, rng))
    if far_gc.max() < length:
        field, far_gc = _field(cost_gc, int(far_gc.argmax()))
    amiss_gc = np.where(far_gc < 0, np.inf, np.abs(far_gc - min(length, far_gc.max())))
    near_gc = amiss_gc <= max(ABOUT * length, amiss_gc.min())
    end = np.unravel_index(pick(np.where(near_gc, liking_gc, 0), rng), far_gc.shape)
    return tuple(np.array(field.traceback(end), np.intp).T)


def _field(cost_gc: Places, start: int) -> tuple[MCP_Geometric, Places]:
    """Ways from a cell to all others, and what they cost; -1 where none leads."""
    field = MCP_Geometric(cost_gc)
    costs_gc, _ = field.find_costs([np.unravel_index(start, cost_gc.shape)])
    return field, np.where(np.isfinite(costs_gc), costs_gc, -1)


def _rounded(way_n2: Places, sigma: float) -> Places:
    smooth_n2 = np.asarray(ndimage.gaussian_filter1d(way_n2, sigma, axis=0, mode="nearest"), np.float64)
    smooth_n2[[0, -1]] = way_n2[[0, -1]]
    return smooth_n2


def _deepest(depth_hw: Floats, side: int) -> Pixels:
    """The deepest pixel of each cell; its first where all have depth 0."""
    rows, columns = (-(-length // side) for length in depth_hw.shape)
    padded_hw = np.zeros((rows * side, columns * side), np.float32)
    padded_hw[: depth_hw.shape[0], : depth_hw.shape[1]] = depth_hw
    blocks_gcp = padded_hw.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(rows, columns, -1)
    within_gc2 = np.stack(np.divmod(blocks_gcp.argmax(axis=-1), side), axis=-1)
    return np.asarray(within_gc2 + side * np.moveaxis(np.indices((rows, columns)), 0, -1), np.intp)
