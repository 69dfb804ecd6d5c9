"""The segmenter: an smp architecture with its input normalisation inside, split where dropout begins."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import segmentation_models_pytorch as smp
import torch
from safetensors.torch import load_file
from segmentation_models_pytorch.encoders import get_encoder_names
from torch import Tensor, nn
from torch.nn import functional

from factory.core.classes import ClassList
from factory.core.errors import ConfigError, InputError, MachineError
from factory.core.seeds import derive

ARCHITECTURES: dict[str, Callable[..., nn.Module]] = {
    "unet": smp.Unet,
    "deeplabv3plus": smp.DeepLabV3Plus,
    "fpn": smp.FPN,
}
DROPOUT_ARGUMENT = {"deeplabv3plus": "decoder_aspp_dropout", "fpn": "decoder_dropout"}
NORMALISATIONS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "signed": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}


@dataclass(frozen=True, kw_only=True)
class SegmenterSpec:
    """Everything that decides a segmenter's shape; its weights come from elsewhere.

    ``architecture`` is unet, deeplabv3plus or fpn; ``encoder`` any encoder name of segmentation-models-pytorch (also
    ``tu-<timm name>``). ``encoder_weights`` names weights on the model hub, None starts at random; a file given as the
    stage's ``weights`` input goes before both. ``normalisation``: imagenet (mean and standard deviation), signed
    (RGB to [-1, 1]), or auto: imagenet with hub weights, signed otherwise. ``decoder_channels`` narrows the decoder
    (None: the architecture's own width). ``decoder_dropout`` is the architecture's own dropout, ``head_dropout`` drops
    whole channels just before the head: both are what MC-dropout samples.
    """

    architecture: str = "deeplabv3plus"
    encoder: str = "mobilenet_v2"
    encoder_weights: str | None = None
    normalisation: str = "auto"
    decoder_channels: int | None = None
    decoder_dropout: float = 0.5
    head_dropout: float = 0.1
    edge_head: bool = False

    def __post_init__(self) -> None:
        _choose("model.architecture", self.architecture, tuple(ARCHITECTURES))
        if not self.encoder.startswith("tu-"):
            _choose("model.encoder", self.encoder, tuple(get_encoder_names()))
        _choose("model.normalisation", self.normalisation, ("auto", *NORMALISATIONS))
        for name in ("decoder_dropout", "head_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"model.{name} is a probability below 1", got=getattr(self, name))
        if self.decoder_channels is not None and (self.decoder_channels < 16 or self.decoder_channels % 16):
            raise ConfigError("model.decoder_channels must be a multiple of 16, or null", got=self.decoder_channels)

    @property
    def stride(self) -> int:
        """Height and width the network sees are multiples of this."""
        return 16 if self.architecture == "deeplabv3plus" else 32

    def mean_and_std(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Per-channel statistics of the input normalisation, of RGB in [0, 1]."""
        chosen = ("imagenet" if self.encoder_weights else "signed") if self.normalisation == "auto" else None
        return NORMALISATIONS[chosen or self.normalisation]


class Outputs(NamedTuple):
    """What training sees of the network: logits, the map before the head, and logits of edges if it has any."""

    logits_nkhw: Tensor
    features_nchw: Tensor
    edges_n1hw: Tensor | None


class Segmenter(nn.Module):
    """RGB in [0, 1] of any size -> class logits of the same size.

    `encode` is deterministic in evaluation mode; `decode` holds every dropout layer, so that MC-dropout encodes once
    and decodes many times.
    """

    def __init__(self, spec: SegmenterSpec, classes: ClassList, *, pretrained: bool = False) -> None:
        super().__init__()
        self.spec, self.classes = spec, classes
        self.network = _network(spec, len(classes), spec.encoder_weights if pretrained else None)
        self.head_dropout = nn.Dropout2d(spec.head_dropout)
        for name, values in zip(("mean", "std"), spec.mean_and_std(), strict=True):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, images_nchw: Tensor) -> Tensor:
        """Logits, shape (N, K, H, W)."""
        height, width = images_nchw.shape[-2:]
        return self.decode(self.encode(images_nchw), (height, width))

    def outputs(self, images_nchw: Tensor) -> Outputs:
        """Logits and what came before them."""
        height, width = images_nchw.shape[-2:]
        features = self.encode(images_nchw)
        decoded_nchw = self.network.decoder(list(features)) if self._decoder_drops else features[0]
        logits_nkhw = self.network.segmentation_head(self.head_dropout(decoded_nchw))
        return Outputs(logits_nkhw[..., :height, :width], decoded_nchw, None)

    def encode(self, images_nchw: Tensor) -> list[Tensor]:
        """What comes before the first dropout, of the images padded to the stride at the right and bottom.

        The encoder's feature maps, finest first, or the decoder's one map where the decoder drops nothing.
        """
        height, width = images_nchw.shape[-2:]
        normal_nchw = (images_nchw - self.get_buffer("mean")) / self.get_buffer("std")
        padding = (0, -width % self.spec.stride, 0, -height % self.spec.stride)
        features: list[Tensor] = self.network.encoder(functional.pad(normal_nchw, padding, mode="replicate"))
        return features if self._decoder_drops else [self.network.decoder(features)]

    def decode(self, features: Sequence[Tensor], size_hw: tuple[int, int]) -> Tensor:
        """Logits (N, K, H, W) from `encode`'s features, cut to the images' own size."""
        decoded_nchw = self.network.decoder(list(features)) if self._decoder_drops else features[0]
        logits_nkhw: Tensor = self.network.segmentation_head(self.head_dropout(decoded_nchw))
        return logits_nkhw[..., : size_hw[0], : size_hw[1]]

    @property
    def _decoder_drops(self) -> bool:
        return self.spec.architecture in DROPOUT_ARGUMENT and self.spec.decoder_dropout > 0

    def encoder_parameters(self) -> list[nn.Parameter]:
        """The weights that may come pretrained."""
        return list(self.network.encoder.parameters())

    def decoder_parameters(self) -> list[nn.Parameter]:
        """The weights that always start at random."""
        return [*self.network.decoder.parameters(), *self.network.segmentation_head.parameters()]


