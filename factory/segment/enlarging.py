"""Maps brought to a larger size strip by strip, so that the large ones need not be there at once."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from factory.segment.data import Size


def enlarged(maps_nchw: Tensor, size_hw: Size, *, rows: int, align_corners: bool = False) -> Iterator[Tensor]:
    """Strips (N, C, up to ``rows``, W) from top to bottom.

    Together they are what `torch.nn.functional.interpolate` makes of the maps, bilinear, but for rounding.
    """
    (height, width), have = size_hw, maps_nchw.shape[-2]
    wide_nchw = functional.interpolate(maps_nchw, (have, width), mode="bilinear", align_corners=align_corners)
    for top in range(0, height, rows):
        at_h = torch.arange(top, min(top + rows, height), device=maps_nchw.device)
        if align_corners:
            at_h = at_h * ((have - 1) / max(height - 1, 1))
        else:
            at_h = ((at_h + 0.5) * (have / height) - 0.5).clamp(min=0)
        above = at_h.long().clamp(max=have - 1)
        below = (above + 1).clamp(max=have - 1)
        share_h1 = (at_h - above).unsqueeze(1).to(maps_nchw.dtype)
        yield torch.lerp(wide_nchw.index_select(2, above), wide_nchw.index_select(2, below), share_h1)
