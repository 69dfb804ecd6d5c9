"""torchvision's segmentation heads on any encoder, cut where ours are: encoder, decoder, segmentation head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from segmentation_models_pytorch.encoders import get_encoder
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.segmentation.fcn import FCNHead
from torchvision.models.segmentation.lraspp import LRASPPHead


class Fcn(nn.Module):
    """A 3×3 convolution and a classifier on features of stride 8.

    ``width`` is the convolution's (None: a quarter of the encoder's last). Source: Long et al., Fully convolutional
    networks for semantic segmentation (2015), in torchvision's dilated form.
    """

    STRIDE = 8

    def __init__(
        self,
        *,
        encoder_name: str,
        encoder_weights: Any,
        classes: int,
        width: int | None = None,
        dropout: float = 0.1,
        **encoder_arguments: Any,
    ) -> None:
        super().__init__()
        self.encoder = get_encoder(
            encoder_name, weights=encoder_weights, output_stride=self.STRIDE, **encoder_arguments
        )
        deepest = self.encoder.out_channels[-1]
        convolution, *between, _, classifier = FCNHead(4 * width if width else deepest, classes)
        if width:
            convolution = nn.Conv2d(deepest, width, 3, padding=1, bias=False)
        self.decoder = _OnDeepest(convolution, *between, nn.Dropout(dropout))
        self.segmentation_head = nn.Sequential(classifier, _upsampling(self.STRIDE))


class Lraspp(nn.Module):
    """Gated deep features of stride 16 beside finer ones of stride 8, each with a linear classifier.

    ``width`` is that of the deep branch. Source: Howard et al., Searching for MobileNetV3 (2019), section 6.3.
    """

    DEEP, FINE = 16, 8

    def __init__(
        self, *, encoder_name: str, encoder_weights: Any, classes: int, width: int = 128, **encoder_arguments: Any
    ) -> None:
        super().__init__()
        self.encoder = get_encoder(encoder_name, weights=encoder_weights, output_stride=self.DEEP, **encoder_arguments)
        fine, deep = self.encoder.out_channels[3], self.encoder.out_channels[-1]
        head = LRASPPHead(fine, deep, classes, width)
        self.decoder = _Gated(head.cbr, head.scale)
        self.segmentation_head = nn.Sequential(
            _Beside(head.high_classifier, head.low_classifier), _upsampling(self.FINE)
        )


class _OnDeepest(nn.Sequential):
    """Layers that look at the encoder's last map alone."""

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        decoded_nchw = features[-1]
        for layer in self:
            decoded_nchw = layer(decoded_nchw)
        return decoded_nchw


class _Gated(nn.Module):
    def __init__(self, convolution: nn.Module, gate: nn.Module) -> None:
        super().__init__()
        self.convolution, self.gate = convolution, gate

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Deep channels, then fine ones, at the fine ones' resolution."""
        fine_nchw, deep_nchw = features[3], features[-1]
        gated_nchw = self.convolution(deep_nchw) * self.gate(deep_nchw)
        gated_nchw = functional.interpolate(gated_nchw, fine_nchw.shape[-2:], mode="bilinear", align_corners=False)
        return torch.cat([gated_nchw, fine_nchw], dim=1)


class _Beside(nn.Module):
    def __init__(self, deep: nn.Conv2d, fine: nn.Conv2d) -> None:
        super().__init__()
        self.deep, self.fine = deep, fine
        self.in_channels = deep.in_channels + fine.in_channels

    def forward(self, decoded_nchw: Tensor) -> Tensor:
        deep_nchw, fine_nchw = torch.split(decoded_nchw, [self.deep.in_channels, self.fine.in_channels], dim=1)
        logits_nkhw: Tensor = self.deep(deep_nchw) + self.fine(fine_nchw)
        return logits_nkhw


def _upsampling(factor: int) -> nn.Module:
    return nn.Upsample(scale_factor=factor, mode="bilinear", align_corners=False)
