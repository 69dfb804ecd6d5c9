"""Prediction on images of any size: tiles of the size seen in training, blended where they overlap."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from factory.core.errors import ConfigError, InputError
from factory.core.tiling import starts
from factory.segment.checkpoint import Trained
from factory.segment.data import LEAST_SIDE, Size, resize_image
from factory.segment.folding import folded
from factory.segment.layout import pixel_by_pixel
from factory.segment.models import Segmenter, best_device
from factory.segment.shipped import Shipped
from factory.segment.working import Working

TileFunction = Callable[[Tensor], Tensor]
"""Images (N, 3, h, w) in [0, 1] -> any maps (N, C, h, w) that may be averaged."""


MANY_LOOKS = 16
"""Looks at each pixel beyond which it is said how many there are: those of an overlap of three quarters."""


@dataclass(frozen=True, kw_only=True)
class Predictor:
    """A segmenter made ready: 8-bit RGB (H, W, 3) -> class probabilities (K, H, W), float32.

    ``overlap`` is the share of a tile that its neighbour covers again; ``batch`` tiles run at a time. ``size`` and
    ``tile``, (height, width), go before the size that pictures are brought to and the tile that the segmenter names,
    and so does ``longest``, pixels of the longer side; ``tta`` makes a tile function of another (see
    `factory.segment.tta`).
    """

    trained: Trained | Shipped
    overlap: float = 0.5
    batch: int = 8
    size: Size | None = None
    longest: int | None = None
    tile: Size | None = None
    tta: Callable[[TileFunction], TileFunction] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < 1:
            raise ConfigError(
                "overlap is a share of a tile", where="overlap", got=self.overlap, expected="0 to below 1"
            )
        if self.batch < 1:
            raise ConfigError("batch is too small", where="batch", got=self.batch, expected="1 or more")
        if self.longest is not None and (self.size or self.longest < LEAST_SIDE):
            got = f"size {self.size}, longest {self.longest}"
            raise ConfigError(f"give size, or longest of {LEAST_SIDE} pixels or more, or neither", got=got)

    def __call__(self, image_hwc: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Probabilities of one image, of its own size whatever size the model works at."""
        return self.map(image_hwc, self.function)

    def map(self, image_hwc: npt.NDArray[np.uint8], function: TileFunction) -> npt.NDArray[np.float32]:
        """What ``function`` makes of an image's tiles, blended, of the image's own size: (C, H, W)."""
        working_hwc = np.array(self.brought(image_hwc))
        images_nchw = torch.from_numpy(working_hwc).to(best_device()).permute(2, 0, 1).unsqueeze(0)
        with torch.inference_mode():
            maps_nchw = slide(
                to_unit(images_nchw), function, tile_hw=self.tile_hw, overlap=self.overlap, batch=self.batch
            )
            if maps_nchw.shape[-2:] != image_hwc.shape[:2]:
                maps_nchw = functional.interpolate(maps_nchw, image_hwc.shape[:2], mode="bilinear", align_corners=False)
        found: npt.NDArray[np.float32] = maps_nchw[0].float().cpu().numpy()
        return found

    @property
    def working(self) -> Working:
        """The size that pictures are brought to first."""
        return Working(size_hw=self.size, longest=self.longest) if self.size or self.longest else self.trained.working

    def tell_of_looks(self, who: str) -> None:
        """One line for whoever waits, where tiles overlap so much that prediction takes many times as long."""
        (tall, wide), steps = self.tile_hw, [max(side * (1 - self.overlap), 1) for side in self.tile_hw]
        looks = round(tall / steps[0] * wide / steps[1])
        if looks > MANY_LOOKS:
            said = f"tiles of {tall}×{wide}, overlap {self.overlap:g}; overlap 0.5 takes 4"
            print(f"{who}: larger pictures are looked at about {looks} times over ({said})", file=sys.stderr)

    def brought(self, image_hwc: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The image at the size at which it is looked at."""
        height, width = image_hwc.shape[:2]
        return resize_image(image_hwc, self.working.of((height, width)))

    @property
    def tile_hw(self) -> Size:
        """The size of the tiles."""
        return self.tile or self.trained.tile_hw

    @cached_property
    def function(self) -> TileFunction:
        """Tiles to class probabilities."""
        plain = self.trained if isinstance(self.trained, Shipped) else probabilities(self.model)
        return self.tta(plain) if self.tta else plain

    @cached_property
    def model(self) -> Segmenter:
        """A copy of the segmenter for prediction alone, on its device; a checkpoint's only."""
        assert isinstance(self.trained, Trained)
        return ready(self.trained.model.to(best_device()))


def sound(found_khw: npt.NDArray[np.float32], where: object) -> npt.NDArray[np.float32]:
    """The same probabilities, to decide by; `InputError` where they are no numbers, of which the first class would be
    the highest. ``where`` names the picture.
    """
    if not np.isfinite(found_khw.sum(dtype=np.float64)):
        todo = "its training diverged, or its file is damaged: take another checkpoint, or train again"
        what = "what the model says of a picture are no numbers"
        raise InputError(what, where=where, got="NaN or infinite", todo=todo)
    return found_khw


def ready(model: Segmenter) -> Segmenter:
    """A copy for prediction alone: in evaluation mode, `folded`, and laid out for its device."""
    small = folded(model)
    return pixel_by_pixel(small) if small.get_buffer("mean").device.type == "cpu" else small


def probabilities(model: Segmenter) -> TileFunction:
    """The model's class probabilities as a tile function."""
    return lambda images_nchw: model(images_nchw).softmax(dim=1)


def to_unit(images_nchw: Tensor) -> Tensor:
    """8-bit RGB as float32 in [0, 1]."""
    return images_nchw.float() / 255


def slide(images_nchw: Tensor, function: TileFunction, *, tile_hw: Size, overlap: float, batch: int) -> Tensor:
    """``function`` over overlapping tiles, blended with weights that fall off towards a tile's edge: (N, C, H, W)."""
    count, _, height, width = images_nchw.shape
    tall, wide = min(tile_hw[0], height), min(tile_hw[1], width)
    corners = [(y, x) for y in starts(height, tall, overlap) for x in starts(width, wide, overlap)]
    if len(corners) == 1:
        return torch.cat([function(chunk_nchw) for chunk_nchw in torch.split(images_nchw, batch)])
    weight_hw = torch.outer(ramp(tall), ramp(wide)).to(images_nchw.device)
    places = [(n, y, x) for n in range(count) for y, x in corners]
    total_nchw: Tensor | None = None
    weight_n1hw = images_nchw.new_zeros(count, 1, height, width)
    for first in range(0, len(places), batch):
        chunk = places[first : first + batch]
        tiles_nchw = function(torch.stack([images_nchw[n, :, y : y + tall, x : x + wide] for n, y, x in chunk]))
        if total_nchw is None:
            total_nchw = tiles_nchw.new_zeros(count, tiles_nchw.shape[1], height, width)
        for (n, y, x), tile_chw in zip(chunk, tiles_nchw, strict=True):
            total_nchw[n, :, y : y + tall, x : x + wide] += tile_chw * weight_hw
            weight_n1hw[n, :, y : y + tall, x : x + wide] += weight_hw
    assert total_nchw is not None
    return total_nchw / weight_n1hw


def ramp(length: int) -> Tensor:
    """Triangle weights along a tile's side, above 0 everywhere."""
    return 1 - (torch.arange(length) - (length - 1) / 2).abs() * 2 / (length + 1)
