"""Greedy k-center: each pick lies farthest from all before (Gonzalez 1985; core-set, Sener & Savarese 2018)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from factory.core.errors import ConfigError
from factory.segment.models import best_device

AHEAD = 64
"""Points whose distances to all others are made ready at once, at most."""

CLOSE = 1e-2
"""Squared distances below this part of both points' squared norms lose digits in |x|² + |y|² - 2xy."""


def farthest_first(
    points_nd: npt.NDArray[np.float32],
    count: int,
    *,
    covered: npt.NDArray[np.intp] | None = None,
    first: int | None = None,
) -> npt.NDArray[np.intp]:
    """``count`` rows of ``points_nd`` in the order in which they are picked; fewer where there are no more.

    ``covered`` are rows that count as picked before (already labelled); ``first`` is picked first whatever its place.
    Without either the first pick is the row farthest from the mean. Of rows that are equally far, but
    for rounding, any goes first, always the same one. Distances are Euclidean, in 32 bits: by a product for points
    relative to their mean, coordinate by coordinate for near duplicates. The work is done on a GPU where there is one.
    `ConfigError` for coordinates that are no numbers.
    """
    if not np.isfinite(points_nd).all():
        raise ConfigError("embeddings must be numbers", where="k_center", got="NaN or infinity")
    before = [] if covered is None else np.unique(covered).tolist()
    count = min(count, len(points_nd) - len(before))
    if count < 1:
        return np.empty(0, np.intp)
    points = torch.from_numpy(np.ascontiguousarray(points_nd, np.float32)).to(best_device())
    distances = _Distances(points)
    for row in before:
        distances.take(row)
    picked: list[int] = []
    if first is not None and first not in before:
        picked.append(first)
        distances.take(first)
    while len(picked) < count:
        picked.append(distances.farthest())
        distances.take(picked[-1])
    return np.array(picked, np.intp)


class _Distances:
    """Squared distances of all points to the nearest one taken; those taken lie at -1, below every distance.

    Distances to a point cost a look at all points, and to several points hardly more: those to the points that are
    farthest now, and so likely to be taken next, are made ready together, the more of them the better that went.
    """

    def __init__(self, points: torch.Tensor) -> None:
        self.points, self.centred = points, points - points.mean(dim=0)
        self.norms_n = self.centred.square().sum(dim=1)
        self.least_n, self.taken = self.norms_n.clone(), 0
        self.ready: dict[int, torch.Tensor] = {}
        self.ahead = 1

    def farthest(self) -> int:
        """The first of the points farthest from all taken; before any is, from the mean."""
        return int(self.least_n.argmax())

    def take(self, row: int) -> None:
        """One more point."""
        if not self.taken:
            self.least_n.fill_(torch.inf)
        if row not in self.ready:
            self._make_ready(row)
        left_n = self.least_n < 0
        torch.minimum(self.least_n, self.ready.pop(row), out=self.least_n)
        self.least_n[left_n] = -1
        self.least_n[row] = -1
        self.taken += 1

    def _make_ready(self, row: int) -> None:
        self.ahead = max(self.ahead // 2, 1) if len(self.ready) > self.ahead // 2 else min(2 * self.ahead, AHEAD)
        likely = self.least_n.topk(min(self.ahead, len(self.points))).indices.tolist()
        rows = [row, *(other for other in likely if other != row)][: self.ahead]
        norms_mn = self.norms_n + self.norms_n[rows].unsqueeze(1)
        apart_mn = torch.addmm(norms_mn, self.centred[rows], self.centred.T, alpha=-2)
        self._refine(rows, apart_mn, apart_mn < CLOSE * norms_mn)
        self.ready = dict(zip(rows, apart_mn, strict=True))

    def _refine(self, rows: list[int], apart_mn: torch.Tensor, close_mn: torch.Tensor) -> None:
        """Near duplicates' distances coordinate by coordinate, which are never below 0 as the product's may be."""
        for row, apart_n, close_n in zip(rows, apart_mn, close_mn, strict=True):
            near = close_n.nonzero().squeeze(1)
            apart_n[near] = (self.points[near] - self.points[row]).square_().sum(dim=1)
