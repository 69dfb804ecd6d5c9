"""A picture together with everything that is said of it; resizing and tiling move all of it along."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from factory.core.classes import IGNORE
from factory.core.sample import Hints
from factory.core.tiling import starts

Map8 = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int, int]
Position = TypeVar("Position", int, npt.NDArray[np.intp])


class Seeds(NamedTuple):
    """Pixels whose class a person said: rows, columns and class ids, in reading order, each pixel once."""

    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    ids: Map8


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image, RGB (height, width, 3), with its hints, and maps of class ids of its size where there are.

    ``mask`` is the truth, ``scribbles`` what a person drew, ``noisy_mask`` what another tool takes for the mask; the
    ignore index in them says nothing. ``offset`` is where a tile lay in its picture, (x, y).
    """

    id: str
    image: Map8
    hints: Hints
    mask: Map8 | None = None
    scribbles: Map8 | None = None
    noisy_mask: Map8 | None = None
    offset: tuple[int, int] = (0, 0)

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width."""
        return self.image.shape[0], self.image.shape[1]

    @cached_property
    def seeds_hw(self) -> Map8:
        """Class ids where a person's point or scribble says so, ignore elsewhere.

        A pixel that is said to be of two classes counts as neither.
        """
        said_hw = np.full(self.size_hw, IGNORE, np.uint8) if self.scribbles is None else self.scribbles.copy()
        for x, y, class_id in self.hints.points:
            said_hw[y, x] = class_id
        for x, y in self.disputed:
            said_hw[y, x] = IGNORE
        return said_hw

    @cached_property
    def disputed(self) -> list[tuple[int, int]]:
        """Pixels (x, y) that a point says to be of another class than a scribble or another point does."""
        drawn: dict[tuple[int, int], set[int]] = defaultdict(set)
        for x, y, class_id in self.hints.points:
            drawn[x, y].add(class_id)
            if self.scribbles is not None and self.scribbles[y, x] != IGNORE:
                drawn[x, y].add(int(self.scribbles[y, x]))
        return sorted(place for place, ids in drawn.items() if len(ids) > 1)

    @cached_property
    def seeds(self) -> Seeds:
        """The pixels of `seeds_hw` that say something."""
        rows, columns = np.nonzero(self.seeds_hw != IGNORE)
        return Seeds(rows, columns, self.seeds_hw[rows, columns])


def resize(photo: Picture, width: int, height: int) -> Picture:
    """Scale to (width, height): image by area averaging or bilinear, maps by nearest neighbour, hints by their centres.

    Scribbles can vanish when shrunk by nearest neighbour, so every scribbled pixel is moved like a point.
    """
    old_h, old_w = photo.image.shape[:2]
    mode = cv2.INTER_AREA if width <= old_w and height <= old_h else cv2.INTER_LINEAR
    points = tuple(
        (int(_moved(x, old_w, width)), int(_moved(y, old_h, height)), class_id) for x, y, class_id in photo.hints.points
    )
    boxes = tuple(_scaled_box(box, width / old_w, height / old_h, width, height) for box in photo.hints.boxes)
    return replace(
        photo,
        image=np.asarray(cv2.resize(photo.image, (width, height), interpolation=mode), np.uint8),
        hints=replace(photo.hints, points=points, boxes=boxes),
        mask=_nearest(photo.mask, width, height),
        noisy_mask=_nearest(photo.noisy_mask, width, height),
        scribbles=_move_pixels(photo.scribbles, width, height),
    )


def mirrored(photo: Picture) -> Picture:
    """The picture with left and right changed over, hints and maps with it."""
    width = photo.size_hw[1]
    points = tuple((width - 1 - x, y, class_id) for x, y, class_id in photo.hints.points)
    boxes = tuple((width - x1, y0, width - x0, y1, class_id) for x0, y0, x1, y1, class_id in photo.hints.boxes)
    return replace(
        photo,
        image=_turned(photo.image),
        hints=replace(photo.hints, points=points, boxes=boxes),
        mask=None if photo.mask is None else _turned(photo.mask),
        scribbles=None if photo.scribbles is None else _turned(photo.scribbles),
        noisy_mask=None if photo.noisy_mask is None else _turned(photo.noisy_mask),
    )


def at_most(photo: Picture, longest: int) -> Picture:
    """The picture, reduced where a side is longer than ``longest`` pixels."""
    if (reduced := within(photo.size_hw, longest)) == photo.size_hw:
        return photo
    return resize(photo, *reduced[::-1])


def within(size_hw: tuple[int, int], longest: int) -> tuple[int, int]:
    """The size of the same shape whose longer side is at most ``longest`` pixels."""
    if max(size_hw) <= longest:
        return size_hw
    height, width = (max(1, round(side * longest / max(size_hw))) for side in size_hw)
    return height, width


def tiles(photo: Picture, size: int, overlap: float) -> Iterator[Picture]:
    """Square tiles in reading order, neighbours sharing at least ``overlap`` of their side; the last ones lie flush."""
    height, width = photo.image.shape[:2]
    for y in starts(height, size, overlap):
        for x in starts(width, size, overlap):
            yield _cut(photo, x, y, min(size, width), min(size, height))


def _cut(photo: Picture, x: int, y: int, width: int, height: int) -> Picture:
    rows, columns = slice(y, y + height), slice(x, x + width)
    points = tuple((px - x, py - y, c) for px, py, c in photo.hints.points if px in range(x, x + width))
    inside = tuple(point for point in points if 0 <= point[1] < height)
    boxes = tuple(_cut_box(box, x, y, width, height) for box in photo.hints.boxes)
    return Picture(
        id=f"{photo.id}_y{y:04d}_x{x:04d}",
        image=photo.image[rows, columns],
        hints=replace(
            photo.hints, points=inside, boxes=tuple(b for b in boxes if b[0] < b[2] and b[1] < b[3]), tags=()
        ),
        mask=None if photo.mask is None else photo.mask[rows, columns],
        scribbles=None if photo.scribbles is None else photo.scribbles[rows, columns],
        noisy_mask=None if photo.noisy_mask is None else photo.noisy_mask[rows, columns],
        offset=(x, y),
    )


def _cut_box(box: Box, x: int, y: int, w: int, h: int) -> Box:
    x0, y0, x1, y1, class_id = box
    return (max(x0 - x, 0), max(y0 - y, 0), min(x1 - x, w), min(y1 - y, h), class_id)


def _scaled_box(box: Box, kx: float, ky: float, w: int, h: int) -> Box:
    """The box in a picture of (w, h), ``kx`` and ``ky`` times as large: of the smallest one pixel is left."""
    x0, y0, x1, y1, class_id = box
    left, top = min(round(x0 * kx), w - 1), min(round(y0 * ky), h - 1)
    return (left, top, max(round(x1 * kx), left + 1), max(round(y1 * ky), top + 1), class_id)


def _turned(pixels: Map8) -> Map8:
    return np.ascontiguousarray(pixels[:, ::-1])


def _nearest(ids: Map8 | None, width: int, height: int) -> Map8 | None:
    if ids is None:
        return None
    rows = ((np.arange(height) + 0.5) * ids.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * ids.shape[1] / width).astype(int)
    return ids[np.ix_(rows, columns)]


def _move_pixels(ids: Map8 | None, width: int, height: int) -> Map8 | None:
    moved = _nearest(ids, width, height)
    if ids is None or moved is None:
        return None
    y, x = np.nonzero(ids != 255)
    moved[_moved(y, ids.shape[0], height), _moved(x, ids.shape[1], width)] = ids[y, x]
    return moved


def _moved(position: Position, old: int, new: int) -> Position:
    """The pixel that the centre of a pixel falls into when ``old`` pixels become ``new``."""
    return (2 * position + 1) * new // (2 * old)
