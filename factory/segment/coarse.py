"""A separable convolution of maps that are enlarged first, with its products of channels taken while they are small."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from factory.segment.data import Size

PerPixel = Callable[[Tensor], Tensor]
"""Maps (N, C, h, w) to maps of as many pixels, each pixel by itself."""
BLOCK: Size = (48, 60)
"""Rows and columns of a block on a processor: what is made of it one step after the other stays in its cache."""


class _Span(NamedTuple):
    """Outputs ``start`` to ``stop`` along one axis, and the matrix that makes them of inputs ``first`` to ``last``."""

    start: int
    stop: int
    first: int
    last: int
    matrix: Tensor


class CoarseConvolution:
    """Adds what ``point(depth(up(maps)))`` gives to other maps, and cuts off what is below 0, block by block.

    Enlarging treats all channels alike, so that it may as well come after the channels are mixed: each of the T × T
    taps of the depthwise kernel takes its own product of channels at the small size, and what it gives is enlarged and
    moved by that tap, a product with one matrix along each axis. Of maps enlarged F times along both this is (T / F)²
    of the products of channels: for 3 × 3 taps and F = 4 nine of 16.
    """

    def __init__(self, up: nn.Upsample, depth_c1tt: Tensor, point_oc11: Tensor, added_nohw: Tensor) -> None:
        """Kernels with an odd number of taps that keep the size; ``added_nohw`` has that of the enlarged maps."""
        taps, (height, width) = depth_c1tt.shape[-1], added_nohw.shape[-2:]
        self._point_tcp = torch.einsum("ocxy,cztu->tcuo", point_oc11.float(), depth_c1tt.float()).flatten(2)
        self._point_tcp = self._point_tcp.to(added_nohw.dtype).contiguous()
        self._taps, self._outputs = taps, added_nohw.shape[1]
        factor = _factor(up)
        self._size_hw = (height // factor, width // factor)
        block_hw = BLOCK if added_nohw.device.type == "cpu" else (height, width)
        rows, columns = (
            _spans(_taps_of(up, small, taps).to(added_nohw), block)
            for small, block in zip(self._size_hw, block_hw, strict=True)
        )
        self._rows = [row._replace(matrix=row.matrix.transpose(1, 2).flatten(1).contiguous()) for row in rows]
        self._columns = [column._replace(matrix=column.matrix.flatten(1).contiguous()) for column in columns]
        added_nhwo = added_nohw.permute(0, 2, 3, 1)
        self._added = [
            [added_nhwo[:, row.start : row.stop, column.start : column.stop].contiguous() for row in self._rows]
            for column in self._columns
        ]

    def __call__(self, maps_nchw: Tensor, then: PerPixel) -> Tensor:
        """``then`` of the maps that come of it."""
        return torch.cat([torch.cat([then(block) for block in column], dim=2) for column in self._blocks(maps_nchw)], 3)

    def _blocks(self, maps_nchw: Tensor) -> Iterator[Iterator[Tensor]]:
        """From left to right, each column from top to bottom."""
        height, width = self._size_hw
        mixed = torch.matmul(maps_nchw.permute(0, 2, 3, 1).reshape(-1, maps_nchw.shape[1]), self._point_tcp)
        mixed = mixed.view(self._taps, -1, height, width * self._taps, self._outputs)
        for column, added in zip(self._columns, self._added, strict=True):
            part = mixed[..., column.first * self._taps : column.last * self._taps, :]
            yield self._down(torch.matmul(column.matrix, part), added)

    def _down(self, wide_tnhwo: Tensor, added: list[Tensor]) -> Iterator[Tensor]:
        """The blocks of one column."""
        for row, added_nhwo in zip(self._rows, added, strict=True):
            part = wide_tnhwo[:, :, row.first : row.last].transpose(0, 1)
            found = torch.matmul(row.matrix, part.reshape(len(part), row.matrix.shape[1], -1))
            yield found.view(added_nhwo.shape).add_(added_nhwo).relu_().permute(0, 3, 1, 2)


def _factor(up: nn.Upsample) -> int:
    factor = up.scale_factor
    assert isinstance(factor, int | float)
    return int(factor)


def _taps_of(up: nn.Upsample, small: int, taps: int) -> Tensor:
    """What every tap reads (large, small, T): an axis of ``small`` values enlarged, moved, with zeros around."""
    size = small * _factor(up)
    large = nn.functional.interpolate(torch.eye(small)[None], size, mode="linear", align_corners=up.align_corners)[0].T
    padded = nn.functional.pad(large, (0, 0, taps // 2, taps // 2))
    return torch.stack([padded[tap : tap + size] for tap in range(taps)], dim=2)


def _spans(taps_lst: Tensor, most: int) -> list[_Span]:
    """Up to ``most`` outputs each."""
    spans = []
    for start in range(0, len(taps_lst), most):
        part = taps_lst[start : start + most]
        used = part.count_nonzero(dim=(0, 2)).nonzero().flatten()
        first, last = int(used[0]), int(used[-1]) + 1
        spans.append(_Span(start, start + len(part), first, last, part[:, first:last]))
    return spans
