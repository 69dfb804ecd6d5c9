"""A grid in square blocks, and around each block the sample points within its reach."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

BLOCK = 8
"""Side of a block, about: blocks share one window, whose size they determine in part."""


@dataclass(frozen=True, kw_only=True)
class Windows:
    """A grid of ``height`` by ``width``; every ``stride``-th row and column is a sample point.

    A block's window holds the ``reach`` sample points on each side of it, so that the work grows with the grid's size,
    not its square. Beyond the grid's border windows and blocks hold zeros.
    """

    height: int
    width: int
    stride: int
    reach: int

    @property
    def samples(self) -> int:
        """Sample points along a block's side."""
        return -(-BLOCK // self.stride)

    @property
    def block(self) -> int:
        """Side of a block in cells of the grid."""
        return self.samples * self.stride

    @property
    def window(self) -> int:
        """Side of a window in sample points."""
        return self.samples + 2 * self.reach

    @property
    def tall(self) -> int:
        """Blocks one above the other."""
        return -(-self.height // self.block)

    @property
    def wide(self) -> int:
        """Blocks side by side."""
        return -(-self.width // self.block)

    def blocks(self, maps_nchw: Tensor) -> Tensor:
        """The maps' cells by block: (N·blocks, C, block²)."""
        count, channels = maps_nchw.shape[:2]
        side = self.block
        padding = (0, self.wide * side - self.width, 0, self.tall * side - self.height)
        whole = functional.pad(maps_nchw, padding).view(count, channels, self.tall, side, self.wide, side)
        return whole.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels, side * side)

    def joined(self, blocks_bcd: Tensor) -> Tensor:
        """The way back from `blocks`: (N, C, height, width)."""
        channels, side = blocks_bcd.shape[1], self.block
        parts = blocks_bcd.view(-1, self.tall, self.wide, channels, side, side).permute(0, 3, 1, 4, 2, 5)
        whole = parts.reshape(-1, channels, self.tall * side, self.wide * side)
        return whole[..., : self.height, : self.width]

    def around(self, maps_nchw: Tensor) -> Tensor:
        """The sample points of each block's window: (N·blocks, C, window²)."""
        first = (self.stride - 1) // 2
        points = maps_nchw[..., first :: self.stride, first :: self.stride]
        missing = (self.tall * self.samples - points.shape[-2], self.wide * self.samples - points.shape[-1])
        reach = self.reach
        padded = functional.pad(points, (reach, missing[1] + reach, reach, missing[0] + reach))
        views = padded.unfold(2, self.window, self.samples).unfold(3, self.window, self.samples)
        return views.permute(0, 2, 3, 1, 4, 5).reshape(-1, maps_nchw.shape[1], self.window**2)

    def squared_distances(self) -> Tensor:
        """From each sample point of a window to each cell of its block, in cells: (window², block²)."""
        cells = torch.arange(self.block)
        points = (torch.arange(self.window) - self.reach) * self.stride + (self.stride - 1) // 2
        line = (points[:, None] - cells[None]).square().float()
        return (line[:, None, :, None] + line[None, :, None, :]).reshape(self.window**2, self.block**2)
