"""What a segmenter says while its dropout layers drop: what is sure runs once, what is left to chance once a draw."""

from __future__ import annotations

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
"""Logits of one more draw, in strips (N, K, rows, W) from top to bottom."""
Decoded = Callable[[], Callable[[PerPixel], Tensor]]
"""One more draw of the decoder: a function that gives what another makes of each pixel of its maps."""
STRIP = 2**18
"""Values of a strip on a processor: what is made of them one step after the other stays in its cache."""


def draws(model: Segmenter, images_nchw: Tensor, *, dtype: torch.dtype | None = None) -> Draw:
    """A function that gives the logits (N, K, H, W), float32, of one more draw at each call, in strips.

    The model is in evaluation mode; images are RGB in [0, 1]. Logits are those of the images padded to the stride at
    the right and bottom, which is to be cut off in the end: whole maps are quicker to add up. They are distributed as
    if every dropout layer dropped in a forward pass of its own, and equal to those where the layers drop the same but
    for rounding: what is left to chance is computed in ``dtype`` (None: what is fastest on the device).
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
    layer, decoded_nchw = _dropout_of(decoder), decoder(features)
    return lambda: _all_at_once(dropped(layer, decoded_nchw))


def _after_aspp(decoder: Any, features: Sequence[Tensor], _: torch.dtype) -> Decoded:
    """DeepLabv3: a convolution follows."""
    layer, context_nchw = _dropout_of(decoder), decoder.aspp(features[-1])
    return lambda: _all_at_once(decoder.relu(decoder.bn(decoder.conv(dropped(layer, context_nchw)))))


def _after_aspp_plus(decoder: Any, features: Sequence[Tensor], dtype: torch.dtype) -> Decoded:
    """DeepLabv3+: dropped context is brought to the size of finer features, and both are convolved together.

    A convolution of two maps side by side is the sum of the convolutions of each: that of the finer one is sure.
    """
    layer = _dropout_of(decoder)
    aspp, first, norm, _ = decoder.aspp
    both, both_norm, _ = decoder.block2
    context_nchw, fine_nchw = aspp(features[-1]), decoder.block1(features[2])
    channels = context_nchw.shape[1]
    (depth, point, shift), (both_depth, both_point, both_shift) = (
        (found.to(dtype) for found in _folded(*pair)) for pair in ((first, norm), (both, both_norm))
    )
    fine_nchw = fine_nchw.to(dtype, memory_format=torch.channels_last)
    fine_nchw = _separable(fine_nchw, both_depth[channels:], both_point[:, channels:], both_shift)
    fused = CoarseConvolution(decoder.up, both_depth[:channels], both_point[:, :channels], fine_nchw)

    def draw() -> Callable[[PerPixel], Tensor]:
        context_left_nchw = dropped(layer, context_nchw).to(dtype, memory_format=torch.channels_last)
        return partial(fused, _separable(context_left_nchw, depth, point, shift).relu_())

    return draw


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


def dropped(layer: _DropoutNd, maps_nchw: Tensor) -> Tensor:
    """What the layer does in training, by uniform numbers, which are drawn four times as fast as torch's own masks."""
    if not layer.p:
        return maps_nchw
    shape = (*maps_nchw.shape[:2], 1, 1) if isinstance(layer, nn.Dropout2d) else maps_nchw.shape
    kept = torch.rand(shape, device=maps_nchw.device) >= layer.p
    return maps_nchw * (kept / (1 - layer.p)).to(maps_nchw.dtype)


def _separable(maps_nchw: Tensor, depth: Tensor, point: Tensor, shift: Tensor) -> Tensor:
    """A depthwise convolution that keeps the size, and a pointwise one."""
    deep_nchw = functional.conv2d(maps_nchw, depth, padding=depth.shape[-1] // 2, groups=len(depth))
    return functional.conv2d(deep_nchw, point, shift)


def _headed(
    head: Any, layer: _DropoutNd, count: int, decoded: Callable[[PerPixel], Tensor], temperature: float
) -> Iterator[Tensor]:
    """The head's logits, float32, of maps that lose channels; where it begins with a matrix product, its weights do."""
    first, upsampling, *_ = head  # what may follow does nothing
    if isinstance(first, nn.Conv2d) and first.kernel_size == (1, 1):
        kept_n1c = dropped(layer, first.weight.new_ones(count, first.in_channels, 1, 1)).flatten(1).unsqueeze(1)
        small_nkhw = decoded(partial(_products, first.weight.flatten(1) * kept_n1c))
        small_nkhw = small_nkhw if first.bias is None else small_nkhw.add_(first.bias.view(-1, 1, 1))
    else:
        small_nkhw = first(dropped(layer, decoded(Tensor.float)))
    return _in_strips(small_nkhw.div_(temperature), upsampling)


def _products(weight_nkc: Tensor, maps_nchw: Tensor) -> Tensor:
    """Each picture's weights times its maps in float32, (N, K, h, w)."""
    pixels_npc = maps_nchw.permute(0, 2, 3, 1).flatten(1, 2)
    found_nkp = torch.stack([_product(*pair) for pair in zip(weight_nkc, pixels_npc, strict=True)])
    return found_nkp.view(*found_nkp.shape[:2], *maps_nchw.shape[2:])


def _in_strips(small_nkhw: Tensor, upsampling: nn.Module) -> Iterator[Tensor]:
    """Logits at the size that the head ends in."""
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
