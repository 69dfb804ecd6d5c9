"""Diffusion on a grid, all classes at once: conjugate gradients, preconditioned by a multigrid cycle."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from factory.refine.interpolation import Interpolation
from factory.refine.stencil import Stencil

COARSEST = 400
"""Cells of a grid that is solved directly."""


@dataclass(frozen=True)
class Level:
    """A grid's operator and the way to the next coarser grid; or, of the coarsest, the operator's inverse."""

    stencil: Stencil
    way: Interpolation | None = None
    inverse: Tensor | None = None


def solve(stencil: Stencil, right_nkhw: Tensor, *, tolerance: float, most: int) -> Tensor:
    """x of A x = b for every picture and class, by conjugate gradients (Hestenes & Stiefel 1952).

    A class of a picture is done when the energy of its residual falls below ``tolerance``² of its own, or after
    ``most`` steps; how many others are solved beside it changes nothing.
    """
    height, width = stencil.size
    depth, rows, columns = _plan(height, width)
    levels = _levels(stencil.padded(rows, columns), depth)
    operator, right_nkhw = levels[0].stencil, functional.pad(right_nkhw, (0, columns, 0, rows))
    x_nkhw = _cycle(levels, right_nkhw)
    residual_nkhw = right_nkhw - operator.times(x_nkhw)
    better_nkhw = _cycle(levels, residual_nkhw)
    way_nkhw, size_nk11 = better_nkhw, _dot(residual_nkhw, better_nkhw)
    enough_nk11 = tolerance**2 * _dot(right_nkhw, x_nkhw)
    for _ in range(most):
        open_nk11 = size_nk11.abs() > enough_nk11
        if not open_nk11.any():
            break
        pushed_nkhw = operator.times(way_nkhw)
        length_nk11 = _ratio(size_nk11, _dot(way_nkhw, pushed_nkhw)) * open_nk11
        x_nkhw.addcmul_(length_nk11, way_nkhw)
        residual_nkhw.addcmul_(length_nk11, pushed_nkhw, value=-1)
        better_nkhw = _cycle(levels, residual_nkhw)
        before_nk11, size_nk11 = size_nk11, _dot(residual_nkhw, better_nkhw)
        way_nkhw = torch.addcmul(better_nkhw, _ratio(size_nk11, before_nk11), way_nkhw)
    return x_nkhw[..., :height, :width]


def _plan(height: int, width: int) -> tuple[int, int, int]:
    """How often a grid is halved, and the rows and columns that it lacks for sides to be odd each time."""
    depth, size = 0, [height, width]
    while size[0] * size[1] > COARSEST:
        depth += 1
        size = [-(-(side - 1) // 2**depth) + 1 for side in (height, width)]
    rows, columns = (-(side - 1) % 2**depth for side in (height, width))
    return depth, rows, columns


def _levels(stencil: Stencil, depth: int) -> list[Level]:
    if depth == 0:
        return [Level(stencil, inverse=stencil.inverse)]
    way = Interpolation(stencil)
    return [Level(stencil, way), *_levels(_coarser(stencil, way), depth - 1)]


def _coarser(stencil: Stencil, way: Interpolation) -> Stencil:
    """Galerkin's operator, read off nine combs: cells three apart are never coupled with the same one."""
    count, (height, width) = len(stencil.diagonal), ((side + 1) // 2 for side in stencil.size)
    device = stencil.diagonal.device
    rows, columns = torch.arange(height, device=device)[:, None], torch.arange(width, device=device)[None]
    combs = (
        functional.one_hot(rows % 3 * 3 + columns % 3, 9)
        .permute(2, 0, 1)
        .to(stencil.diagonal)
        .expand(count, -1, -1, -1)
    )
    answers = way.gather(stencil.times(way.spread(combs)))

    def coupling(down: int, right: int) -> Tensor:
        comb = (rows + down) % 3 * 3 + (columns + right) % 3
        return answers.gather(1, comb.expand(count, 1, height, width))

    return Stencil(
        diagonal=coupling(0, 0),
        right=-coupling(0, 1)[..., :-1],
        down=-coupling(1, 0)[..., :-1, :],
        falling=-coupling(1, 1)[..., :-1, :-1],
        rising=-coupling(1, -1)[..., :-1, 1:],
    )


def _cycle(levels: list[Level], right_nkhw: Tensor) -> Tensor:
    """About x of A x = b: a V-cycle, linear and symmetric in b (Briggs, Henson & McCormick 2000)."""
    stencil, way, inverse = levels[0].stencil, levels[0].way, levels[0].inverse
    if way is None:
        assert inverse is not None
        return (right_nkhw.flatten(2) @ inverse).view_as(right_nkhw)
    x_nkhw = right_nkhw * stencil.smoother
    x_nkhw += way.spread(_cycle(levels[1:], way.gather(stencil.rest(right_nkhw, x_nkhw))))
    return x_nkhw.addcmul_(stencil.rest(right_nkhw, x_nkhw), stencil.smoother)


def _dot(one_nkhw: Tensor, other_nkhw: Tensor) -> Tensor:
    return (one_nkhw * other_nkhw).sum(dim=(2, 3), keepdim=True)


def _ratio(above: Tensor, below: Tensor) -> Tensor:
    """0 where there is nothing left to divide by: that class is solved."""
    return torch.where(below > 0, above / below, 0)
