"""What a segmenter says while its dropout layers drop: what is sure runs once, what is left to chance once a draw."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.dropout import _DropoutNd

from factory.execute.precision import fastest
from factory.segment.coarse import CoarseConvolution, PerPixel
from factory.segment.enlarging import enlarged
from factory.segment.models import Segmenter

Draw = Callable[[], Iterator[Tensor]]
"""One more draw in strips (N, K, rows, W) from top to bottom: probabilities go by 2 to the power of them."""
Decoded = Callable[[], Callable[[PerPixel], Tensor]]
"""One more draw of the decoder: a function that gives what another makes of each pixel of its maps."""
LN_2 = math.log(2)
LEAST = -120.0
"""The least exponent: 2 to the power of it is still a number of 32 bits, and no probability."""
STRIP = 2**18
"""Values of a strip on a processor: what is made of them one step after the other stays in its cache."""


def draws(model: Segmenter, images_nchw: Tensor, *, dtype: torch.dtype | None = None) -> Draw:
    """A function that gives one more draw at each call, in strips: z (N, K, H, W), float32; probabilities go by 2^z.

    The model is in evaluation mode; images are RGB in [0, 1]. Draws are of the images padded to the stride at the right
    and bottom, which is to be cut off in the end: whole maps are quicker to add up. They are distributed as if every
    dropout layer dropped in a forward pass of its own, and where the layers drop the same they are its logits over
    ln 2, but for a shift of each pixel, rounding, and what lies more than `LEAST` below: what is left to chance is
    computed in ``dtype`` (None: what is fastest on the device).
    """
    decoder, features = model.network.decoder, model.features(images_nchw)
    begin = TAILS.get(model.spec.architecture, _last) if model.spec.decoder_drops else _none
    decoded = begin(decoder, features, dtype or fastest(images_nchw.device))

    def draw() -> Iterator[Tensor]:
        return _headed(
            model.network.segmentation_head, model.head_dropout, len(images_nchw), decoded(), model.temperature
        )

    return draw


def _none(decoder: nn.Module, features: Sequence[Tensor], _: torch.dtype) -> Decoded:
    """The decoder leaves nothing to chance."""
    decoded_nchw = decoder(features)
    return lambda: _all_at_once(decoded_nchw)


def _last(decoder: nn.Module, features: Sequence[Tensor], _: torch.dtype) -> Decoded:
    """Dropout is the last thing that the decoder does."""
    dropped = dropping(_dropout_of(decoder), decoder(features))
    return lambda: _all_at_once(dropped())


def _after_aspp(decoder: Any, features: Sequence[Tensor], _: torch.dtype) -> Decoded:
    """DeepLabv3: a convolution follows."""
    dropped = dropping(_dropout_of(decoder), decoder.aspp(features[-1]))
    return lambda: _all_at_once(decoder.relu(decoder.bn(decoder.conv(dropped()))))


def _after_aspp_plus(decoder: Any, features: Sequence[Tensor], dtype: torch.dtype) -> Decoded:
    """DeepLabv3+: dropped context is brought to the size of finer features, and both are convolved together.

    A convolution of two maps side by side is the sum of the convolutions of each: that of the finer one is sure.
    """
    aspp, first, norm, _ = decoder.aspp
    both, both_norm, _ = decoder.block2
    context_nchw, fine_nchw = aspp(features[-1]), decoder.block1(features[2])
    channels = context_nchw.shape[1]
    (depth, point, shift), (both_depth, both_point, both_shift) = (
        (found.to(dtype) for found in _folded(*pair)) for pair in ((first, norm), (both, both_norm))
    )
    fine_nchw = fine_nchw.to(dtype, memory_format=torch.channels_last)
    fine_nchw = _separable(fine_nchw, both_depth[channels:], both_point[:, channels:], both_shift)
    dropped = dropping(_dropout_of(decoder), context_nchw, dtype)
    fused = CoarseConvolution(decoder.up, both_depth[:channels], both_point[:, :channels], fine_nchw)

    return lambda: partial(fused, _separable(dropped(), depth, point, shift).relu_())


def _all_at_once(maps_nchw: Tensor) -> Callable[[PerPixel], Tensor]:
    return lambda then: then(maps_nchw)


TAILS: dict[str, Callable[[Any, Sequence[Tensor], torch.dtype], Decoded]] = {
    "deeplabv3": _after_aspp,
    "deeplabv3plus": _after_aspp_plus,
}
"""Where something follows the decoder's dropout, by architecture."""


def _dropout_of(decoder: nn.Module) -> _DropoutNd:
    """The decoder's one dropout layer."""
    (layer,) = (module for module in decoder.modules() if isinstance(module, _DropoutNd))
    return layer


