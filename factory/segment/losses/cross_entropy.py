"""Cross-entropies: over the pixels somebody vouches for, with hard or soft targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.segment.evidence import Evidence
from factory.segment.losses.term import Term, check_range, mean
from factory.segment.models import Outputs

SCHEMES = ("inverse", "root_inverse", "effective")
EFFECTIVE_BETA = 0.9999
RAREST = 10.0
"""A class weighs at most this many times what the class in the middle does: one seen twice must not rule."""


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Term):
    """Weighted mean cross-entropy over the pixels that count: with points or strokes, partial cross-entropy.

    ``class_weights`` weigh pixels by their class: one number a class, or by the class's number of pixels n in all that
    is trained on: inverse (1 / n), root_inverse (1 / √n), or effective ((1 - β) / (1 - βⁿ), Cui et al. 2019, eq. 5,
    n in pixels a million). ``balance`` does so within the batch, to the power of minus ``balance``: 0 counts pixels
    alike, 1 classes alike. ``label_smoothing`` is in [0, 1).
    """

    class_weights: Sequence[float] | str | None = None
    balance: float = 0.0
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("balance", self.balance, 0, 1)
        check_range("label_smoothing", self.label_smoothing, 0, 0.999)
        check_scheme(self.class_weights)

    def __call__(self, outputs: Outputs, evidence: Evidence) -> Tensor:
        """See `Term`."""
        each_nhw = functional.cross_entropy(
            outputs.logits_nkhw,
            evidence.target_nhw,
            ignore_index=IGNORE,
            reduction="none",
            label_smoothing=self.label_smoothing,
        )
        weight_k = weights_by_class(self.class_weights, evidence.counts_k) * _balance(evidence, self.balance)
        return mean(each_nhw, evidence.weight_nhw * weight_k[evidence.ids_nhw])


@dataclass(frozen=True, kw_only=True)
class Focal(Term):
    """Cross-entropy times (1 - p) ** ``gamma``: what is already right counts little (Lin et al. 2017, eq. 4)."""

    gamma: float = 2.0
    class_weights: Sequence[float] | str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gamma", self.gamma, 0, 10)
        check_scheme(self.class_weights)

    def __call__(self, outputs: Outputs, evidence: Evidence) -> Tensor:
        """See `Term`."""
        log_right_nhw = _log_right(outputs, evidence)
        each_nhw = -((1 - log_right_nhw.exp()).clamp(min=0) ** self.gamma) * log_right_nhw
        weight_k = weights_by_class(self.class_weights, evidence.counts_k)
        return mean(each_nhw, evidence.weight_nhw * weight_k[evidence.ids_nhw])


@dataclass(frozen=True, kw_only=True)
class SoftCrossEntropy(Term):
    """Cross-entropy to a soft target: a pixel's class with its confidence, the rest shared by all other classes."""

    def __call__(self, outputs: Outputs, evidence: Evidence) -> Tensor:
        """See `Term`."""
        log_nkhw = outputs.logits_nkhw.log_softmax(dim=1)
        right_nhw = log_nkhw.gather(1, evidence.ids_nhw.unsqueeze(1)).squeeze(1)
        share_nhw, other_nhw = _soft_target(evidence, log_nkhw.shape[1])
        each_nhw = -(share_nhw - other_nhw) * right_nhw - other_nhw * log_nkhw.sum(dim=1)
        return mean(each_nhw, evidence.weight_nhw)


@dataclass(frozen=True, kw_only=True)
class CollisionCrossEntropy(Term):
    """-log of the probability that a draw from the soft target and one from the prediction are the same class.

    A pixel whose target says nothing asks nothing: at confidence 1 / K the gradient is zero, where cross-entropy would
    teach doubt. Source: Zhang and Boykov, Collision Cross-Entropy (2023), eq. 5.
    """

    def __call__(self, outputs: Outputs, evidence: Evidence) -> Tensor:
        """See `Term`."""
        share_nhw, other_nhw = _soft_target(evidence, outputs.logits_nkhw.shape[1])
        log_right_nhw = (share_nhw - other_nhw).clamp(min=0).log() + _log_right(outputs, evidence)
        return mean(-torch.logaddexp(log_right_nhw, other_nhw.log()), evidence.weight_nhw)


def weights_by_class(scheme: Sequence[float] | str | None, counts_k: Tensor) -> Tensor:
    """One weight a class, 1 for the average class that is there; see `CrossEntropy`."""
    if scheme is None:
        return torch.ones_like(counts_k)
    if not isinstance(scheme, str):
        if len(scheme) != len(counts_k):
            raise ConfigError("loss class_weights must be one a class", got=len(scheme), expected=len(counts_k))
        return torch.tensor(list(scheme), dtype=counts_k.dtype, device=counts_k.device)
    there_k = counts_k > 0
    share_k = counts_k.clamp(min=1) / counts_k.sum().clamp(min=1)
    weight_k = {
        "inverse": 1 / share_k,
        "root_inverse": share_k**-0.5,
        "effective": (1 - EFFECTIVE_BETA) / -torch.expm1(1e6 * math.log(EFFECTIVE_BETA) * share_k),
    }[scheme]
    weight_k = torch.where(there_k, weight_k, torch.nan)
    weight_k = weight_k.minimum(RAREST * weight_k.nanmedian())
    return torch.where(there_k, weight_k / weight_k.nanmean(), torch.ones_like(weight_k))


def check_scheme(scheme: Sequence[float] | str | None) -> None:
    """`ConfigError` unless it is a scheme's name, numbers from 0 that are not all 0, or None."""
    if scheme is None:
        return
    if isinstance(scheme, str):
        if scheme not in SCHEMES:
            expected = f"{', '.join(SCHEMES)}, a list, or null"
            raise ConfigError("unknown loss.class_weights", got=scheme, expected=expected)
    elif min(scheme, default=-1) < 0:
        raise ConfigError("class_weights must not be negative", got=list(scheme))
    elif not any(scheme):
        raise ConfigError("class_weights leave nothing to learn from: all of them are 0", got=list(scheme))


def _balance(evidence: Evidence, power: float) -> Tensor:
    if not power:
        return torch.ones_like(evidence.counts_k)
    known_nhw = evidence.known_nhw
    seen_k = torch.bincount(evidence.target_nhw[known_nhw], minlength=len(evidence.counts_k))
    return seen_k.clamp(min=1).to(evidence.counts_k) ** -power


def _log_right(outputs: Outputs, evidence: Evidence) -> Tensor:
    """Log-probability of each pixel's class."""
    each_nhw = functional.cross_entropy(outputs.logits_nkhw, evidence.target_nhw, ignore_index=IGNORE, reduction="none")
    return -each_nhw


def _soft_target(evidence: Evidence, classes: int) -> tuple[Tensor, Tensor]:
    """Probability of the pixel's class, and of each other one; no class is ever likelier than the pixel's."""
    share_nhw = evidence.confidence_nhw.clamp(min=1 / classes)
    return share_nhw, (1 - share_nhw) / max(classes - 1, 1)
