"""The segmenter: an architecture with its input normalisation inside, split where dropout begins."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from factory.core.classes import ClassList
from factory.core.errors import ConfigError, TrainingError
from factory.core.seeds import derive
from factory.segment import weights as files
from factory.segment.architectures import ARCHITECTURES, check_encoder, decoded_channels, network
from factory.segment.normalisation import NORMALISATIONS, resolved


@dataclass(frozen=True, kw_only=True)
class SegmenterSpec:
    """Everything that decides a segmenter's shape; its weights come from elsewhere.

    ``architecture`` is a name of `ARCHITECTURES`; ``encoder`` any encoder name of segmentation-models-pytorch (also
    ``tu-<timm name>``). ``encoder_weights`` names weights on the model hub, None starts at random; a file given as the
    stage's ``weights`` input goes before both. ``normalisation``: imagenet (mean and standard deviation), signed
    (RGB to [-1, 1]), or auto: imagenet with hub weights, a checkpoint's own where one is the start, signed otherwise.
    ``decoder_channels`` is the decoder's width (None: the architecture's own). ``attention``: None, or scse for blocks
    of spatial and channel excitation (Roy et al. 2018) in the decoder of unet and unetplusplus. ``decoder_dropout`` is
    the architecture's own dropout, where it has one; ``head_dropout`` drops whole channels just before the head: both
    are what MC-dropout samples. ``edge_head`` adds a head for class boundaries, which only `Segmenter.outputs` runs.
    """

    architecture: str = "deeplabv3plus"
    encoder: str = "mobilenet_v2"
    encoder_weights: str | None = None
    normalisation: str = "auto"
    decoder_channels: int | None = None
    attention: str | None = None
    decoder_dropout: float = 0.5
    head_dropout: float = 0.1
    edge_head: bool = False

    def __post_init__(self) -> None:
        _choose("model.architecture", self.architecture, tuple(ARCHITECTURES))
        check_encoder(self.encoder)
        _choose("model.normalisation", self.normalisation, ("auto", *NORMALISATIONS))
        for name in ("decoder_dropout", "head_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"model.{name} is a probability below 1", got=getattr(self, name))
        self._check_width()
        self._check_attention()

    @property
    def stride(self) -> int:
        """Height and width the network sees are multiples of this."""
        return ARCHITECTURES[self.architecture].stride

    def padded(self, size_hw: tuple[int, int]) -> tuple[int, int]:
        """The size that the network sees of a picture: the next that its architecture takes."""
        height, width = size_hw[0], max(size_hw[1], ARCHITECTURES[self.architecture].least)
        return height + -height % self.stride, width + -width % self.stride

    @property
    def decoder_drops(self) -> bool:
        """Whether the decoder holds a dropout layer that does something."""
        return ARCHITECTURES[self.architecture].dropout is not None and self.decoder_dropout > 0

    def mean_and_std(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Per-channel statistics of the input normalisation, of RGB in [0, 1]."""
        return NORMALISATIONS[resolved(self.normalisation, self.encoder_weights)]

    def _check_width(self) -> None:
        architecture, width = ARCHITECTURES[self.architecture], self.decoder_channels
        if width is None:
            return
        if architecture.width is None:
            what = f"the width of a {self.architecture} decoder follows its encoder"
            raise ConfigError(what, where="model.decoder_channels", got=width, expected="null")
        step = architecture.width_step
        if width < 1 or width % step:
            what = f"model.decoder_channels of {self.architecture} must be a multiple of {step}, or null"
            raise ConfigError(what, got=width)

    def _check_attention(self) -> None:
        if self.attention is None:
            return
        if self.attention != "scse":
            raise ConfigError("unknown model.attention", got=self.attention, expected="scse, null")
        if not ARCHITECTURES[self.architecture].attention:
            able = ", ".join(name for name, one in ARCHITECTURES.items() if one.attention)
            what = f"a {self.architecture} decoder has no place for attention"
            raise ConfigError(what, where="model.attention", got=self.attention, expected=f"null, or one of {able}")


class Outputs(NamedTuple):
    """All a segmenter has to say of a batch.

    ``logits_nkhw`` are as `Segmenter.forward` gives them; ``features_nchw`` is the decoder's map just before dropout
    and head, at its own resolution, of the pictures padded to the stride; ``edges_n1hw`` are the edge head's logits, of
    the pictures' size, or None without that head. ``padded_hw`` is the size of what the features cover.
    """

    logits_nkhw: Tensor
    features_nchw: Tensor
    edges_n1hw: Tensor | None
    padded_hw: tuple[int, int]


