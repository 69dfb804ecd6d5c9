"""Boundary loss: an edge head learns where classes meet, and the decoder's features with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from factory.core.classes import IGNORE
from factory.segment.evidence import Evidence
from factory.segment.losses.term import Term, check_range, mean
from factory.segment.models import Outputs


@dataclass(frozen=True, kw_only=True)
class Boundary(Term):
    """Cross-entropy of the edge head against the borders of the masks, both kinds of pixels weighing alike.

    A pixel is border if another class lies within ``radius`` pixels, inside if all pixels there are known and of its
    own class, and unknown otherwise: with points alone hardly a pixel counts. The balance of the two is that of Xie and
    Tu, HED (2015), eq. 2.
    """

    weight: float = 0.5
    radius: int = 1

    needs_edges: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("radius", self.radius, 1, 20)

    def __call__(self, outputs: Outputs, evidence: Evidence) -> Tensor:
        """See `Term`."""
        assert outputs.edges_n1hw is not None, "the stage gives the network an edge head when a loss needs it"
        border_nhw, known_nhw = borders(evidence.target_nhw.masked_fill(~evidence.known_nhw, IGNORE), self.radius)
        each_nhw = functional.binary_cross_entropy_with_logits(
            outputs.edges_n1hw.squeeze(1), border_nhw.float(), reduction="none"
        )
        sides = [mean(each_nhw, (evidence.weight_nhw * side_nhw)) for side_nhw in (border_nhw, known_nhw & ~border_nhw)]
        return torch.stack(sides).mean()


def borders(target_nhw: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    """(where another class is near, where that is known), both boolean (N, H, W)."""
    ids_n1hw = target_nhw.unsqueeze(1).float()
    unknown_n1hw = target_nhw.unsqueeze(1) == IGNORE
    size = 2 * radius + 1
    most = functional.max_pool2d(ids_n1hw.masked_fill(unknown_n1hw, -1), size, 1, radius)
    least = -functional.max_pool2d(-ids_n1hw.masked_fill(unknown_n1hw, IGNORE), size, 1, radius)
    blurred = functional.max_pool2d(unknown_n1hw.float(), size, 1, radius) > 0
    border_n1hw = (most > least) & ~unknown_n1hw
    return border_n1hw.squeeze(1), (border_n1hw | ~blurred).squeeze(1)
