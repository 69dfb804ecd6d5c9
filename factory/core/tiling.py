"""Where overlapping tiles begin."""

from __future__ import annotations

import math


def starts(length: int, size: int, overlap: float) -> list[int]:
    """Tile starts spread evenly over one axis so that tiles of ``size`` cover ``length``, first and last flush.

    Neighbours share at least ``overlap`` (0 to below 1) of a tile's side, up to rounding to whole pixels.
    """
    gaps = math.ceil((length - size) / max(size * (1 - overlap), 1)) if length > size else 0
    return [round((length - size) * i / gaps) for i in range(gaps + 1)] if gaps else [0]
