"""Where a hand aims: at one of many places, as likely as each is liked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def pick(liking: npt.NDArray[np.floating], rng: np.random.Generator) -> int:
    """Flat index of a place, drawn with these weights; at least one is positive."""
    upto = np.cumsum(liking, dtype=np.float64)
    below = min(rng.random() * upto[-1], np.nextafter(upto[-1], 0))
    return int(np.searchsorted(upto, below, side="right"))
