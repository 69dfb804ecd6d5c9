"""A mask as things that can be edited one by one: the connected parts of its classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from factory.core.classes import IGNORE
from factory.exchange import Mask

Region = npt.NDArray[np.bool_]
Window = tuple[slice, slice]


def connected(mask_hw: Mask, specks: int) -> Iterator[tuple[int, Window, Region]]:
    """(class id, window, region inside it) for each connected part (8 neighbours), then for a class's dust together.

    Dust is parts under ``specks`` pixels. Classes come in the order of their ids; ignored pixels are in no part.
    """
    for class_id in np.unique(mask_hw[mask_hw != IGNORE]).tolist():
        numbered, count = ndimage.label(mask_hw == class_id, structure=np.ones((3, 3)))
        sizes = np.bincount(numbered.ravel(), minlength=count + 1)
        for number, window in enumerate(ndimage.find_objects(numbered), start=1):
            if sizes[number] >= specks:
                yield class_id, window, numbered[window] == number
        dust = (sizes < specks)[numbered] & (numbered > 0)
        if dust.any():
            window = ndimage.find_objects(dust.astype(np.uint8))[0]
            yield class_id, window, dust[window]
