"""Filling outlines: a pixel belongs to a polygon if its centre lies inside, by the even-odd rule.

Coordinates are continuous, x right and y down, pixel (column, row) covering [column, column + 1) x [row, row + 1).
Edges are half-open, so that polygons sharing an edge neither overlap nor leave a gap.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]


def fill(points_n2: Points, size_hw: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Pixels whose centre lies inside the closed outline; parts outside the image are cut off."""
    inside = np.zeros(size_hw, bool)
    x0, y0 = points_n2.T
    x1, y1 = np.roll(points_n2, -1, axis=0).T
    centres_x = np.arange(size_hw[1]) + 0.5
    for row in range(max(0, math.floor(y0.min())), min(size_hw[0], math.ceil(y0.max()) + 1)):
        crossed = (y0 <= row + 0.5) != (y1 <= row + 0.5)
        share = (row + 0.5 - y0[crossed]) / (y1[crossed] - y0[crossed])
        crossings = np.sort(x0[crossed] + share * (x1[crossed] - x0[crossed]))
        inside[row] = np.searchsorted(crossings, centres_x, side="right") % 2 == 1
    return inside


def box_corners(x0: float, y0: float, x1: float, y1: float, degrees: float) -> Points:
    """The corners of a box turned clockwise (y points down) about its centre."""
    corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float64)
    return corners if degrees == 0 else _turned(corners, corners.mean(axis=0), degrees)


def ellipse_rim(x: float, y: float, radius_x: float, radius_y: float, degrees: float) -> Points:
    """Points around an ellipse turned clockwise about its centre; its radius is kept to 1/25,000."""
    angles = np.linspace(0, 2 * math.pi, 360, endpoint=False)
    rim = np.stack([x + radius_x * np.cos(angles), y + radius_y * np.sin(angles)], axis=1)
    return _turned(rim, np.array([x, y]), degrees)


def _turned(points_n2: Points, centre: Points, degrees: float) -> Points:
    angle = math.radians(degrees)
    turn = np.array([(math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))])
    turned: Points = (points_n2 - centre) @ turn + centre
    return turned
