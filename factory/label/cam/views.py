"""Activation maps of a picture at several sizes, and of its mirror image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from factory.core.errors import ConfigError
from factory.label.cam.frames import Image8, tensor
from factory.label.cam.methods import Method
from factory.label.cam.network import Classifier
from factory.segment.models import best_device


@dataclass(frozen=True, kw_only=True)
class Views:
    """The mean of the maps at each of ``scales`` (2: twice as large) and, with ``flip``, of the mirrored picture."""

    scales: Sequence[float]
    flip: bool

    def __post_init__(self) -> None:
        if not self.scales or not all(0.1 <= scale <= 4 for scale in self.scales):
            raise ConfigError("labeler.views.scales are factors from 0.1 to 4, at least one", got=list(self.scales))

    @torch.inference_mode()
    def __call__(self, models: Sequence[Classifier], method: Method, image: Image8, head: int) -> Tensor:
        """Maps (models, K, h, w) over the cells of the picture at its own size; all are of one ``head``."""
        picture_nchw = tensor(image)[None].to(best_device(), memory_format=torch.channels_last)
        stride, size_hw = models[0].spec.stride, picture_nchw.shape[-2:]
        cells_hw = [-(-side // stride) for side in size_hw]
        total_mkhw = torch.zeros(len(models), models[0].classes, *cells_hw, device=picture_nchw.device)
        for scale in self.scales:
            seen_nchw = _scaled(picture_nchw, scale)
            for mirrored in (False, True) if self.flip else (False,):
                turned_nchw = seen_nchw.flip(-1) if mirrored else seen_nchw
                maps = [
                    method(features_nchw, model.weights_hkc()[head])
                    for model, features_nchw in zip(models, _features(models, turned_nchw), strict=True)
                ]
                total_mkhw += _placed(torch.cat(maps), size_hw, seen_nchw.shape[-2:], stride, mirrored)
        return total_mkhw / (len(self.scales) * (1 + self.flip))


def _features(models: Sequence[Classifier], images_nchw: Tensor) -> Iterator[Tensor]:
    """What each of the heads weighs; encoders that are one look once."""
    seen: dict[int, Tensor] = {}
    for model in models:
        if id(model.encoder) not in seen:
            seen = {id(model.encoder): model.raw(images_nchw)}
        yield model.adapted(seen[id(model.encoder)])


def _scaled(images_nchw: Tensor, scale: float) -> Tensor:
    if scale == 1:
        return images_nchw
    size_hw = [max(round(side * scale), 1) for side in images_nchw.shape[-2:]]
    return functional.interpolate(images_nchw, size_hw, mode="bilinear", align_corners=False, antialias=True)


def _placed(maps_nkhw: Tensor, size_hw: Sequence[int], seen_hw: Sequence[int], stride: int, mirrored: bool) -> Tensor:
    """Maps of a picture of ``size_hw`` seen at ``seen_hw``, looked up where its own cells lie (bilinear).

    Cells are squares of ``stride`` pixels from the top left corner on, the last ones reaching over the border.
    """
    rows, columns = (
        (torch.arange(-(-side // stride), device=maps_nkhw.device) + 0.5) * stride * seen / side
        for side, seen in zip(size_hw, seen_hw, strict=True)
    )
    if mirrored:
        columns = seen_hw[1] - columns
    elif tuple(size_hw) == tuple(seen_hw):
        return maps_nkhw
    reach_hw = (side * stride for side in maps_nkhw.shape[-2:])
    y, x = (2 * places / reach - 1 for places, reach in zip((rows, columns), reach_hw, strict=True))
    grid_nhw2 = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).expand(len(maps_nkhw), -1, -1, -1)
    return functional.grid_sample(maps_nkhw, grid_nhw2, mode="bilinear", padding_mode="border", align_corners=False)
