"""What losses are given in tests: random logits, targets, weights and pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from factory.core.classes import IGNORE
from factory.segment.evidence import Evidence
from factory.segment.models import Outputs

CLASSES = 3


def drawn(
    seed: int, *, ignored: float = 0.3, size_hw: tuple[int, int] = (6, 7), weighted: bool = False
) -> tuple[Outputs, Evidence]:
    """Two pictures of three classes; ``ignored`` is the share of pixels nobody labelled."""
    source = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, CLASSES, *size_hw, generator=source).requires_grad_()
    features = torch.randn(2, 5, *size_hw, generator=source)
    edges = torch.randn(2, 1, *size_hw, generator=source).requires_grad_()
    target = torch.randint(0, CLASSES, (2, *size_hw), generator=source)
    target[torch.rand(target.shape, generator=source) < ignored] = IGNORE
    images = torch.rand(2, 3, *size_hw, generator=source)
    weight = torch.rand(target.shape, generator=source) + 0.1 if weighted else torch.ones(target.shape)
    confidence = torch.rand(target.shape, generator=source) * 0.6 + 0.4
    return Outputs(logits, features, edges, logits.shape[-2:]), evidence(
        target, images=images, weight=weight, confidence=confidence
    )


def evidence(
    target_nhw: Tensor, *, images: Tensor | None = None, weight: Tensor | None = None, confidence: Tensor | None = None
) -> Evidence:
    """What is known of a target; certain and unweighted unless said otherwise."""
    ones = torch.ones(target_nhw.shape)
    known = target_nhw != IGNORE
    return Evidence(
        images_nchw=torch.zeros(len(target_nhw), 3, *target_nhw.shape[1:]) if images is None else images,
        target_nhw=target_nhw,
        weight_nhw=(ones if weight is None else weight) * known,
        confidence_nhw=ones if confidence is None else confidence,
        counts_k=torch.bincount(target_nhw[known], minlength=CLASSES).float(),
    )


def outputs(logits_nkhw: Tensor) -> Outputs:
    """Of a network without an edge head."""
    return Outputs(logits_nkhw, logits_nkhw, None, logits_nkhw.shape[-2:])
