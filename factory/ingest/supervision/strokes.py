"""The way a pen takes within a region: between inner points, straight where there is room, off the border."""

from __future__ import annotations

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
CELLS = 48
"""Cells along the longer side of the grid on which ways are sought: finer ones change nothing that is seen."""
ABOUT = 0.2
"""How far a way's length may be off, as a share of it."""
CROSSING, NEVERTHELESS = 20.0, 0.1
"""What a step onto an earlier stroke costs, in steps at ease; how likely ends there remain, in cells of distance."""
LOOSE = 3.0
"""How far from others strokes are still drawn, in comforts: people draw where it could be doubted what a pixel is."""
STRAIGHT = (1.0, 0.75, 0.5, 0.25)
"""Shares by which a way is drawn taut, the first that costs no more than it did."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A region in square cells of ``side`` pixels: each one's deepest pixel, (row, column), and what to think of it.

    ``cost_gc`` is what a pixel of way costs there, 1 where a pen is at ease and up to 5 beside a border; it is infinite
    in cells without a pixel of the region. ``liking_gc`` is how likely a way begins or ends there.
    """

    side: int
    place_gc2: Places
    cost_gc: Places
    liking_gc: Places

    @classmethod
    def of(cls, inside_hw: Bools, depth_hw: Floats, others_hw: Floats, comfort: float) -> Ground:
        """Lay cells over a region's window; a pen is at ease ``comfort`` pixels off the border, or at the deepest.

        ``depth_hw`` is how far the region's border is, ``others_hw`` how far other regions are, both in pixels.
        """
        side = -(-max(inside_hw.shape) // CELLS)
        depth_gc, place_gc2 = _deepest(np.where(inside_hw, depth_hw, 0), side)
        ease_gc = np.minimum(depth_gc / min(comfort, float(depth_gc.max())), 1)
        far_gc = others_hw[tuple(np.moveaxis(place_gc2, -1, 0))].astype(np.float64)
        away_gc = np.maximum(far_gc / comfort - 1, 0) / LOOSE
        return cls(
            side=side,
            place_gc2=place_gc2.astype(np.float64),
            cost_gc=np.where(depth_gc > 0, 1 + 4 * (1 - ease_gc) ** 2 + np.minimum(away_gc, 1), np.inf),
            liking_gc=ease_gc**2 * np.maximum(np.exp(-away_gc), 1e-9),
        )

    def ways(self, lengths: Places, rng: np.random.Generator) -> Iterator[Places]:
        """Ways of about these lengths, in pixels, as (row, column); each keeps off those before."""
        cost_gc, liking_gc = self.cost_gc, self.liking_gc
        drawn_gc = np.zeros(cost_gc.shape, bool)
        for length in lengths:
            cells = self._way(cost_gc, liking_gc, float(length), rng)
            yield self._taut(self.place_gc2[cells])
            drawn_gc[cells] = True
            apart_gc = ndimage.distance_transform_edt(~drawn_gc)
            cost_gc = np.where(apart_gc < 1.5, self.cost_gc + CROSSING, self.cost_gc)
            liking_gc = self.liking_gc * (apart_gc + NEVERTHELESS) ** 2

    def _way(
        self, cost_gc: Places, liking_gc: Places, length: float, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.intp], ...]:
        field, far_gc = self._from(pick(liking_gc, rng), cost_gc)
        if far_gc.max() < length:
            field, far_gc = self._from(int(far_gc.argmax()), cost_gc)
        amiss_gc = np.where(far_gc < 0, np.inf, np.abs(far_gc - min(length, far_gc.max())))
        near_gc = amiss_gc <= max(ABOUT * length, amiss_gc.min())
        end = np.unravel_index(pick(np.where(near_gc, liking_gc, 0), rng), far_gc.shape)
        return tuple(np.array(field.traceback(end), np.intp).T)

    def _from(self, start: int, cost_gc: Places) -> tuple[MCP_Geometric, Places]:
        """Ways from a cell to all others, and how far they are in pixels; -1 where none leads."""
        field = MCP_Geometric(cost_gc)
        costs_gc, _ = field.find_costs([np.unravel_index(start, cost_gc.shape)])
        return field, np.where(np.isfinite(costs_gc), costs_gc * self.side, -1)

    def _taut(self, way_n2: Places) -> Places:
        """The way as a hand draws it: straight if it can be, else with its corners rounded. The ends stay."""
        line_n2 = np.linspace(way_n2[0], way_n2[-1], len(way_n2))
        round_n2 = ndimage.gaussian_filter1d(way_n2, len(way_n2) / 10, axis=0, mode="nearest")
        round_n2[[0, -1]] = way_n2[[0, -1]]
        most = 1.05 * self._cost(way_n2)
        taut = (share * line_n2 + (1 - share) * round_n2 for share in STRAIGHT)
        return next((taut_n2 for taut_n2 in taut if self._cost(taut_n2) <= most), round_n2)

    def _cost(self, way_n2: Places) -> float:
        cells = np.rint(way_n2).astype(np.intp) // self.side
        steps = np.hypot(*np.diff(way_n2, axis=0, prepend=way_n2[:1]).T)
        return float((self.cost_gc[cells[:, 0], cells[:, 1]] * np.maximum(steps, 1e-6)).sum())


def drawn(way_n2: Places, width: int, inside_hw: Bools) -> Bools:
    """The pixels of a region that a round pen of ``width`` pixels covers on a way."""
    canvas_hw, corners_n2 = np.zeros(inside_hw.shape, np.uint8), np.rint(way_n2).astype(np.int32)
    cv2.polylines(canvas_hw, [corners_n2[:, None, ::-1]], isClosed=False, color=(1,))
    canvas_hw[tuple(corners_n2[0])] = 1
    pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    return np.asarray((cv2.dilate(canvas_hw, pen) > 0) & inside_hw)


def _deepest(depth_hw: Floats, side: int) -> tuple[Places, npt.NDArray[np.intp]]:
    """The greatest depth in each cell, and the pixel it is at."""
    rows, columns = (-(-length // side) for length in depth_hw.shape)
    padded_hw = np.zeros((rows * side, columns * side), np.float64)
    padded_hw[: depth_hw.shape[0], : depth_hw.shape[1]] = depth_hw
    blocks_gcp = padded_hw.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(rows, columns, -1)
    within_2gc = np.divmod(blocks_gcp.argmax(axis=-1), side)
    return blocks_gcp.max(axis=-1), np.stack(within_2gc, axis=-1) + side * np.moveaxis(
        np.indices((rows, columns)), 0, -1
    )
