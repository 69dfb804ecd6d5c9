"""The architectures by name: who makes them, what their numbers are called, and what they ask of an encoder."""

from __future__ import annotations

import difflib
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import segmentation_models_pytorch as smp
import timm
import torch
from segmentation_models_pytorch.encoders import get_encoder_names
from torch import nn

from factory.core.errors import ConfigError, MachineError
from factory.execute.memory import is_out_of_memory
from factory.segment.torchvision_heads import Fcn, Lraspp

ANY_SIZE = {"tu-swin_": {"strict_img_size": False}, "tu-swinv2_": {"strict_img_size": False}}
"""What timm must be told, by the beginning of an encoder's name, for it to take pictures of any size."""

NOTICES = (r"`timm-` encoders are deprecated", r"Mapping deprecated model name .* to current")
"""Third-party warnings that tell nobody anything here; each is matched from its beginning."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """How one architecture is made: a callable that gives ``encoder``, ``decoder`` and ``segmentation_head``.

    ``stride``: height and width of a picture are multiples of this, and the width at least ``least``. ``width`` turns
    a decoder's width, a multiple of ``width_step``, into arguments (None: it cannot be chosen), ``dropout`` names the
    argument of the decoder's dropout (None: it has none), ``attention`` says whether it can have attention blocks.
    """

    make: Callable[..., nn.Module]
    stride: int
    least: int = 1
    width: Callable[[int], dict[str, Any]] | None = None
    width_step: int = 16
    dropout: str | None = None
    attention: bool = False


def _named(*names: str) -> Callable[[int], dict[str, Any]]:
    return lambda width: dict.fromkeys(names, width)


def _halving(width: int) -> dict[str, Any]:
    return {"decoder_channels": tuple(max(width >> level, 8) for level in range(5))}


def _pyramid(width: int) -> dict[str, Any]:
    return {"decoder_pyramid_channels": width, "decoder_segmentation_channels": width // 2}


ARCHITECTURES = {
    "unet": Architecture(make=smp.Unet, stride=32, width=_halving, attention=True),
    "unetplusplus": Architecture(make=smp.UnetPlusPlus, stride=32, width=_halving, attention=True),
    "fpn": Architecture(  # its group normalisation refuses maps of one pixel
        make=smp.FPN, stride=32, least=64, width=_pyramid, width_step=64, dropout="decoder_dropout"
    ),
    "deeplabv3": Architecture(
        make=smp.DeepLabV3, stride=8, width=_named("decoder_channels"), dropout="decoder_aspp_dropout"
    ),
    "deeplabv3plus": Architecture(
        make=smp.DeepLabV3Plus, stride=16, width=_named("decoder_channels"), dropout="decoder_aspp_dropout"
    ),
    "pspnet": Architecture(make=smp.PSPNet, stride=8, width=_named("psp_out_channels"), dropout="psp_dropout"),
    "linknet": Architecture(make=smp.Linknet, stride=32),
    "segformer": Architecture(make=smp.Segformer, stride=32, width=_named("decoder_segmentation_channels")),
    "upernet": Architecture(make=smp.UPerNet, stride=32, width=_named("decoder_channels")),
    "fcn": Architecture(make=Fcn, stride=8, width=_named("width"), dropout="dropout"),
    "lraspp": Architecture(make=Lraspp, stride=16, width=_named("width")),
}


def check_encoder(name: str) -> None:
    """`ConfigError` with close names unless an encoder is called this; timm's are ``tu-<name>``, also with a tag."""
    known = get_encoder_names()
    if name in known or (name.startswith("tu-") and timm.is_model(name[3:])):
        return
    everything = [*known, *(f"tu-{model}" for model in timm.list_models())]
    close = difflib.get_close_matches(name, everything, 3, 0.7) or ["mobilenet_v2", "resnet18", "tu-convnext_atto"]
    raise ConfigError(
        "unknown model.encoder",
        got=name,
        expected=f"such as {', '.join(close)}",
        todo="take a name of segmentation-models-pytorch, or a name of timm as tu-<name>",
    )


