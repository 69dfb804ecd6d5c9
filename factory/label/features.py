"""What an ImageNet network makes of a picture: features that tell textures and parts of things apart."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn
from torch.nn import functional

from factory.core.errors import ConfigError, MachineError
from factory.label.superpixel_graph import Floats, SuperpixelGraph
from factory.segment import weights as files
from factory.segment.architectures import check_encoder
from factory.segment.normalisation import NORMALISATIONS, resolved

STRIDE = 32
"""Sides of what any encoder sees are multiples of this."""

FINEST = 2
"""Maps are brought to this stride at least before superpixels gather them: finer ones tell no more."""


@dataclass(frozen=True, kw_only=True)
class Features:
    """Feature maps of an encoder of segmentation-models-pytorch, gathered by superpixel.

    ``weights`` is a file, else ``encoder_weights`` names weights on the model hub. ``layers`` are the maps used, 1 for
    stride 2, 2 for stride 4 and so on; each superpixel has a vector of length 1 from each of them. Without weights
    there are none: an untrained network tells nothing.
    """

    encoder: str
    weights: str | None
    encoder_weights: str | None
    layers: Sequence[int]

    def __post_init__(self) -> None:
        check_encoder(self.encoder)
        if not self.layers or not all(1 <= layer <= 5 for layer in self.layers):
            raise ConfigError("features.layers are numbers of maps", got=list(self.layers), expected="some of 1 to 5")

    @property
    def folders(self) -> dict[str, str]:
        """The weights' file: it counts by its content."""
        return {"weights": self.weights} if self.weights else {}

    def __call__(self, image_hwc: npt.NDArray[np.uint8], graph: SuperpixelGraph) -> list[Floats]:
        """One array (superpixels, channels) a layer, its rows of length 1."""
        if self.weights is None and self.encoder_weights is None:
            return []
        height, width = image_hwc.shape[:2]
        with torch.inference_mode():
            maps = _encoder(self.encoder, self.weights, self.encoder_weights)(_framed(image_hwc))
            return [_gathered(maps[layer], (height, width), graph) for layer in self.layers]


class _Normal(nn.Module):
    """An encoder that takes RGB in [0, 1]."""

    def __init__(self, encoder: nn.Module, normalisation: str) -> None:
        super().__init__()
        self.encoder = encoder
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in NORMALISATIONS[normalisation])
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def forward(self, images_nchw: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.encoder((images_nchw - self.get_buffer("mean")) / self.get_buffer("std"))
        return maps


@functools.cache
def _encoder(name: str, weights: str | None, hub: str | None) -> _Normal:
    """The network, made once a process; `MachineError` without the hub."""
    try:
        encoder = smp.encoders.get_encoder(name, weights=None if weights else hub)
    except Exception as error:  # the hub's client, timm and torch raise whatever they like
        todo = "give a file of weights (labeler.features.weights=…), or labeler.features.encoder_weights=null"
        raise MachineError.of(error, what="the features' encoder cannot be made", where=name, todo=todo) from error
    normalisation = resolved("auto", None if weights else hub)
    if weights:
        start = files.read(Path(weights))
        files.fill_encoder(encoder, start, encoder=name)
        normalisation = start.origin.normalisation if start.origin else normalisation
    return _Normal(encoder, normalisation).eval()


def _framed(image_hwc: npt.NDArray[np.uint8]) -> Tensor:
    """The picture as a batch of one in [0, 1], continued by its edge to a size the encoder takes."""
    height, width = image_hwc.shape[:2]
    image_nchw = torch.from_numpy(np.ascontiguousarray(image_hwc)).permute(2, 0, 1).unsqueeze(0).float() / 255
    return functional.pad(image_nchw, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")


def _gathered(map_nchw: Tensor, size_hw: tuple[int, int], graph: SuperpixelGraph) -> Floats:
    """The map's mean over each superpixel, at length 1."""
    height, width = size_hw
    framed_hw = (height + -height % STRIDE, width + -width % STRIDE)
    finer_hw = tuple(max(side // FINEST, have) for side, have in zip(framed_hw, map_nchw.shape[-2:], strict=True))
    fine_chw = functional.interpolate(map_nchw, finer_hw, mode="bilinear", align_corners=False)[0]
    rows = torch.arange(height) * finer_hw[0] // framed_hw[0]
    columns = torch.arange(width) * finer_hw[1] // framed_hw[1]
    pixels_nc = fine_chw[:, rows][:, :, columns].flatten(1).T.contiguous()
    sums_sc = torch.zeros(len(graph), pixels_nc.shape[1])
    sums_sc.index_add_(0, torch.from_numpy(graph.segments_hw.ravel()), pixels_nc)
    means_sc = sums_sc / torch.from_numpy(graph.pixels_s).float()[:, None]
    return np.asarray(functional.normalize(means_sc, dim=1).numpy(), np.float64)
