"""From a map of logits to one logit a class: the mean of the map's highest cells."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def pooled(maps_nhkhw: Tensor, shares: Sequence[float], inside_nhw: Tensor) -> Tensor:
    """Logits (N, heads, K) from maps (N, heads, K, h, w): the mean over each head's share of the picture's cells.

    A share of 1 is global average pooling; one cell at least counts, which is max pooling (multiple instance learning).
    Small things are found by small shares, surfaces by large ones.
    """
    logits = []
    for maps_hkhw, inside_hw in zip(maps_nhkhw, inside_nhw, strict=True):
        cells_hkc = maps_hkhw[..., inside_hw]
        logits.append(torch.stack([top_mean(one_kc, share) for one_kc, share in zip(cells_hkc, shares, strict=True)]))
    return torch.stack(logits)


def top_mean(cells_kc: Tensor, share: float) -> Tensor:
    """The mean over each row's highest share of the cells, one at least."""
    count = max(1, round(share * cells_kc.shape[1]))
    if count == cells_kc.shape[1]:
        return cells_kc.mean(dim=1)
    return cells_kc.topk(count, dim=1).values.mean(dim=1)