def network(
    name: str, *, encoder: str, hub: str | None, classes: int, width: int | None, dropout: float, attention: str | None
) -> Any:
    """The network called ``name``, tried on a small picture.

    Weights are random, the encoder's from the model hub where ``hub`` names them. `ConfigError` where architecture and
    encoder do not go together, `MachineError` where the hub cannot be reached.
    """
    architecture = ARCHITECTURES[name]
    arguments = _arguments(architecture, width, dropout, attention)
    try:
        return _made(architecture, encoder, hub, classes, arguments)
    except Exception as error:  # smp raises whatever the hub's client, timm or torch raised
        if is_out_of_memory(error):
            todo = "choose a smaller model: another encoder, or fewer decoder_channels"
            raise MachineError.of(error, what="out of memory", where="model", todo=todo) from error
        if hub is not None:
            network(
                name, encoder=encoder, hub=None, classes=2, width=width, dropout=dropout, attention=attention
            )  # says so if it is not the hub's fault
            raise no_weights(encoder, hub, error) from error
        works = name != "fpn" and _takes("fpn", encoder)
        raise ConfigError.of(
            error,
            what=f"{name} cannot use the encoder {encoder}",
            where="model.encoder",
            todo="choose model=fpn, which can use it" if works else "choose another encoder, such as tu-convnext_atto",
        ) from error


def decoded_channels(network: Any) -> int:
    """How many channels the segmentation head takes."""
    return int(network.segmentation_head[0].in_channels)


def _arguments(architecture: Architecture, width: int | None, dropout: float, attention: str | None) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if architecture.dropout:
        arguments[architecture.dropout] = dropout
    if architecture.width and width is not None:
        arguments |= architecture.width(width)
    if attention is not None:
        arguments["decoder_attention_type"] = attention
        if "decoder_channels" in arguments:  # its blocks keep a sixteenth of the channels
            arguments["decoder_channels"] = tuple(max(some, 16) for some in arguments["decoder_channels"])
    return arguments


def _made(
    architecture: Architecture, encoder: str, hub: str | None, classes: int, arguments: dict[str, Any]
) -> nn.Module:
    weights = True if hub is not None and encoder.startswith("tu-") else hub  # timm's names say which weights
    sized = next((extra for start, extra in ANY_SIZE.items() if encoder.startswith(start)), {})
    with _quiet():
        made = architecture.make(encoder_name=encoder, encoder_weights=weights, classes=classes, **arguments, **sized)
        _try(made)
    return made


def _try(made: Any) -> None:
    """One small forward pass, which leaves no trace: some encoders only then say that they cannot."""
    was = made.training
    made.eval()
    with torch.no_grad():
        logits_nkhw = made.segmentation_head(made.decoder(made.encoder(torch.zeros(1, 3, 64, 96))))
    made.train(was)
    if tuple(logits_nkhw.shape[-2:]) != (64, 96):
        raise ValueError(f"logits of {tuple(logits_nkhw.shape[-2:])} for a picture of (64, 96)")


def _takes(name: str, encoder: str) -> bool:
    try:
        _made(ARCHITECTURES[name], encoder, None, 2, {})
    except Exception:  # whatever it says, it does not work
        return False
    return True


def no_weights(encoder: str, hub: str, error: Exception) -> ConfigError | MachineError:
    """What to say where an encoder's weights cannot be had from the model hub, and why."""
    where = "model.encoder_weights"
    if isinstance(error, KeyError):  # smp's answer to a name it does not know
        return ConfigError(f"there are no weights of that name for {encoder}", where=where, got=error.args[0])
    if encoder.startswith("tu-") and not timm.models.is_model_pretrained(encoder[3:]):
        return ConfigError(
            "timm has no weights for this encoder", where=where, got=encoder, todo="set model.encoder_weights=null"
        )
    todo = "connect, or give a file as inputs.weights=…, or start at random with model.encoder_weights=null"
    return MachineError.of(
        error, what=f"{encoder} weights {hub!r} cannot be had from the model hub", where=where, todo=todo
    )


@contextmanager
def _quiet() -> Iterator[None]:
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its retries; the error's message says it all
    with warnings.catch_warnings():
        for notice in NOTICES:
            warnings.filterwarnings("ignore", message=notice)
        yield
