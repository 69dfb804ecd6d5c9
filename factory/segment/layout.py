"""How a network's maps lie in memory while it predicts on a processor."""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from segmentation_models_pytorch.decoders.deeplabv3.decoder import ASPP
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def pixel_by_pixel(network: Module) -> Module:
    """The network itself, its maps channels last, with which convolutions on a processor are faster.

    Not in spatial pyramids: of far apart pixels of single channels (dilated, depthwise) a map by itself is read faster.
    """
    network.to(memory_format=torch.channels_last)
    for module in network.modules():
        if isinstance(module, ASPP):
            module.to(memory_format=torch.contiguous_format)
            module.register_forward_pre_hook(_map_by_map)
    return network


def _map_by_map(_: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(one.contiguous() for one in given)
