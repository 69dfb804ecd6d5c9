"""A picture as it is written, made where it was decoded: writing PNG takes longer than reading JPEG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from factory.core import digests
from factory.core.classes import IGNORE
from factory.core.masks import encode_png
from factory.core.picture import Picture
from factory.core.sample import Hints, Origin, Supervision


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A picture of ``width`` × ``height`` pixels, or a tile that lay at ``offset`` (x, y), as PNG.

    ``maps`` holds its image and, where it has a mask, that and who vouches for each pixel; ``drawn`` its scribbles and
    noisy masks; ``sha256`` is the image file's.
    """

    id: str
    width: int
    height: int
    offset: tuple[int, int]
    hints: Hints
    supervision: Supervision
    maps: Mapping[str, bytes]
    drawn: Mapping[str, bytes]
    sha256: str

    @classmethod
    def of(cls, photo: Picture) -> Encoded:
        """The picture encoded, with what is said of it."""
        height, width = photo.size_hw
        maps = {"image": photo.image}
        if photo.mask is not None:
            origin_hw = np.where(photo.mask != IGNORE, Origin.HUMAN, Origin.NONE).astype(np.uint8)
            maps |= {"mask": photo.mask, "source": origin_hw}
        drawn = {"scribbles": photo.scribbles, "masks": photo.noisy_mask}
        encoded = {name: encode_png(pixels) for name, pixels in maps.items()}
        return cls(
            id=photo.id,
            width=width,
            height=height,
            offset=photo.offset,
            hints=photo.hints,
            supervision=_supervision(photo),
            maps=encoded,
            drawn={name: encode_png(ids_hw) for name, ids_hw in drawn.items() if ids_hw is not None},
            sha256=digests.of_bytes(encoded["image"]),
        )


def _supervision(photo: Picture) -> Supervision:
    told = (
        (Supervision.HUMAN, photo.mask is not None),
        (Supervision.SCRIBBLES, photo.scribbles is not None),
        (Supervision.POINTS, photo.hints.points),
        (Supervision.BOXES, photo.hints.boxes),
        (Supervision.MASKS, photo.noisy_mask is not None),
        (Supervision.TAGS, photo.hints.tags or photo.hints.absent),
    )
    return next((kind for kind, there in told if there), Supervision.NONE)
