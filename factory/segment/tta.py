"""Test-time augmentation: one prediction averaged over several views of the same tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from factory.core.errors import ConfigError
from factory.segment.predict import TileFunction


@dataclass(frozen=True, kw_only=True)
class Views:
    """Averages what a tile function says of a tile, its mirror images and other sizes of it.

    ``flip`` and ``flip_vertical`` add the mirrored views (both: also the one turned by half a circle), at each of the
    ``scales``; 2 shows the tile twice as large. Cost grows with the number of views and the square of the scale.
    """

    flip: bool = False
    flip_vertical: bool = False
    scales: Sequence[float] = (1.0,)

    def __post_init__(self) -> None:
        if not self.scales or not all(0.1 <= scale <= 10 for scale in self.scales):
            raise ConfigError("tta.scales are factors from 0.1 to 10, at least one", got=list(self.scales))

    def __call__(self, function: TileFunction) -> TileFunction:
        """A tile function of the same shapes; ``function`` itself where there is one view only."""
        views = self.each(function)
        if len(views) == 1 and self.scales[0] == 1:
            return function

        def averaged(images_nchw: Tensor) -> Tensor:
            found = (view(images_nchw) for view in views)
            total_nchw = next(found)
            for maps_nchw in found:
                total_nchw = total_nchw + maps_nchw
            return total_nchw / len(views)

        return averaged

    def each(self, function: TileFunction) -> list[TileFunction]:
        """What it says of each view by itself, turned back to the tile."""
        return [partial(_view, function, scale=scale, axes=axes) for scale in self.scales for axes in self._mirrors()]

    def _mirrors(self) -> list[tuple[int, ...]]:
        """The axes along which each view is turned round."""
        across: list[tuple[int, ...]] = [(), (-1,)] if self.flip else [()]
        return [*across, *((*axes, -2) for axes in across if self.flip_vertical)]


def _view(function: TileFunction, images_nchw: Tensor, scale: float, axes: tuple[int, ...]) -> Tensor:
    size_hw = (images_nchw.shape[-2], images_nchw.shape[-1])
    seen_hw = (max(round(scale * size_hw[0]), 1), max(round(scale * size_hw[1]), 1))
    seen_nchw = images_nchw
    if seen_hw != size_hw:
        seen_nchw = functional.interpolate(images_nchw, seen_hw, mode="bilinear", align_corners=False, antialias=True)
    found_nchw = torch.flip(function(torch.flip(seen_nchw, axes)), axes)
    if seen_hw != size_hw:
        found_nchw = functional.interpolate(found_nchw, size_hw, mode="bilinear", align_corners=False)
    return found_nchw
