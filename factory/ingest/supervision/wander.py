"""Hands and old models alike are off by a distance that changes slowly along a line: a smooth random displacement."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Map8 = npt.NDArray[np.uint8]
WAVES = 48


def displaced(ids_hw: Map8, sigma: float, reach: float, rng: np.random.Generator) -> Map8:
    """The map with every place moved by a smooth normal deviate of ``sigma`` pixels along each axis.

    Places ``reach`` pixels apart are still moved much alike: the deviates' correlation falls as a Gaussian of that
    width. They are sums of random waves (random Fourier features, Rahimi & Recht 2007, algorithm 1), so that they are
    as large in expectation at the picture's rim, and in a picture of one pixel, as anywhere.
    """
    height, width = ids_hw.shape
    down_hw, across_hw = (sigma * _waves(height, width, reach, rng) for _ in range(2))
    rows_hw = np.rint(np.arange(height)[:, None] + down_hw).clip(0, height - 1).astype(np.intp)
    columns_hw = np.rint(np.arange(width) + across_hw).clip(0, width - 1).astype(np.intp)
    return np.asarray(ids_hw[rows_hw, columns_hw], np.uint8)


def _waves(height: int, width: int, reach: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """A smooth random map of mean 0 and variance 1: cos(a + b) of every wave, as products of one axis each.

    Summed by einsum, which uses one thread: equal bytes on any number of cores.
    """
    slopes_2w = rng.standard_normal((2, WAVES)) / reach
    down_hw = np.arange(height)[:, None] * slopes_2w[0] + rng.uniform(0, 2 * np.pi, WAVES)
    across_ww = np.arange(width)[:, None] * slopes_2w[1]
    left = np.hstack([np.cos(down_hw), -np.sin(down_hw)]).astype(np.float32)
    right = np.hstack([np.cos(across_ww), np.sin(across_ww)]).astype(np.float32)
    return np.asarray(np.sqrt(2 / WAVES) * np.einsum("hw,vw->hv", left, right), np.float32)
