"""Losses of whole classes' overlap: Dice, Tversky and Lovász-softmax."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from factory.segment.evidence import Evidence
from factory.segment.losses.term import Term, check_range
from factory.segment.models import Outputs


@dataclass(frozen=True, kw_only=True)
class Tversky(Term):
    """1 - mean Tversky index of the classes present in the batch's truth, over the whole batch.

    ``alpha`` weighs false positives, ``beta`` false negatives: beta above alpha favours finding all of a class. Source:
    Salehi et al. (2017), eq. 3. ``smooth`` (pixels) keeps tiny classes stable.
    """

    alpha: float = 0.3
    beta: float = 0.7
    smooth: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("alpha", "beta"):
            check_range(name, getattr(self, name), 0, 10)
        check_range("smooth", self.smooth, 0, above=True)

    def __call__(self, outputs: Outputs, evidence: Evidence) -> Tensor:
        """See `Term`."""
        return _missed(outputs, evidence, self.alpha, self.beta, self.smooth)


@dataclass(frozen=True, kw_only=True)
class Dice(Term):
    """1 - mean Dice coefficient of the classes present in the batch's truth, over the whole batch.

    Source: Milletari et al., V-Net (2016), eq. 1, with linear denominators. ``smooth`` keeps tiny classes stable.
    """

    smooth: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("smooth", self.smooth, 0, above=True)

    def __call__(self, outputs: Outputs, evidence: Evidence) -> Tensor:
        """See `Term`."""
        return _missed(outputs, evidence, 0.5, 0.5, self.smooth / 2)


@dataclass(frozen=True, kw_only=True)
class Lovasz(Term):
    """Lovász-softmax: the convex surrogate of 1 - mean IoU of the classes present in the batch's truth.

    Source: Berman et al. (2018), eq. 8-9, with pixels of unequal weight: the set function is their weighted Jaccard
    loss, which is submodular likewise.
    """

    def __call__(self, outputs: Outputs, evidence: Evidence) -> Tensor:
        """See `Term`."""
        known_nhw = evidence.known_nhw
        target_p, weight_p = evidence.target_nhw[known_nhw], evidence.weight_nhw[known_nhw]
        guess_pk = outputs.logits_nkhw.softmax(dim=1).movedim(1, -1)[known_nhw]
        present = torch.unique(target_p).tolist()
        losses = [_lovasz_of_class(guess_pk[:, k], target_p == k, weight_p) for k in present]
        return torch.stack(losses).mean() if losses else 0 * outputs.logits_nkhw.sum()


def _lovasz_of_class(guess_p: Tensor, truth_p: Tensor, weight_p: Tensor) -> Tensor:
    error_p, order_p = (truth_p.to(guess_p) - guess_p).abs().sort(descending=True)
    inside_p = truth_p[order_p] * weight_p[order_p]
    size = inside_p.sum()
    left_p = size - inside_p.cumsum(0)
    union_p = size + (weight_p[order_p] - inside_p).cumsum(0)
    jaccard_p = 1 - left_p / union_p
    slope_p = torch.cat([jaccard_p[:1], jaccard_p[1:] - jaccard_p[:-1]])
    return torch.dot(error_p, slope_p)


def _missed(outputs: Outputs, evidence: Evidence, alpha: float, beta: float, smooth: float) -> Tensor:
    """1 - mean over present classes of hits / (hits + alpha * false alarms + beta * misses), all softly counted."""
    guess_nkhw, weight_nhw = outputs.logits_nkhw.softmax(dim=1), evidence.weight_nhw
    ids_nhw = evidence.ids_nhw
    right_nhw = guess_nkhw.gather(1, ids_nhw.unsqueeze(1)).squeeze(1) * weight_nhw
    hits_k, size_k = (_by_class(values, ids_nhw, len(evidence.counts_k)) for values in (right_nhw, weight_nhw))
    guess_k = (guess_nkhw * weight_nhw.unsqueeze(1)).sum((0, 2, 3))
    index_k = (hits_k + smooth) / (hits_k + alpha * (guess_k - hits_k) + beta * (size_k - hits_k) + smooth)
    present_k = (size_k > 0).to(index_k)
    return ((1 - index_k) * present_k).sum() / present_k.sum().clamp(min=1)


def _by_class(values_nhw: Tensor, ids_nhw: Tensor, classes: int) -> Tensor:
    """Sum of each class's pixels, row by row first: one number that grew over a million of them would lose digits."""
    rows_nhk = values_nhw.new_zeros((*ids_nhw.shape[:2], classes)).scatter_add(2, ids_nhw, values_nhw)
    return rows_nhk.sum((0, 1))