def dropping(layer: _DropoutNd, maps_nchw: Tensor, dtype: torch.dtype = torch.float32) -> Callable[[], Tensor]:
    """What the layer makes of the maps in training, anew at each call.

    What drops is drawn by numbers of 16 bits, in half of the time of uniform ones: the layer's probability is met to
    2^-17. Where values drop one by one, the maps are raised once for all calls, and lie channels last.
    """
    count, channels, height, width = maps_nchw.shape
    if not layer.p:
        return lambda: maps_nchw.to(dtype)
    if isinstance(layer, nn.Dropout2d):
        return lambda: maps_nchw.to(dtype) * (_kept((count, channels, 1, 1), layer.p, maps_nchw) / (1 - layer.p))
    raised_nchw = (maps_nchw / (1 - layer.p)).to(dtype, memory_format=torch.channels_last)
    return lambda: raised_nchw * _kept((count, height, width, channels), layer.p, maps_nchw).permute(0, 3, 1, 2)


def _kept(shape: tuple[int, ...], dropped: float, maps: Tensor) -> Tensor:
    """Each place with probability 1 - ``dropped``, on the device of the maps."""
    fours = torch.randint(-(2**63), 2**63 - 1, (-(-math.prod(shape) // 4),), device=maps.device)
    numbers = fours.view(torch.int16)[: math.prod(shape)].view(shape)
    return numbers >= min(round(dropped * 2**16), 2**16 - 1) - 2**15


def _separable(maps_nchw: Tensor, depth: Tensor, point: Tensor, shift: Tensor) -> Tensor:
    """A depthwise convolution that keeps the size, and a pointwise one."""
    deep_nchw = functional.conv2d(maps_nchw, depth, padding=depth.shape[-1] // 2, groups=len(depth))
    return functional.conv2d(deep_nchw, point, shift)


def _headed(
    head: Any, layer: _DropoutNd, count: int, decoded: Callable[[PerPixel], Tensor], temperature: float
) -> Iterator[Tensor]:
    """What the head says of maps that lose channels; where it begins with a matrix product, its weights do."""
    first, upsampling, *_ = head  # what may follow does nothing
    if isinstance(first, nn.Conv2d) and first.kernel_size == (1, 1):
        kept_n1c = dropping(layer, first.weight.new_ones(count, first.in_channels, 1, 1))().flatten(1).unsqueeze(1)
        small_nkhw = decoded(partial(_products, first.weight.flatten(1) * kept_n1c))
        small_nkhw = small_nkhw if first.bias is None else small_nkhw.add_(first.bias.view(-1, 1, 1))
    else:
        small_nkhw = first(dropping(layer, decoded(Tensor.float))())
    return _in_strips(exponents(small_nkhw.div_(temperature)), upsampling)


def exponents(logits_nkhw: Tensor) -> Tensor:
    """Each pixel's logits as exponents of 2, the largest 0: what is enlarged from them overflows nowhere."""
    return (logits_nkhw - logits_nkhw.amax(dim=1, keepdim=True)).mul_(1 / LN_2).clamp_(min=LEAST)


def _products(weight_nkc: Tensor, maps_nchw: Tensor) -> Tensor:
    """Each picture's weights times its maps in float32, (N, K, h, w)."""
    pixels_npc = maps_nchw.permute(0, 2, 3, 1).flatten(1, 2)
    found_nkp = torch.stack([_product(*pair) for pair in zip(weight_nkc, pixels_npc, strict=True)])
    return found_nkp.view(*found_nkp.shape[:2], *maps_nchw.shape[2:])


def _in_strips(small_nkhw: Tensor, upsampling: nn.Module) -> Iterator[Tensor]:
    """Exponents at the size that the head ends in."""
    count, classes, height, width = small_nkhw.shape
    factor = int(getattr(upsampling, "scale_factor", 1))
    size_hw = (factor * height, factor * width)
    on_processor = small_nkhw.device.type == "cpu"
    rows = max(1, STRIP // (count * classes * size_hw[1])) if on_processor else size_hw[0]
    if factor == 1:
        return iter(torch.split(small_nkhw, rows, dim=2))
    return enlarged(small_nkhw, size_hw, rows=rows, align_corners=bool(getattr(upsampling, "align_corners", False)))


def _product(weight_kc: Tensor, maps_pc: Tensor) -> Tensor:
    """Weights times maps in float32, (K, P), as many pixels at a time as stay in a processor's cache."""
    return torch.cat([weight_kc @ part_pc.float().T for part_pc in torch.split(maps_pc, 1024)], dim=1)


def _folded(separable: Any, norm: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Depthwise and pointwise weights and shifts of a separable convolution with the normalisation behind it."""
    depth, point = (layer.weight for layer in separable)
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return depth, point * scale.view(-1, 1, 1, 1), norm.bias - norm.running_mean * scale
