"""Many small diffusion problems on a grid at once: conjugate gradients, preconditioned by a multigrid cycle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

COARSEST = 800
"""Cells of a grid that is solved directly."""

DAMPING = 0.85
"""Of the Jacobi smoother."""

STIFFNESS = 0.5
"""Coarse weights by adding up what crosses between cells are twice too stiff for smooth fields (Braess 1995)."""

PATIENCE = 2
"""Steps between looks at the residual: each look waits for the device."""


@dataclass(frozen=True)
class Grid:
    """(D + L) x = b on a grid: L the Laplacian of the weights between neighbours, D a pull towards given values.

    ``pull_n1hw`` is D's diagonal, ``down_n1hw`` (height - 1 rows) and ``right_n1hw`` (width - 1 columns) the weights
    of the edges; all at least 0.
    """

    pull_n1hw: Tensor
    down_n1hw: Tensor
    right_n1hw: Tensor

    @cached_property
    def diagonal(self) -> Tensor:
        """Of D + L: (N, 1, H, W)."""
        total = self.pull_n1hw.clone()
        total[..., 1:, :] += self.down_n1hw
        total[..., :-1, :] += self.down_n1hw
        total[..., 1:] += self.right_n1hw
        total[..., :-1] += self.right_n1hw
        return total

    @cached_property
    def inverse_diagonal(self) -> Tensor:
        """1 / diagonal; 0 where nothing touches a cell."""
        return torch.where(self.diagonal > 0, self.diagonal.reciprocal(), 0)

    @cached_property
    def inverse(self) -> Tensor:
        """Of D + L as a matrix, (N, HW, HW): for the coarsest grid only. Pulled nowhere, it is not quite inverted."""
        count, _, height, width = self.pull_n1hw.shape
        cells = torch.arange(height * width, device=self.pull_n1hw.device).view(height, width)
        matrix = torch.diag_embed(self.diagonal.flatten(1).double() * (1 + 1e-7) + 1e-12)
        for here, there, weight in (
            (cells[1:], cells[:-1], self.down_n1hw),
            (cells[:, 1:], cells[:, :-1], self.right_n1hw),
        ):
            for row, column in ((here, there), (there, here)):
                matrix[:, row.flatten(), column.flatten()] = -weight.reshape(count, -1).double()
        inverse: Tensor = torch.linalg.inv(matrix)
        return inverse.float()

    def times(self, x_nkhw: Tensor) -> Tensor:
        """(D + L) x."""
        y_nkhw = x_nkhw * self.diagonal
        y_nkhw[..., 1:, :].addcmul_(self.down_n1hw, x_nkhw[..., :-1, :], value=-1)
        y_nkhw[..., :-1, :].addcmul_(self.down_n1hw, x_nkhw[..., 1:, :], value=-1)
        y_nkhw[..., 1:].addcmul_(self.right_n1hw, x_nkhw[..., :-1], value=-1)
        y_nkhw[..., :-1].addcmul_(self.right_n1hw, x_nkhw[..., 1:], value=-1)
        return y_nkhw

    def coarser(self) -> Grid:
        """Two by two cells made one."""
        height, width = self.pull_n1hw.shape[-2:]
        down_n1hw = functional.pad(self.down_n1hw[..., 1::2, :], (0, width % 2))
        right_n1hw = functional.pad(self.right_n1hw[..., 1::2], (0, 0, 0, height % 2))
        return Grid(
            _fours(self.pull_n1hw),
            (down_n1hw[..., ::2] + down_n1hw[..., 1::2]) * STIFFNESS,
            (right_n1hw[..., ::2, :] + right_n1hw[..., 1::2, :]) * STIFFNESS,
        )


def solve(grid: Grid, right_nkhw: Tensor, *, tolerance: float, most: int) -> Tensor:
    """x of (D + L) x = b for every picture and class, by conjugate gradients (Hestenes & Stiefel 1952).

    A class of a picture is done when the energy of its residual falls below ``tolerance``² of its own, or after
    ``most`` steps; how many others are solved beside it changes nothing.
    """
    grids = [grid]
    while grids[-1].pull_n1hw[0].numel() > COARSEST:
        grids.append(grids[-1].coarser())
    x_nkhw = _cycle(grids, 0, right_nkhw)
    residual_nkhw = right_nkhw - grid.times(x_nkhw)
    better_nkhw = _cycle(grids, 0, residual_nkhw)
    way_nkhw, size_nk11 = better_nkhw, _dot(residual_nkhw, better_nkhw)
    enough_nk11 = tolerance**2 * _dot(right_nkhw, x_nkhw)
    for step in range(most):
        if step % PATIENCE == 0:
            open_nk11 = size_nk11 > enough_nk11
            if not open_nk11.any():
                break
        pushed_nkhw = grid.times(way_nkhw)
        length_nk11 = _ratio(size_nk11, _dot(way_nkhw, pushed_nkhw)) * open_nk11
        x_nkhw = torch.addcmul(x_nkhw, length_nk11, way_nkhw)
        residual_nkhw.addcmul_(length_nk11, pushed_nkhw, value=-1)
        better_nkhw = _cycle(grids, 0, residual_nkhw)
        before_nk11, size_nk11 = size_nk11, _dot(residual_nkhw, better_nkhw)
        way_nkhw = torch.addcmul(better_nkhw, _ratio(size_nk11, before_nk11), way_nkhw)
    return x_nkhw


def _cycle(grids: list[Grid], level: int, right_nkhw: Tensor) -> Tensor:
    """About x of (D + L) x = b: one W-cycle, which is linear and symmetric in b (Briggs, Henson & McCormick 2000)."""
    grid = grids[level]
    if level == len(grids) - 1:
        return (right_nkhw.flatten(2) @ grid.inverse).view_as(right_nkhw)
    x_nkhw = right_nkhw * (grid.inverse_diagonal * DAMPING)
    rest_nkhw = _fours(right_nkhw - grid.times(x_nkhw))
    coarse_nkhw = _cycle(grids, level + 1, rest_nkhw)
    if 0 < level < len(grids) - 2:
        coarse_nkhw = coarse_nkhw + _cycle(grids, level + 1, rest_nkhw - grids[level + 1].times(coarse_nkhw))
    height, width = right_nkhw.shape[-2:]
    x_nkhw += functional.interpolate(coarse_nkhw, scale_factor=2, mode="nearest")[..., :height, :width]
    return x_nkhw.addcmul_(right_nkhw - grid.times(x_nkhw), grid.inverse_diagonal, value=DAMPING)


def _fours(maps_nchw: Tensor) -> Tensor:
    """Sums over two by two cells; beyond the border is 0."""
    height, width = maps_nchw.shape[-2:]
    if height % 2 or width % 2:
        maps_nchw = functional.pad(maps_nchw, (0, width % 2, 0, height % 2))
    pairs = maps_nchw[..., ::2, :] + maps_nchw[..., 1::2, :]
    return pairs[..., ::2] + pairs[..., 1::2]


def _dot(one_nkhw: Tensor, other_nkhw: Tensor) -> Tensor:
    return (one_nkhw * other_nkhw).sum(dim=(2, 3), keepdim=True)


def _ratio(above: Tensor, below: Tensor) -> Tensor:
    """0 where there is nothing left to divide by: that class is solved."""
    return torch.where(below > 0, above / below, 0)
