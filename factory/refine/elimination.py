"""Unknowns of walks taken out in blocks, and found again: Gaussian elimination that loses no digits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

TINY = 1e-17
"""Least coupling, between any two: numbers too small for their type slow a processor fivefold."""


@dataclass(frozen=True)
class Eliminated:
    """How s unknowns that were taken out follow from the u that stay: x_s = L'⁻¹ (``given`` + ``reach`` x_u).

    ``inverse`` is L⁻¹, lower triangular (…, s, s), ``reach`` is (…, s, u), ``given`` (…, s, K + 1), the pull last.
    """

    inverse: Tensor
    reach: Tensor
    given: Tensor

    def hand_on(self, coupling_uu: Tensor, given_uk: Tensor) -> None:
        """Add to those that stay what reaches them by way of those taken out."""
        reach = self.reach.flatten(0, -3)
        coupling_uu.view(-1, *coupling_uu.shape[-2:]).baddbmm_(reach.mT, reach)
        given_uk += self.reach.mT @ self.given

    def found(self, stay_uk: Tensor) -> Tensor:
        """The unknowns taken out, (…, s, K)."""
        return self.inverse.mT @ (self.given[..., :-1] + self.reach @ stay_uk)


def eliminate(within_ss: Tensor, across_su: Tensor, given_sk: Tensor) -> Eliminated:
    """Take out s unknowns with these couplings among themselves (what the diagonal says is ignored) and to the others.

    An equation's diagonal is the sum of its couplings and its pull (the last of what is ``given``); it is not kept but
    added up when needed, so that couplings and pulls only ever grow and a region that hardly hangs on the rest keeps
    its digits in float32 (Grassmann, Taksar & Heyman 1985). The one thing that cancels, the factor, takes 64 bits.
    """
    lower_ss = within_ss.tril(-1).double()
    total_s = lower_ss.sum(dim=-1) + lower_ss.sum(dim=-2) + across_su.sum(dim=-1, dtype=torch.float64)
    system_ss = lower_ss.neg_()
    system_ss.diagonal(dim1=-2, dim2=-1).copy_(total_s + given_sk[..., -1])
    factor = torch.linalg.cholesky(system_ss)
    ones = torch.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device).expand_as(factor)
    inverse = torch.linalg.solve_triangular(factor, ones, upper=False).float()
    return Eliminated(inverse, inverse @ across_su, inverse @ given_sk)
