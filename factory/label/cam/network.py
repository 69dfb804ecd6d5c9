"""The classifier behind the maps: an encoder's features, summed by class with one weight a channel (GAP + linear)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from segmentation_models_pytorch.encoders import get_encoder
from torch import Tensor, nn
from torch.nn import functional

from factory.core.errors import ConfigError, MachineError
from factory.core.seeds import derive
from factory.segment import weights as files
from factory.segment.architectures import check_encoder
from factory.segment.models import best_device
from factory.segment.normalisation import NORMALISATIONS, resolved

STRIDE = 32
"""Height and width that the encoder sees are multiples of this."""


@dataclass(frozen=True, kw_only=True)
class ClassifierSpec:
    """What decides a classifier's shape and first weights.

    ``encoder`` is any name of segmentation-models-pytorch (timm's as ``tu-<name>``). ``stages`` are the feature maps it
    looks at, 1 at half the picture's size to 5 at a 32nd, brought to the size of the finest and stacked: the last one
    alone is the classical CAM, earlier ones see smaller things. ``encoder_weights`` names weights on the model hub
    (None: random); a file goes before it. ``normalisation`` as for segmenters. ``width`` is that of a small layer
    between encoder and head, which an encoder that does not learn needs (0: none).
    """

    encoder: str
    encoder_weights: str | None
    normalisation: str
    stages: Sequence[int]
    width: int = 0

    def __post_init__(self) -> None:
        check_encoder(self.encoder)
        if not self.stages or sorted(set(self.stages)) != list(self.stages) or not set(self.stages) <= {1, 2, 3, 4, 5}:
            raise ConfigError("stages are some of 1 to 5, each once, rising", got=list(self.stages))
        if self.width < 0:
            raise ConfigError("labeler.classifier.width must not be negative", got=self.width)
        if self.normalisation not in ("auto", *NORMALISATIONS):
            expected = ", ".join(("auto", *NORMALISATIONS))
            raise ConfigError("unknown normalisation", got=self.normalisation, expected=expected)

    @property
    def stride(self) -> int:
        """Pixels of the picture along a side of a cell of the maps."""
        return 1 << self.stages[0]


class Classifier(nn.Module):
    """RGB in [0, 1] -> features -> class maps.

    The head is one weight for each class and channel, for each of ``heads`` ways of pooling a map into one logit.
    """

    def __init__(self, spec: ClassifierSpec, classes: int, heads: int, *, pretrained: bool = False) -> None:
        super().__init__()
        self.spec, self.classes, self.heads = spec, classes, heads
        hub = spec.encoder_weights if pretrained else None
        self.encoder = get_encoder(spec.encoder, depth=max(spec.stages), weights=hub)
        channels = sum(self.encoder.out_channels[stage] for stage in spec.stages)
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.adapter = _Adapter(channels, spec.width) if spec.width else nn.Identity()
        self.head = nn.Conv2d(spec.width or channels, heads * classes, 1)
        if not spec.width:  # behind an adapter nothing could be learnt from zero
            nn.init.zeros_(self.head.weight)
        mean_and_std = NORMALISATIONS[resolved(spec.normalisation, spec.encoder_weights)]
        for name, values in zip(("mean", "std"), mean_and_std, strict=True):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def features(self, images_nchw: Tensor) -> Tensor:
        """What the head weighs, (N, C, h, w): h and w are the picture's over the stride, rounded up."""
        return self.adapted(self.raw(images_nchw))

    def adapted(self, raw_nchw: Tensor) -> Tensor:
        """The encoder's features as the head sees them."""
        adapted_nchw: Tensor = self.adapter(self.norm(raw_nchw))
        return adapted_nchw

    def raw(self, images_nchw: Tensor) -> Tensor:
        """The encoder's features before they are brought to one scale, (N, C, h, w)."""
        height, width = images_nchw.shape[-2:]
        normal_nchw = (images_nchw - self.get_buffer("mean")) / self.get_buffer("std")
        padded_nchw = functional.pad(normal_nchw, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
        found = self.encoder(padded_nchw)
        finest = found[self.spec.stages[0]]
        stacked_nchw = torch.cat([_sized(found[stage], finest) for stage in self.spec.stages], dim=1)
        rows, columns = -(-height // self.spec.stride), -(-width // self.spec.stride)
        return stacked_nchw[..., :rows, :columns]

    def maps(self, features_nchw: Tensor) -> Tensor:
        """Logits of each head, class and cell, (N, heads, K, h, w)."""
        logits_nkhw: Tensor = self.head(features_nchw)
        return logits_nkhw.view(len(logits_nkhw), self.heads, self.classes, *logits_nkhw.shape[-2:])

    def start_at(self, bias_k: Tensor) -> None:
        """Let every head begin with these logits of the classes."""
        assert self.head.bias is not None
        self.head.bias.data = bias_k.repeat(self.heads)

    def weights_hkc(self) -> Tensor:
        """The head's weights, (heads, K, C)."""
        return self.head.weight.view(self.heads, self.classes, -1)


class _Adapter(nn.Module):
    """Channels mixed in each cell, then each channel with its neighbouring cells."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(channels, width, 1)
        self.around = nn.Conv2d(width, width, 3, padding=1, groups=width)

    def forward(self, features_nchw: Tensor) -> Tensor:
        """(N, width, h, w), not negative."""
        mixed_nchw: Tensor = self.mix(features_nchw).relu()
        around_nchw: Tensor = self.around(mixed_nchw)
        return (mixed_nchw + around_nchw).relu()


def placed(model: Classifier) -> Classifier:
    """The model on the best device, its weights laid out as channels-last kernels want them."""
    model.to(best_device())
    model.to(memory_format=torch.channels_last)
    return model


def build(spec: ClassifierSpec, classes: int, heads: int, *, weights: Path | None, seed: int) -> Classifier:
    """A classifier ready for training; `MachineError` without the hub, `InputError` for a file that cannot be used."""
    try:
        with torch.random.fork_rng():
            torch.manual_seed(derive(seed, "init"))
            model = Classifier(spec, classes, heads, pretrained=weights is None)
    except Exception as error:  # the hub's client, timm and torch raise whatever they like
        todo = "give a file of weights (labeler.weights=…), or labeler.classifier.encoder_weights=null"
        raise MachineError.of(
            error, what="the classifier's encoder cannot be made", where=spec.encoder, todo=todo
        ) from error
    if weights is not None:
        files.fill_encoder(model.encoder, files.read(weights), encoder=spec.encoder)
    return model


def _sized(map_nchw: Tensor, like_nchw: Tensor) -> Tensor:
    size_hw = like_nchw.shape[-2:]
    if map_nchw.shape[-2:] == size_hw:
        return map_nchw
    return functional.interpolate(map_nchw, size_hw, mode="bilinear", align_corners=False)
