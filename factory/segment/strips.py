"""Prediction of pictures whose class probabilities do not fit in memory, strip by strip from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from factory.core.tiling import starts
from factory.segment.data import Size
from factory.segment.enlarging import enlarged
from factory.segment.models import best_device
from factory.segment.predict import Predictor, ramp, slide, to_unit

ROWS = 32
"""Rows of an enlarged strip."""


class Strip(NamedTuple):
    """Class probabilities (K, rows, W), float32 on the device, of the rows from ``top`` down."""

    top: int
    found_khw: Tensor


def strips(predictor: Predictor, image_hwc: npt.NDArray[np.uint8]) -> Iterator[Strip]:
    """What ``predictor(image_hwc)`` is, in strips that cover every row once, in order.

    Memory holds the picture and about two times K × tile height × picture width values, or K × the size the segmenter
    works at where pictures are brought to one.
    """
    working_hwc = predictor.brought(image_hwc)
    if working_hwc.shape == image_hwc.shape:
        return _blended(predictor, image_hwc)
    return _enlarged(_whole(predictor, np.array(working_hwc)), image_hwc.shape[:2])


@torch.inference_mode()
def _whole(predictor: Predictor, image_hwc: npt.NDArray[np.uint8]) -> Tensor:
    return slide(
        _images(image_hwc)[None],
        predictor.function,
        tile_hw=predictor.tile_hw,
        overlap=predictor.overlap,
        batch=predictor.batch,
    )


@torch.inference_mode()
def _blended(predictor: Predictor, image_hwc: npt.NDArray[np.uint8]) -> Iterator[Strip]:
    """Tiles in the order, the batches and the memory layout of `slide`, for equal sums; rows leave when final."""
    height, width = image_hwc.shape[:2]
    tall, wide = min(predictor.tile_hw[0], height), min(predictor.tile_hw[1], width)
    places = [(y, x) for y in starts(height, tall, predictor.overlap) for x in starts(width, wide, predictor.overlap)]
    if len(places) == 1:
        yield Strip(0, predictor.function(_images(np.array(image_hwc))[None])[0].float())
        return
    chunks = [places[first : first + predictor.batch] for first in range(0, len(places), predictor.batch)]
    reach = max(chunk[-1][0] - chunk[0][0] for chunk in chunks) + tall
    band = _Band(reach, width, torch.outer(ramp(tall), ramp(wide)).to(best_device()))
    for number, chunk in enumerate(chunks, start=1):
        tiles_nchw = torch.stack([_images(np.array(image_hwc[y : y + tall, x : x + wide])) for y, x in chunk])
        band.add(chunk, predictor.function(tiles_nchw))
        final = chunks[number][0][0] if number < len(chunks) else height
        if final > band.top:
            yield band.leave(final)


class _Band:
    """The ``rows`` that tiles still add to: weighted sums and weights, from the picture's row ``top`` down."""

    def __init__(self, rows: int, width: int, weight_hw: Tensor) -> None:
        self.top, self._tile_hw = 0, weight_hw
        self._weight_hw = weight_hw.new_zeros(rows, width)
        self._total_chw: Tensor | None = None

    def add(self, places: Sequence[tuple[int, int]], tiles_nchw: Tensor) -> None:
        """Add tiles whose corners lie at the picture's (y, x)."""
        tall, wide = self._tile_hw.shape
        if self._total_chw is None:
            self._total_chw = tiles_nchw.new_zeros(tiles_nchw.shape[1], *self._weight_hw.shape)
        for (y, x), tile_chw in zip(places, tiles_nchw, strict=True):
            window = (..., slice(y - self.top, y - self.top + tall), slice(x, x + wide))
            self._total_chw[window] += tile_chw * self._tile_hw
            self._weight_hw[window] += self._tile_hw

    def leave(self, stop: int) -> Strip:
        """The rows above the picture's row ``stop``; the others move up."""
        assert self._total_chw is not None
        rows = stop - self.top
        strip = Strip(self.top, (self._total_chw[:, :rows] / self._weight_hw[:rows]).float())
        for map_hw in (*self._total_chw, self._weight_hw):
            map_hw[:-rows] = map_hw[rows:].clone()
            map_hw[-rows:] = 0
        self.top = stop
        return strip


@torch.inference_mode()
def _enlarged(maps_nchw: Tensor, size_hw: Size) -> Iterator[Strip]:
    """The one set of maps at another size."""
    top = 0
    for (strip_chw,) in enlarged(maps_nchw, size_hw, rows=ROWS):
        yield Strip(top, strip_chw.float())
        top += strip_chw.shape[1]


def _images(image_hwc: npt.NDArray[np.uint8]) -> Tensor:
    return to_unit(torch.from_numpy(image_hwc).to(best_device()).permute(2, 0, 1))
