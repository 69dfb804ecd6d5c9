"""Interpolation that follows an operator: values between cells are those that it would settle on."""

from __future__ import annotations

import torch
from torch import Tensor

from factory.refine.stencil import Stencil

LEAST = 1e-12
"""What a sum of couplings is taken to be at least."""

ROWS = (..., slice(None, None, 2), slice(1, None, 2))
COLUMNS = (..., slice(1, None, 2), slice(None, None, 2))
MIDDLES = (..., slice(1, None, 2), slice(1, None, 2))


class Interpolation:
    """From every second row and column of a stencil's grid to all of it (Dendy, "Black box multigrid", 1982).

    Cells between two kept ones in a row take their means, weighted by the couplings to either side; so do those in a
    column; those in the middle solve the operator's own equation. Repulsions, which coarse operators may hold, count as
    no coupling, so that weights are between 0 and 1 and sum to at most 1. Sides are odd.
    """

    def __init__(self, stencil: Stencil) -> None:
        self.size = stencil.size
        at = stencil.neighbours()
        sides = {side: _sum([one for name, one in at.items() if side in name]).clamp_(min=0) for side in "wens"}
        across = torch.maximum(stencil.diagonal - at["n"] - at["s"], sides["w"] + sides["e"]).clamp_(min=LEAST)
        along = torch.maximum(stencil.diagonal - at["w"] - at["e"], sides["n"] + sides["s"]).clamp_(min=LEAST)
        self.west, self.east = (sides[side][ROWS] / across[ROWS] for side in "we")
        self.north, self.south = (sides[side][COLUMNS] / along[COLUMNS] for side in "ns")
        around = {name: one[MIDDLES].clamp(min=0) for name, one in at.items()}
        total = torch.maximum(stencil.diagonal[MIDDLES], _sum([*around.values()]))
        self.middle = {name: one / total for name, one in around.items()}

    def spread(self, coarse_nkhw: Tensor) -> Tensor:
        """Maps of the coarse grid on the fine one."""
        fine_nkhw = coarse_nkhw.new_empty(*coarse_nkhw.shape[:2], *self.size)
        fine_nkhw[..., ::2, ::2] = coarse_nkhw
        rows = (self.west * coarse_nkhw[..., :-1]).addcmul_(self.east, coarse_nkhw[..., 1:])
        columns = (self.north * coarse_nkhw[..., :-1, :]).addcmul_(self.south, coarse_nkhw[..., 1:, :])
        first, *others = self._pieces(coarse_nkhw, rows, columns)
        middles = first[0] * first[1]
        for weight, piece in others:
            middles.addcmul_(weight, piece)
        fine_nkhw[ROWS], fine_nkhw[COLUMNS], fine_nkhw[MIDDLES] = rows, columns, middles
        return fine_nkhw

    def gather(self, fine_nkhw: Tensor) -> Tensor:
        """The transpose of `spread`: what the fine grid says to the coarse one."""
        coarse_nkhw = fine_nkhw[..., ::2, ::2].clone()
        rows, columns, middles = fine_nkhw[ROWS].clone(), fine_nkhw[COLUMNS].clone(), fine_nkhw[MIDDLES].contiguous()
        for weight, piece in self._pieces(coarse_nkhw, rows, columns):
            piece.addcmul_(weight, middles)
        coarse_nkhw[..., :-1].addcmul_(self.west, rows)
        coarse_nkhw[..., 1:].addcmul_(self.east, rows)
        coarse_nkhw[..., :-1, :].addcmul_(self.north, columns)
        coarse_nkhw[..., 1:, :].addcmul_(self.south, columns)
        return coarse_nkhw

    def _pieces(self, coarse: Tensor, rows: Tensor, columns: Tensor) -> list[tuple[Tensor, Tensor]]:
        """For each neighbour of the cells in the middle: its weight, and where it lies."""
        lies = {
            "w": columns[..., :-1],
            "e": columns[..., 1:],
            "n": rows[..., :-1, :],
            "s": rows[..., 1:, :],
            "nw": coarse[..., :-1, :-1],
            "ne": coarse[..., :-1, 1:],
            "sw": coarse[..., 1:, :-1],
            "se": coarse[..., 1:, 1:],
        }
        return [(weight, lies[name]) for name, weight in self.middle.items()]


def _sum(maps: list[Tensor]) -> Tensor:
    return torch.stack(maps).sum(dim=0)
