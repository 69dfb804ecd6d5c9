"""Maps brought to a larger size strip by strip, so that the large ones need not be there at once."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from factory.segment.data import Size


class _Strip(NamedTuple):
    """The matrix (rows of the strip, rows it is made of) and where these begin and end."""

    first: int
    last: int
    matrix: Tensor


def enlarged(maps_nchw: Tensor, size_hw: Size, *, rows: int, align_corners: bool = False) -> Iterator[Tensor]:
    """Strips (N, C, up to ``rows``, W) from top to bottom.

    Together they are what `torch.nn.functional.interpolate` makes of the maps, bilinear, but for rounding. Rows are
    products with a narrow matrix, which takes half of the time of gathering and mixing them.
    """
    (height, width), (count, channels, have) = size_hw, maps_nchw.shape[:3]
    wide_nchw = functional.interpolate(maps_nchw, (have, width), mode="bilinear", align_corners=align_corners)
    for first, last, matrix in _strips(have, height, rows, align_corners):
        part = wide_nchw[:, :, first:last].reshape(count * channels, last - first, width)
        found = torch.bmm(matrix.to(maps_nchw).expand(len(part), -1, -1), part)
        yield found.view(count, channels, len(matrix), width)


@functools.lru_cache(maxsize=64)
@torch.inference_mode(False)
def _strips(have: int, height: int, rows: int, align_corners: bool) -> list[_Strip]:
    """How the strips of ``height`` rows are made of ``have`` rows."""
    at_h = torch.arange(height, dtype=torch.float32)
    if align_corners:
        at_h = at_h * ((have - 1) / max(height - 1, 1))
    else:
        at_h = ((at_h + 0.5) * (have / height) - 0.5).clamp(min=0)
    above_h = at_h.long().clamp(max=have - 1)
    below_h = (above_h + 1).clamp(max=have - 1)
    found = []
    for top in range(0, height, rows):
        above, below, share = (one_h[top : top + rows] for one_h in (above_h, below_h, at_h - above_h))
        first, last, row = int(above[0]), int(below[-1]) + 1, torch.arange(len(above))
        matrix = torch.zeros(len(above), last - first)
        matrix[row, below - first] += share
        matrix[row, above - first] += 1 - share
        found.append(_Strip(first, last, matrix))
    return found
