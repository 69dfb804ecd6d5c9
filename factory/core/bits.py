"""The numbers that a picture's file holds, where Pillow hands out others: it scales grey of few bits to white, and
silently halves 16-bit colour.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image


def per_channel(opened: Image.Image) -> int:
    """Bits a channel, as the file states them."""
    bits = getattr(opened, "tag_v2", {}).get(258, 8)
    return max(bits) if isinstance(bits, tuple) else int(bits) if opened.format != "PNG" else _of_png(opened)


def as_stored(opened: Image.Image) -> npt.NDArray[np.generic]:
    """The pixels, 2-bit and 4-bit grey as 0 to 3 and 0 to 15: class ids, where a mask is of so few bits."""
    pixels = np.asarray(opened)
    return pixels // (255 // (2 ** per_channel(opened) - 1)) if opened.mode == "L" else pixels


def _of_png(opened: Image.Image) -> int:
    with Path(str(opened.filename)).open("rb") as stream:  # type: ignore[attr-defined]
        return stream.read(25)[24]
