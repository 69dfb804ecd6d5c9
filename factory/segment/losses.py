"""Losses with an ignore index, each a part: ``loss(logits_nkhw, target_nhw) -> scalar``.

Pixels of the ignore index add nothing. A batch of nothing else gives loss 0 with gradient zero, never NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError


class Loss(Protocol):
    """What training minimises."""

    def __call__(self, logits_nkhw: Tensor, target_nhw: Tensor) -> Tensor:
        """A scalar; ``target_nhw`` holds class ids (int64) and the ignore index."""


@dataclass(frozen=True, kw_only=True)
class CrossEntropy:
    """Weighted mean cross-entropy over the pixels somebody vouches for.

    ``class_weights`` (one a class, None: equal) weigh pixels by their class. ``balance`` weighs them by their class's
    number of pixels in the batch as well, to the power of minus ``balance``: 0 counts pixels alike, 1 classes alike.
    ``label_smoothing`` is in [0, 1).
    """

    class_weights: Sequence[float] | None = None
    balance: float = 0.0
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise ConfigError("label_smoothing must be at least 0 and below 1", got=self.label_smoothing)
        if not 0 <= self.balance <= 1:
            raise ConfigError("balance must lie between 0 and 1", got=self.balance)
        if self.class_weights is not None and min(self.class_weights) < 0:
            raise ConfigError("class_weights must not be negative", got=list(self.class_weights))

    def __call__(self, logits_nkhw: Tensor, target_nhw: Tensor) -> Tensor:
        """See `Loss`."""
        classes = logits_nkhw.shape[1]
        count_k = torch.bincount(target_nhw[target_nhw != IGNORE], minlength=classes).float()
        weights_k = self._weights(classes).to(count_k.device) * count_k.clamp(min=1) ** -self.balance
        total = functional.cross_entropy(
            logits_nkhw,
            target_nhw,
            weight=weights_k.to(logits_nkhw.dtype),
            ignore_index=IGNORE,
            reduction="sum",
            label_smoothing=self.label_smoothing,
        )
        return total / (weights_k * count_k).sum().clamp(min=1e-6)

    def _weights(self, classes: int) -> Tensor:
        if self.class_weights is None:
            return torch.ones(classes)
        if len(self.class_weights) != classes:
            raise ConfigError("loss class_weights must be one a class", got=len(self.class_weights), expected=classes)
        return torch.tensor(list(self.class_weights), dtype=torch.float32)


@dataclass(frozen=True, kw_only=True)
class Dice:
    """1 - mean Dice coefficient of the classes present in the batch's truth, over the whole batch.

    Source: Milletari et al., V-Net (2016), eq. 1, with linear denominators. ``smooth`` keeps tiny classes stable.
    """

    smooth: float = 1.0

    def __post_init__(self) -> None:
        if self.smooth <= 0:
            raise ConfigError("smooth must be above 0", got=self.smooth)

    def __call__(self, logits_nkhw: Tensor, target_nhw: Tensor) -> Tensor:
        """See `Loss`."""
        classes = logits_nkhw.shape[1]
        counted_nhw = target_nhw != IGNORE
        guess_nkhw = logits_nkhw.softmax(dim=1)
        known_nhw = target_nhw.masked_fill(~counted_nhw, 0)
        right_nhw = guess_nkhw.gather(1, known_nhw.unsqueeze(1)).squeeze(1) * counted_nhw
        hits_k = guess_nkhw.new_zeros(classes).index_add(0, known_nhw.flatten(), right_nhw.flatten())
        guess_k = (guess_nkhw * counted_nhw.unsqueeze(1)).sum((0, 2, 3))
        size_k = torch.bincount(target_nhw[counted_nhw], minlength=classes)
        dice_k = (2 * hits_k + self.smooth) / (guess_k + size_k + self.smooth)
        present_k = (size_k > 0).to(dice_k)
        return ((1 - dice_k) * present_k).sum() / present_k.sum().clamp(min=1)


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Weighted sum of losses: ``weights`` has one number for each of ``terms``."""

    terms: Sequence[Loss]
    weights: Sequence[float]

    def __post_init__(self) -> None:
        if not self.terms or len(self.terms) != len(self.weights):
            raise ConfigError("a loss mixture needs one weight a term", got=len(self.weights), expected=len(self.terms))
        if min(self.weights) < 0 or sum(self.weights) == 0:
            raise ConfigError("loss weights must not be negative, nor all zero", got=list(self.weights))

    def __call__(self, logits_nkhw: Tensor, target_nhw: Tensor) -> Tensor:
        """See `Loss`."""
        parts = [w * term(logits_nkhw, target_nhw) for w, term in zip(self.weights, self.terms, strict=True) if w]
        return torch.stack(parts).sum()
