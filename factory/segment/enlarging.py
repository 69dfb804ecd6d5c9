"""Maps brought to a larger size strip by strip, so that the large ones need not be there at once."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from factory.segment.data import Size


def enlarged(maps_nchw: Tensor, size_hw: Size, *, rows: int, align_corners: bool = False) -> Iterator[Tensor]:
    """Strips (N, C, up to ``rows``, W) from top to bottom.

    Together they are what `torch.nn.functional.interpolate` makes of the maps, bilinear, but for rounding.
    """
    height, width = size_hw
    wide_nchw = _taller(maps_nchw.mT.contiguous(), *_between(maps_nchw, 3, width, align_corners)).mT.contiguous()
    above, below, share_h1 = _between(maps_nchw, 2, height, align_corners)
    for strip in zip(*(torch.split(found, rows) for found in (above, below, share_h1)), strict=True):
        yield _taller(wide_nchw, *strip)


def _between(maps_nchw: Tensor, axis: int, size: int, align_corners: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The two rows (or columns) that each of ``size`` lies between, and the share (size, 1) of the second."""
    have, at = maps_nchw.shape[axis], torch.arange(size, device=maps_nchw.device)
    at = at * ((have - 1) / max(size - 1, 1)) if align_corners else ((at + 0.5) * (have / size) - 0.5).clamp(min=0)
    first = at.long().clamp(max=have - 1)
    return first, (first + 1).clamp(max=have - 1), (at - first).unsqueeze(1).to(maps_nchw.dtype)


def _taller(maps_nchw: Tensor, above: Tensor, below: Tensor, share_h1: Tensor) -> Tensor:
    """Reading rows is quick, reading columns is not: torch's own enlarging to the right takes half as long again."""
    return torch.lerp(maps_nchw.index_select(2, above), maps_nchw.index_select(2, below), share_h1)
