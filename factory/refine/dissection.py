"""Walks on a grid solved exactly, by nested dissection (George, SIAM Journal on Numerical Analysis, 1973)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from factory.refine.cells import Cells
from factory.refine.elimination import TINY, eliminate

FEWEST = 4
"""Steps along a side of the cells that a grid is cut into, at least: smaller ones cost more to join than they save."""

STRIPS = 4
"""Strips that a square is cut into."""

NORTH, EAST, SOUTH, WEST = range(4)

Back = Callable[[Tensor], Tensor]
"""From the values (N, R, C, P, K) of the pixels that stayed to those of what they were made of."""


class Patches(NamedTuple):
    """Equal rectangles of a grid, R x C, of which only the P pixels around them are left, clockwise.

    ``coupling`` (N, R, C, P, P) says nothing on its diagonal; ``given`` (N, R, C, P, K + 1) ends with the pull.
    ``corners`` are places among the P, from the north-west; a side goes from the corner of its number to the next.
    """

    coupling: Tensor
    given: Tensor
    corners: tuple[int, ...]

    def between(self, start: int, stop: int) -> tuple[int, int]:
        """Place of a corner, and how many pixels there are clockwise from it to another one, with both."""
        first, last = self.corners[start % 4], self.corners[stop % 4]
        return first, (last - first) % self.given.shape[3] + 1

    def inside(self, side: int) -> tuple[int, int]:
        """The same of a side without its ends."""
        first, count = self.between(side, side + 1)
        return (first + 1) % self.given.shape[3], count - 2

    def every_other(self, axis: int, first: int) -> Patches:
        """Of the rows (1) or columns (2)."""
        chosen = (*[slice(None)] * axis, slice(first, None, 2))
        return Patches(self.coupling[chosen], self.given[chosen], self.corners)


class Piece(NamedTuple):
    """Pixels of a patch that follow each other, and where they lie in what it is laid into; from the last if turned."""

    of: slice
    into: slice
    turned: bool


Part = tuple[Patches, list[Piece]]


def solve(pull_n1hw: Tensor, right_n1hw: Tensor, down_n1hw: Tensor, gain_nkhw: Tensor) -> Tensor:
    """x of (D + L) x = b, (N, K, H, W): D the pixels' pull, L the Laplacian of the edges' weights, b the gain.

    Cells of a few pixels are joined two by two until they are strips as long as the shorter side; what is left of these
    are the lines between them, solved one after the other. Exact but for rounding: there are no steps to count. Where
    nothing pulls in a picture, x is 0.
    """
    height, width = gain_nkhw.shape[-2:]
    if height > width:
        return solve(pull_n1hw.mT, down_n1hw.mT, right_n1hw.mT, gain_nkhw.mT).mT
    strips = max(1, min(round(STRIPS * (width - 1) / max(height - 1, 1)), (width - 1) // FEWEST))
    (rows, tall), (columns, wide) = _cut(height - 1), _cut(-(-(width - 1) // strips))
    grown = (0, strips * columns * wide + 1 - width, 0, rows * tall + 1 - height)
    pull_n1hw = pull_n1hw + (pull_n1hw.amax(dim=(2, 3), keepdim=True) == 0)
    given_nkhw = torch.cat([functional.pad(gain_nkhw, grown), functional.pad(pull_n1hw, grown, value=1)], dim=1)
    cells = Cells(functional.pad(right_n1hw, grown), functional.pad(down_n1hw, grown), given_nkhw, tall, wide)
    coupling, given = cells.borders()
    parts = [slice(first, first + columns) for first in range(0, strips * columns, columns)]
    corners = (0, wide, wide + tall, 2 * wide + tall)
    patches = [Patches(coupling[:, :, part], given[:, :, part], corners) for part in parts]
    return cells.filled(_along(patches, tall, wide))[..., :height, :width]


def _cut(length: int) -> tuple[int, int]:
    """A power of two of parts, and how long they are."""
    parts = 1
    while length >= 2 * parts * FEWEST:
        parts *= 2
    return parts, max(1, -(-length // parts))


def _along(strips: Sequence[Patches], tall: int, wide: int) -> Tensor:
    """Values around the cells of strips side by side: the lines between them are eliminated from west to east."""
    count, rows, _, _, maps = strips[0].given.shape
    height = rows * tall + 1
    west, east = slice(height), slice(height, None)
    coupling, given = (strips[0].given.new_zeros(count, height, size) for size in (height, maps))
    gone = []
    for strip in strips:
        lines, lines_given, back = _dissected(strip, tall, wide)
        out = eliminate(lines[:, west, west] + coupling, lines[:, west, east], lines_given[:, west] + given)
        coupling, given = lines[:, east, east].clone(), lines_given[:, east].clone()
        out.hand_on(coupling, given)
        gone.append((out, back))
    line = eliminate(coupling, coupling[..., :0], given).found(given[:, :0, :-1])
    found = []
    for out, back in reversed(gone):
        before = out.found(line)
        found.append(back(torch.cat([before, line], dim=1)[:, None, None]))
        line = before
    return torch.cat(found[::-1], dim=2)


def _dissected(patches: Patches, tall: int, wide: int) -> tuple[Tensor, Tensor, Back]:
    """Couplings (N, 2 H, 2 H) of a strip's west and east lines, each from north to south, and what these are given."""
    backs: list[Back] = []
    rows, columns = patches.given.shape[1:3]
    while rows * columns > 1:
        if columns > 1 and (wide <= tall or rows == 1):
            columns, wide, side = columns // 2, 2 * wide, EAST
        else:
            rows, tall, side = rows // 2, 2 * tall, SOUTH
        patches, back = _merged(patches, side)
        backs.append(back)
    size, stay = patches.given.shape[3], 2 * (tall + 1)
    pieces = _run(size, *patches.between(WEST, NORTH), 0, turned=True) + _run(
        size, *patches.between(EAST, SOUTH), tall + 1
    )
    pieces += _run(size, *patches.inside(NORTH), stay) + _run(size, *patches.inside(SOUTH), stay + wide - 1)
    coupling, given, apart = _joined([(patches, pieces)], stay)

    def back_to_cells(lines: Tensor) -> Tensor:
        (values,) = apart(lines)
        for back in reversed(backs):
            values = back(values)
        return values

    return coupling[:, 0, 0], given[:, 0, 0], back_to_cells


