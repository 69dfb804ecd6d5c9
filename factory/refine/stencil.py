"""Symmetric operators that couple each cell of a grid with its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

SLACK = 1e-7
"""Of the diagonal: what rounding may take from the sum of a row, so that an inverse stays definite."""


@dataclass(frozen=True, kw_only=True)
class Stencil:
    """Diagonal minus couplings: all (N, 1, …), on the device of the diagonal.

    ``right`` couples a cell with the next in its row (a column less than the grid), ``down`` with the next in its
    column, ``falling`` with the one below to the right, and ``rising`` the cell to the right with the one below (a row
    and a column less). Without the last two, cells have four neighbours. ``pull`` is what each row sums to, where that
    is known: `times` then works on differences, which float32 keeps where the diagonal has rounded them away.
    """

    diagonal: Tensor
    right: Tensor
    down: Tensor
    falling: Tensor | None = None
    rising: Tensor | None = None
    pull: Tensor | None = None

    @classmethod
    def of_walk(cls, pull_n1hw: Tensor, right_n1hw: Tensor, down_n1hw: Tensor) -> Stencil:
        """D + L: the Laplacian of the weights of edges, and a pull towards given values."""
        sums = functional.pad(right_n1hw, (1, 0)) + functional.pad(right_n1hw, (0, 1))
        sums += functional.pad(down_n1hw, (0, 0, 1, 0)) + functional.pad(down_n1hw, (0, 0, 0, 1))
        return cls(diagonal=pull_n1hw + sums, right=right_n1hw, down=down_n1hw, pull=pull_n1hw)

    def padded(self, rows: int, columns: int) -> Stencil:
        """With cells below and to the right that nothing is coupled with."""
        grown = (0, columns, 0, rows)
        assert self.falling is None, "only four neighbours"
        assert self.pull is not None, "only as of_walk makes it"
        return Stencil(
            diagonal=functional.pad(self.diagonal, grown, value=1.0),
            right=functional.pad(self.right, grown),
            down=functional.pad(self.down, grown),
            pull=functional.pad(self.pull, grown, value=1.0),
        )

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.diagonal.shape[-2], self.diagonal.shape[-1]

    @cached_property
    def smoother(self) -> Tensor:
        """What Jacobi's method may multiply by: damped by 0.8, or more where couplings outweigh the diagonal."""
        coupled = sum((one.abs() for one in self.neighbours().values()), torch.zeros_like(self.diagonal))
        return 1.6 / (self.diagonal + coupled)

    @cached_property
    def inverse(self) -> Tensor:
        """Of the whole operator, (N, HW, HW): for small grids."""
        cells = self.diagonal[0].numel()
        units = torch.eye(cells, dtype=self.diagonal.dtype, device=self.diagonal.device).view(1, cells, *self.size)
        slack = torch.diag_embed(SLACK * self.diagonal.flatten(1).double())
        inverse: Tensor = torch.linalg.inv(self.times(units).flatten(2).double() + slack)
        return inverse.float()

    def rest(self, right_nkhw: Tensor, x_nkhw: Tensor) -> Tensor:
        """What the operator on x leaves of b: (N, K, H, W)."""
        rest_nkhw = torch.addcmul(right_nkhw, x_nkhw, self.diagonal, value=-1)
        rest_nkhw[..., 1:].addcmul_(self.right, x_nkhw[..., :-1])
        rest_nkhw[..., :-1].addcmul_(self.right, x_nkhw[..., 1:])
        rest_nkhw[..., 1:, :].addcmul_(self.down, x_nkhw[..., :-1, :])
        rest_nkhw[..., :-1, :].addcmul_(self.down, x_nkhw[..., 1:, :])
        if self.falling is not None and self.rising is not None:
            rest_nkhw[..., 1:, 1:].addcmul_(self.falling, x_nkhw[..., :-1, :-1])
            rest_nkhw[..., :-1, :-1].addcmul_(self.falling, x_nkhw[..., 1:, 1:])
            rest_nkhw[..., 1:, :-1].addcmul_(self.rising, x_nkhw[..., :-1, 1:])
            rest_nkhw[..., :-1, 1:].addcmul_(self.rising, x_nkhw[..., 1:, :-1])
        return rest_nkhw

    def times(self, x_nkhw: Tensor) -> Tensor:
        """The operator on x: (N, K, H, W). Exact where x is even, if ``pull`` is known."""
        if self.pull is None:
            return self.rest(x_nkhw.new_zeros(()), x_nkhw).neg_()
        y_nkhw = x_nkhw * self.pull
        flow_nkhw = x_nkhw.diff(dim=-1).mul_(self.right)
        y_nkhw[..., 1:] += flow_nkhw
        y_nkhw[..., :-1] -= flow_nkhw
        flow_nkhw = x_nkhw.diff(dim=-2).mul_(self.down)
        y_nkhw[..., 1:, :] += flow_nkhw
        y_nkhw[..., :-1, :] -= flow_nkhw
        return y_nkhw

    def neighbours(self) -> dict[str, Tensor]:
        """Every cell's coupling in each direction (n, s, w, e and between), 0 beyond the border: (N, 1, H, W) each."""
        pad = functional.pad
        found = {
            "w": pad(self.right, (1, 0)),
            "e": pad(self.right, (0, 1)),
            "n": pad(self.down, (0, 0, 1, 0)),
            "s": pad(self.down, (0, 0, 0, 1)),
        }
        if self.falling is not None and self.rising is not None:
            found |= {"nw": pad(self.falling, (1, 0, 1, 0)), "se": pad(self.falling, (0, 1, 0, 1))}
            found |= {"ne": pad(self.rising, (0, 1, 1, 0)), "sw": pad(self.rising, (1, 0, 0, 1))}
        return found
