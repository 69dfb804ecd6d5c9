"""How much border between classes lies inside regions: what drawing them takes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def borders_within(
    ids_hw: npt.NDArray[np.uint8], regions_hw: npt.NDArray[np.integer], count: int
) -> npt.NDArray[np.intp]:
    """Pairs of neighbours (along rows and columns) of other classes, both in one region; by region number below
    ``count``. Of region 0 there are none.
    """
    found_r = np.zeros(count, np.intp)
    for here, there in (((slice(None), slice(1, None)), (slice(None), slice(-1))), ((slice(1, None),), (slice(-1),))):
        cut = (ids_hw[here] != ids_hw[there]) & (regions_hw[here] == regions_hw[there])
        found_r += np.bincount(regions_hw[here][cut].astype(np.intp), minlength=count)
    found_r[0] = 0
    return found_r
