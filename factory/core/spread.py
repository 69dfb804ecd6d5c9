"""Pixels drawn at random, spread evenly over a picture or over the segments it falls into by colour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from skimage.segmentation import felzenszwalb

SCALE, SIGMA, LEAST = 100, 0.5, 20
"""How unlike parts of a segment may be, the blur before, and the pixels a segment has at least."""

Map8 = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]


def over_pixels(_: Map8, places: Places, count: int, rng: np.random.Generator) -> Places:
    """``count`` of the ``places`` (flat indices of pixels), sorted; all are as likely."""
    return np.sort(rng.permutation(places)[:count])


def over_segments(image_hwc: Map8, places: Places, count: int, rng: np.random.Generator) -> Places:
    """``count`` of the ``places`` (flat indices of pixels of an RGB image), sorted: all segments are as likely.

    Drawn uniformly, pixels fall on what is large; small things are segments of their own (Felzenszwalb & Huttenlocher
    2004), and so twice as often drawn. A pixel's chance is the inverse of its segment's share of ``places``; without
    replacement (Efraimidis & Spirakis 2006).
    """
    segments = felzenszwalb(image_hwc, scale=SCALE, sigma=SIGMA, min_size=LEAST).ravel()[places]
    keys = rng.exponential(size=len(places)) * np.bincount(segments)[segments]
    return np.sort(places[np.argpartition(keys, count)[:count]] if count < len(places) else places)


SPREADS = {"pixels": over_pixels, "segments": over_segments}
"""What is as likely to be met as any other of its kind."""