class Segmenter(nn.Module):
    """RGB in [0, 1] of any size -> class logits of the same size.

    Every dropout layer comes after `features`, which are deterministic in evaluation mode (`factory.segment.chance`).
    Outside training logits are divided by ``temperature``: above 1 the model is less sure than it learnt to be.
    """

    def __init__(self, spec: SegmenterSpec, classes: ClassList, *, pretrained: bool = False) -> None:
        super().__init__()
        self.spec, self.classes, self.temperature = spec, classes, 1.0
        self.network = network(
            spec.architecture,
            encoder=spec.encoder,
            hub=spec.encoder_weights if pretrained else None,
            classes=len(classes),
            width=spec.decoder_channels,
            dropout=spec.decoder_dropout,
            attention=spec.attention,
        )
        self.head_dropout = nn.Dropout2d(spec.head_dropout)
        self.edge_head = _edge_head(decoded_channels(self.network)) if spec.edge_head else None
        for name, values in zip(("mean", "std"), spec.mean_and_std(), strict=True):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, images_nchw: Tensor) -> Tensor:
        """Logits, shape (N, K, H, W)."""
        height, width = images_nchw.shape[-2:]
        with self._guard(images_nchw):
            return self._headed(self.network.decoder(self.features(images_nchw)))[..., :height, :width]

    def outputs(self, images_nchw: Tensor) -> Outputs:
        """Logits, the features they are made of, and edges; the network runs once."""
        height, width = images_nchw.shape[-2:]
        with self._guard(images_nchw):
            features_nchw = self.network.decoder(self.features(images_nchw))
            logits_nkhw = self._headed(features_nchw)[..., :height, :width]
            padded_hw = self.spec.padded((height, width))
            if self.edge_head is None:
                return Outputs(logits_nkhw, features_nchw, None, padded_hw)
            edges_n1hw = functional.interpolate(
                self.edge_head(features_nchw), padded_hw, mode="bilinear", align_corners=False
            )
        return Outputs(logits_nkhw, features_nchw, edges_n1hw[..., :height, :width], padded_hw)

    def features(self, images_nchw: Tensor) -> list[Tensor]:
        """The encoder's maps, finest first, of the images padded to the stride at the right and bottom."""
        height, width = images_nchw.shape[-2:]
        normal_nchw = (images_nchw - self.get_buffer("mean")) / self.get_buffer("std")
        tall, wide = self.spec.padded((height, width))
        padding = (0, wide - width, 0, tall - height)
        found: list[Tensor] = self.network.encoder(functional.pad(normal_nchw, padding, mode="replicate"))
        return found

    def parts(self) -> dict[str, nn.Module]:
        """Its parts by name: encoder, decoder, head, and edge_head where there is one."""
        network = self.network
        found = {"encoder": network.encoder, "decoder": network.decoder, "head": network.segmentation_head}
        return found if self.edge_head is None else {**found, "edge_head": self.edge_head}

    def encoder_parameters(self) -> list[nn.Parameter]:
        """The weights that may come pretrained."""
        return list(self.network.encoder.parameters())

    def decoder_parameters(self) -> list[nn.Parameter]:
        """The weights of decoder and heads, which start at random unless a checkpoint is the start."""
        return [one for name, part in self.parts().items() if name != "encoder" for one in part.parameters()]

    def _guard(self, images_nchw: Tensor) -> AbstractContextManager[None]:
        return _enough_pictures(images_nchw) if self.training else nullcontext()

    def _headed(self, features_nchw: Tensor) -> Tensor:
        logits_nkhw: Tensor = self.network.segmentation_head(self.head_dropout(features_nchw))
        return logits_nkhw if self.training or self.temperature == 1 else logits_nkhw / self.temperature


def build(
    spec: SegmenterSpec,
    classes: ClassList,
    *,
    weights: Path | None,
    seed: int,
    report: Callable[[str, str], object] | None = None,
) -> Segmenter:
    """A segmenter ready for training: random weights from ``seed``, then the hub's or the file's.

    A file goes before the hub. It holds weights for the encoder, or is a checkpoint of ours to go on from: then decoder
    and head start from it too where they fit, and where they do not, ``report`` is told (where, what). `MachineError`
    where the hub cannot be reached, `InputError` where the file cannot be used.
    """
    start = None if weights is None else files.read(weights)
    if start is not None:
        kept = start.origin.normalisation if start.origin and spec.normalisation == "auto" else spec.normalisation
        spec = replace(spec, encoder_weights=None, normalisation=kept)
    with torch.random.fork_rng():
        torch.manual_seed(derive(seed, "init"))
        model = Segmenter(spec, classes, pretrained=start is None)
    if start is not None:
        for note in files.fill(model.parts(), start, encoder=spec.encoder, class_names=classes.names):
            if report is not None:
                report("weights", note)
    return model


@functools.cache
def best_device() -> torch.device:
    """The first CUDA device where there is one, else the CPU."""
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")


def _edge_head(channels: int) -> nn.Module:
    width = min(channels, 64)
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, 1, 1),
    )


@contextmanager
def _enough_pictures(images_nchw: Tensor) -> Iterator[None]:
    """Batch normalisation's own complaint, in words that help: one picture whose pooled map is one pixel."""
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise TrainingError.of(
            error,
            what="batch normalisation has nothing to compare in this batch",
            where=f"pictures of shape {tuple(images_nchw.shape)}",
            todo="give more pictures a step (train.batch) or larger ones",
        ) from error


def _choose(key: str, got: str, choices: tuple[str, ...]) -> None:
    if got not in choices:
        raise ConfigError(f"unknown {key}", got=got, expected=", ".join(choices))
