"""Activation maps of a picture at several sizes, and of its mirror image."""

from __future__ import annotations

from collections.abc import Sequence
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
    def __call__(self, model: Classifier, method: Method, image: Image8, heads_k: Sequence[int]) -> Tensor:
        """Maps (K, h, w) over the cells of the picture at its own size; class k is taken from head ``heads_k[k]``."""
        picture_nchw = tensor(image)[None].to(best_device(), memory_format=torch.channels_last)
        weights_kc = model.weights_hkc()[torch.tensor(heads_k), torch.arange(model.classes)]
        cells_hw = tuple(-(-side // model.spec.stride) for side in picture_nchw.shape[-2:])
        total_khw = torch.zeros(model.classes, *cells_hw, device=picture_nchw.device)
        for scale in self.scales:
            seen_nchw = _scaled(picture_nchw, scale)
            for mirrored in (False, True) if self.flip else (False,):
                features_nchw = model.features(seen_nchw.flip(-1) if mirrored else seen_nchw)
                maps_nkhw = method(features_nchw, weights_kc)
                total_khw += _fitted(maps_nkhw.flip(-1) if mirrored else maps_nkhw, cells_hw)[0]
        return total_khw / (len(self.scales) * (1 + self.flip))


def _scaled(images_nchw: Tensor, scale: float) -> Tensor:
    if scale == 1:
        return images_nchw
    size_hw = [max(round(side * scale), 1) for side in images_nchw.shape[-2:]]
    return functional.interpolate(images_nchw, size_hw, mode="bilinear", align_corners=False, antialias=True)


def _fitted(maps_nkhw: Tensor, cells_hw: tuple[int, ...]) -> Tensor:
    if maps_nkhw.shape[-2:] == cells_hw:
        return maps_nkhw
    return functional.interpolate(maps_nkhw, cells_hw, mode="bilinear", align_corners=False)