def _merged(patches: Patches, side: int) -> tuple[Patches, Back]:
    """Every two neighbours as one: the side on which they meet is eliminated, but for its ends.

    What stays of the first comes first, from one of these ends to the other, and then that of the second.
    """
    axis, facing, size = (1 if side == SOUTH else 2), (side + 2) % 4, patches.given.shape[3]
    (first, ones), (second, others) = patches.between(side + 1, side), patches.between(facing + 1, facing)
    stay = ones + others - 2
    pieces = _run(size, first, ones, 0) + _run(size, *patches.inside(side), stay)
    facing_pieces = _run(size, second, others - 1, ones - 1) + _run(size, patches.corners[facing], 1, 0)
    facing_pieces += _run(size, *patches.inside(facing), stay, turned=True)
    parts = [(patches.every_other(axis, 0), pieces), (patches.every_other(axis, 1), facing_pieces)]
    coupling, given, apart = _joined(parts, stay)
    corners = [(corner - first) % size for corner in patches.corners]
    for number in (side, (side + 1) % 4):
        corners[number] = ones - 1 + (patches.corners[number] - second) % size

    def back(values: Tensor) -> Tensor:
        return torch.stack(apart(values), dim=axis + 1).flatten(axis, axis + 1)

    return Patches(coupling, given, tuple(corners)), back


def _run(size: int, first: int, count: int, into: int, *, turned: bool = False) -> list[Piece]:
    """``count`` pixels clockwise from the first one of a patch's ``size``, laid side by side from ``into``."""
    pieces, before = [], 0
    for start, length in ((first, min(count, size - first)), (0, count - (size - first))):
        if length > 0:
            at = into + (count - before - length if turned else before)
            pieces.append(Piece(slice(start, start + length), slice(at, at + length), turned))
            before += length
    return pieces


def _joined(parts: Sequence[Part], stay: int) -> tuple[Tensor, Tensor, Callable[[Tensor], list[Tensor]]]:
    """Couplings and givens of the first ``stay`` pixels that parts are laid into, the others eliminated.

    With them comes the way back, from values of those that stayed to the parts'.
    """
    size = max(piece.into.stop for _, pieces in parts for piece in pieces)
    staying, leaving = range(stay), range(stay, size)
    coupling, across, within = (
        _sum(parts, rows, columns) for rows, columns in ((staying, staying), (leaving, staying), (leaving, leaving))
    )
    given = coupling.new_zeros(*coupling.shape[:3], size, parts[0][0].given.shape[4])
    for patches, pieces in parts:
        for of, into, turned in pieces:
            given[..., into, :] += patches.given[..., of, :].flip(-2) if turned else patches.given[..., of, :]
    out = eliminate(within, across, given[..., stay:, :])
    given = given[..., :stay, :].contiguous()
    out.hand_on(coupling, given)

    layouts = [(patches.given.shape[3], pieces) for patches, pieces in parts]

    def apart(values: Tensor) -> list[Tensor]:
        values = torch.cat([values, out.found(values)], dim=3)
        return [_taken(values, *layout) for layout in layouts]

    return coupling, given, apart


def _sum(parts: Sequence[Part], rows: range, columns: range) -> Tensor:
    """Couplings of all parts between the pixels that they are laid into."""
    like = parts[0][0].coupling
    found = like.new_full((*like.shape[:3], len(rows), len(columns)), TINY)
    for patches, pieces in parts:
        for down in pieces:
            for right in pieces:
                if down.into.start in rows and right.into.start in columns:
                    axes = [axis for axis, piece in ((3, down), (4, right)) if piece.turned]
                    block = patches.coupling[..., down.of, right.of]
                    found[..., _within(down.into, rows), _within(right.into, columns)] += (
                        block.flip(axes) if axes else block
                    )
    return found


def _within(places: slice, window: range) -> slice:
    return slice(places.start - window.start, places.stop - window.start)


def _taken(values: Tensor, size: int, pieces: Sequence[Piece]) -> Tensor:
    """Values of a part's pixels from what they were laid into."""
    found = values.new_empty(*values.shape[:3], size, values.shape[4])
    for of, into, turned in pieces:
        found[..., of, :] = values[..., into, :].flip(-2) if turned else values[..., into, :]
    return found