def build(spec: SegmenterSpec, classes: ClassList, *, weights: Path | None, seed: int) -> Segmenter:
    """A segmenter ready for training: random weights from ``seed``, then the hub's or the file's for the encoder.

    A file goes before the hub. `MachineError` where the hub cannot be reached, `InputError` where the file does not
    fit the encoder.
    """
    if weights is not None:
        spec = replace(spec, encoder_weights=None)
    with torch.random.fork_rng():
        torch.manual_seed(derive(seed, "init"))
        model = Segmenter(spec, classes, pretrained=weights is None)
    if weights is not None:
        _load_encoder(model, weights)
    return model


def _network(spec: SegmenterSpec, classes: int, hub: str | None) -> Any:
    arguments: dict[str, Any] = {"encoder_name": spec.encoder, "encoder_weights": hub, "classes": classes}
    if name := DROPOUT_ARGUMENT.get(spec.architecture):
        arguments[name] = spec.decoder_dropout
    arguments |= _width(spec)
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its retries; the message below says it all
    try:
        return ARCHITECTURES[spec.architecture](**arguments)
    except Exception as error:  # smp raises whatever the hub's client, timm or torch raised
        if hub is None:
            raise ConfigError.of(error, what="the architecture cannot use this encoder", where=spec.encoder) from error
        todo = "connect, or give a file as inputs.weights=…, or start at random with model.encoder_weights=null"
        what = f"{spec.encoder} weights {hub!r} cannot be had from the model hub"
        raise MachineError.of(error, what=what, where="model.encoder_weights", todo=todo) from error


def _width(spec: SegmenterSpec) -> dict[str, Any]:
    if (width := spec.decoder_channels) is None:
        return {}
    if spec.architecture == "unet":
        return {"decoder_channels": tuple(max(width >> level, 8) for level in range(5))}
    if spec.architecture == "fpn":
        return {"decoder_pyramid_channels": width, "decoder_segmentation_channels": width // 2}
    return {"decoder_channels": width}


def _load_encoder(model: Segmenter, path: Path) -> None:
    try:
        state = load_file(path)
    except Exception as error:  # safetensors raises a type of its own besides OSError
        raise InputError.of(
            error, what="unreadable weights file", where=path, todo="give a .safetensors file"
        ) from error
    wanted = model.network.encoder.state_dict()
    missing = sorted(wanted.keys() - state.keys())
    misfits = [key for key in wanted.keys() & state.keys() if wanted[key].shape != state[key].shape]
    if missing or misfits:
        raise InputError(
            "the weights file does not fit the encoder",
            where=path,
            got=f"{len(missing)} tensors missing, {len(misfits)} misshapen: {', '.join((missing + misfits)[:2])}",
            expected=f"the {len(wanted)} tensors of {model.spec.encoder}",
            todo="give the weights of this encoder, or choose the encoder they belong to with model.encoder=…",
        )
    model.network.encoder.load_state_dict({key: state[key] for key in wanted})


@functools.cache
def best_device() -> torch.device:
    """The first CUDA device where there is one, else the CPU."""
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")


def _choose(key: str, got: str, choices: tuple[str, ...]) -> None:
    if got not in choices:
        raise ConfigError(f"unknown {key}", got=got, expected=", ".join(choices))
