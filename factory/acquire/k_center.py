"""Greedy k-center: each pick lies farthest from all before (Gonzalez 1985; core-set, Sener & Savarese 2018)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from factory.core.errors import ConfigError
from factory.segment.models import best_device


def farthest_first(
    points_nd: npt.NDArray[np.float32], count: int, *, covered: npt.NDArray[np.intp] | None = None
) -> npt.NDArray[np.intp]:
    """``count`` rows of ``points_nd`` in the order in which they are picked; fewer where there are no more.

    ``covered`` are rows that count as picked before (already labelled); without any, the first pick is the row farthest
    from the mean. Equally far rows go by number. Distances are Euclidean, in 32 bits, of points relative to their mean;
    one product of the points with the last pick updates all of them, on a GPU where there is one. `ConfigError` for
    coordinates that are no numbers.
    """
    if not np.isfinite(points_nd).all():
        raise ConfigError("embeddings must be numbers", where="k_center", got="NaN or infinity")
    if not len(points_nd) or count < 1:
        return np.empty(0, np.intp)
    points = torch.from_numpy(np.ascontiguousarray(points_nd, np.float32)).to(best_device())
    points = points - points.mean(dim=0)
    norms_n = points.square().sum(dim=1)
    least_n, before = norms_n.clone(), [] if covered is None else np.asarray(covered, np.intp).tolist()
    if before:
        least_n.fill_(torch.inf)
    for row in before:
        _nearer(least_n, points, norms_n, row)
    picked: list[int] = []
    for _ in range(min(count, len(points_nd) - len(set(before)))):
        picked.append(int(least_n.argmax()))
        if len(picked) == 1 and not before:
            least_n.fill_(torch.inf)
        _nearer(least_n, points, norms_n, picked[-1])
    return np.array(picked, np.intp)


def _nearer(least_n: torch.Tensor, points: torch.Tensor, norms_n: torch.Tensor, row: int) -> None:
    """Squared distances to the nearest pick, now that ``row`` is one; picks lie at -1, below every distance."""
    apart_n = torch.addmv(norms_n + norms_n[row], points, points[row], alpha=-2).clamp_min_(0)
    taken_n = least_n < 0
    torch.minimum(least_n, apart_n, out=least_n)
    least_n[taken_n] = -1
    least_n[row] = -1
