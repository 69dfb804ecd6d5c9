"""Random walker with priors (Grady, "Multilabel Random Walker Image Segmentation Using Prior Models", CVPR 2005)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from factory.refine import Confidence, Mask
from factory.refine.checks import check_positive
from factory.refine.dissection import solve
from factory.refine.tensors import FLOOR, decide, normalised

HARD = 1e4
"""Pull of a certain pixel: against at most four neighbours of weight 1, that of a seed."""

WEAKEST = 1e-6
"""Least weight between neighbours: no pixel is cut off altogether."""


@dataclass(frozen=True, kw_only=True)
class RandomWalk:
    """Solves (D + L) x_k = D s_k for every class k: equation 14 of the paper, with a pull of each pixel's own.

    L is the Laplacian of the picture's grid of 4 neighbours, whose weights are exp(-beta |dI|² / (10 σ √C)) for colours
    0-1 with standard deviation σ over C channels, as scikit-image has them. D is 0 where scores are uniform (unknown)
    and grows with certainty c, their maximum brought to 0-1, as ``prior`` c / (1 - c), up to that of a seed. With
    scores of 1 at some points and uniform elsewhere this is the seeded random walker (Grady, PAMI 2006).

    Where nothing is known of a picture, it stays so. The solution is exact to five digits, however hard edges are to
    cross. Needs about 50 bytes a pixel and class, and 500 a pixel; time grows with the pixels and the shorter side.
    """

    RANGES: ClassVar[dict[str, str]] = {"beta": "log:20:1000", "prior": "log:0.001:1"}

    beta: float
    prior: float

    def __post_init__(self) -> None:
        check_positive(self, "beta", "prior")

    def __call__(
        self, image_hwc: npt.NDArray[np.uint8], scores_khw: npt.NDArray[np.float32]
    ) -> tuple[Mask, Confidence]:
        """See `factory.refine.Refiner`."""
        return decide(self.posterior, image_hwc, scores_khw)

    def posterior(self, images_nchw: Tensor, scores_nkhw: Tensor) -> Tensor:
        """See `factory.refine.tensors.Posterior`."""
        classes = scores_nkhw.shape[1]
        scores_nkhw = normalised(scores_nkhw.clamp(min=FLOOR))
        pull_n1hw = self._pull(scores_nkhw)
        gain_nkhw = (scores_nkhw - 1 / classes).mul_(pull_n1hw)
        left_k = _left_over(gain_nkhw)
        found_nkhw = torch.zeros_like(scores_nkhw)
        if not left_k.all():
            right_n1hw, down_n1hw = self.weights(images_nchw)
            solved_nkhw = solve(pull_n1hw, right_n1hw, down_n1hw, gain_nkhw[:, ~left_k])
            found_nkhw[:, ~left_k] = solved_nkhw
            found_nkhw[:, left_k] = -solved_nkhw.sum(dim=1, keepdim=True) / left_k.sum()
        return normalised(found_nkhw.add_(1 / classes).clamp_(min=FLOOR))

    def weights(self, images_nchw: Tensor) -> tuple[Tensor, Tensor]:
        """Of the edges to the right (N, 1, H, W-1) and downwards (N, 1, H-1, W)."""
        colours_nchw = images_nchw.float() / 255
        spread_n111 = colours_nchw.std(dim=(1, 2, 3), correction=0, keepdim=True).clamp_(min=1e-6)
        scale_n111 = -self.beta / (10 * spread_n111 * colours_nchw.shape[1] ** 0.5)
        differences = (colours_nchw.diff(dim=-1), colours_nchw.diff(dim=-2))
        right, down = ((d.square().sum(dim=1, keepdim=True) * scale_n111).exp_() for d in differences)
        return right.clamp_(min=WEAKEST), down.clamp_(min=WEAKEST)

    def _pull(self, scores_nkhw: Tensor) -> Tensor:
        classes = scores_nkhw.shape[1]
        surest_n1hw = scores_nkhw.amax(dim=1, keepdim=True)
        certain_n1hw = (surest_n1hw - 1 / classes) / (1 - 1 / classes) if classes > 1 else torch.ones_like(surest_n1hw)
        certain_n1hw = certain_n1hw.clamp_(0, 1)
        pull_n1hw = self.prior * certain_n1hw / (1 - certain_n1hw).clamp_(min=self.prior / HARD)
        return functional.threshold(pull_n1hw, FLOOR, 0.0)


def _left_over(gain_nkhw: Tensor) -> Tensor:
    """Classes that need no solving, (K,): what is left by the others is theirs, in equal parts.

    Those of which nobody says anything, if they are alike; else the last one.
    """
    silent_k = gain_nkhw.amax(dim=(0, 2, 3)) <= 0
    silent_nkhw = gain_nkhw[:, silent_k]
    if silent_k.any() and bool((silent_nkhw - silent_nkhw[:, :1]).abs().max() <= FLOOR):
        return silent_k
    return torch.arange(len(silent_k), device=silent_k.device) == len(silent_k) - 1
