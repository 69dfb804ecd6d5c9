"""A grid cut into cells that share their borders; pixels inside are eliminated one by one, in all cells at once."""

from __future__ import annotations

from itertools import islice

import torch
from torch import Tensor

from factory.refine.elimination import TINY

Place = tuple[int, int]


class Cells:
    """Cells of ``tall`` by ``wide`` steps: pixels (row, column) of each, what they are given and how they are coupled.

    Takes the weights of edges to the right and downwards, and what pixels are given, the pull last: (N, K + 1, H, W),
    of heights and widths that cells fill. What lies on a border belongs to the cells on either side in equal parts.
    """

    def __init__(self, right_n1hw: Tensor, down_n1hw: Tensor, given_nkhw: Tensor, tall: int, wide: int) -> None:
        count, _, height, width = given_nkhw.shape
        self.grid = (count, (height - 1) // tall, (width - 1) // wide)
        owners_h1, owners_w = given_nkhw.new_ones(height, 1), given_nkhw.new_ones(width)
        owners_h1[tall:-1:tall], owners_w[wide:-1:wide] = 2, 2

        def cut(maps: Tensor, rows: int, columns: int) -> Tensor:
            windows = maps.unfold(2, rows, tall).unfold(3, columns, wide)
            return windows.permute(4, 5, 1, 0, 2, 3).flatten(3).contiguous()

        self.given = cut(given_nkhw / (owners_h1 * owners_w), tall + 1, wide + 1)
        right = cut(right_n1hw / owners_h1, tall + 1, wide)[:, :, 0]
        down = cut(down_n1hw / owners_w, tall, wide + 1)[:, :, 0]
        self.tiny = torch.full_like(right[0, 0], TINY)
        self.coupled = _neighbours(right, down)
        self.around, inner = _around(tall, wide), _inner(1, tall, 1, wide)
        self.shares = {place: self._take_out(place) for place in inner}

    def borders(self) -> tuple[Tensor, Tensor]:
        """Couplings (N, R, C, P, P) of the P pixels around each cell, clockwise from its corner at the top left.

        And what these are given, (N, R, C, P, K + 1).
        """
        rows = [[self.coupled[one].get(other, self.tiny) for other in self.around] for one in self.around]
        coupling = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=1)
        given = torch.stack([self.given[place] for place in self.around]).permute(2, 0, 1)
        return coupling.view(*self.grid, *coupling.shape[1:]), given.reshape(*self.grid, *given.shape[1:])

    def filled(self, border_nrcpk: Tensor) -> Tensor:
        """Maps (N, K, H, W) from the values around the cells."""
        height, width, maps, _ = self.given.shape
        found = border_nrcpk.new_empty(height, width, maps - 1, *self.grid)
        for place, border in zip(self.around, border_nrcpk.permute(3, 4, 0, 1, 2), strict=True):
            found[place] = border
        flat = found.flatten(3)
        for place, share in reversed(self.shares.items()):
            value = flat[place].copy_(self.given[place][:-1])
            for neighbour, weight in self.coupled[place].items():
                value.addcmul_(flat[neighbour], weight)
            value *= share
        rows = torch.cat([found[:, :-1].permute(0, 2, 3, 4, 5, 1).flatten(4), found[:, -1, ..., -1:]], dim=-1)
        return torch.cat([rows[:-1].permute(2, 1, 3, 0, 4).flatten(2, 3), rows[-1, :, :, -1:].transpose(0, 1)], dim=2)

    def _take_out(self, place: Place) -> Tensor:
        """Couple the neighbours of a pixel with each other instead; one over the sum of its couplings and pull."""
        coupled, given = self.coupled[place], self.given[place]
        share = sum(coupled.values(), given[-1]).reciprocal_()
        for number, (one, weight) in enumerate(coupled.items(), 1):
            part, near = weight * share, self.coupled[one]
            del near[place]
            self.given[one].addcmul_(part, given)
            for other, its in islice(coupled.items(), number, None):
                if other in near:
                    near[other].addcmul_(part, its)
                else:
                    near[other] = self.coupled[other][one] = torch.addcmul(self.tiny, part, its)
        return share


def _neighbours(right: Tensor, down: Tensor) -> dict[Place, dict[Place, Tensor]]:
    """Each pixel's neighbours in the cell, and the weights of the edges to them."""
    height, width = right.shape[0], down.shape[1]
    found: dict[Place, dict[Place, Tensor]] = {(row, column): {} for row in range(height) for column in range(width)}
    for row, column in found:
        if column + 1 < width:
            found[row, column][row, column + 1] = found[row, column + 1][row, column] = right[row, column]
        if row + 1 < height:
            found[row, column][row + 1, column] = found[row + 1, column][row, column] = down[row, column]
    return found


def _around(tall: int, wide: int) -> list[Place]:
    """Clockwise from the top left."""
    top, right = [(0, column) for column in range(wide)], [(row, wide) for row in range(tall)]
    return top + right + [(tall - row, wide - column) for row, column in top + right]


def _inner(top: int, bottom: int, left: int, right: int) -> list[Place]:
    """Pixels of a rectangle, ends exclusive: those of either half before those that divide it (nested dissection)."""
    if top >= bottom or left >= right:
        return []
    if bottom - top >= right - left:
        middle = (top + bottom - 1) // 2
        halves = _inner(top, middle, left, right) + _inner(middle + 1, bottom, left, right)
        return halves + [(middle, column) for column in range(left, right)]
    middle = (left + right - 1) // 2
    halves = _inner(top, bottom, left, middle) + _inner(top, bottom, middle + 1, right)
    return halves + [(row, middle) for row in range(top, bottom)]
