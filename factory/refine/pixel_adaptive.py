"""Pixel-adaptive refinement, PAR (Ru et al., "Learning Affinity from Attention", CVPR 2022, section 3.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from factory.core.errors import ConfigError
from factory.refine import Confidence, Mask
from factory.refine.checks import check_count, check_positive
from factory.refine.tensors import FLOOR, decide, normalised

DIRECTIONS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
LEAST_SPREAD = 1e-3
"""Grey levels: where neighbours differ less, they count as alike."""


@dataclass(frozen=True, kw_only=True)
class PixelAdaptive:
    """Every pixel takes over what its 8 neighbours at several distances say, those most that look like it.

    Of the neighbours N of a pixel i, j weighs softmax_j(-(|I_i - I_j| / (w1 σ_i))²) + w2 softmax_j(-(|P_i - P_j| /
    (w1 σ_P))²), the squares of the first averaged over the colours; σ are standard deviations over N, of each colour
    and of the distance. Weights are then brought to a sum of 1. At the border the picture goes on as its last pixel.

    ``dilations`` are in pixels. Needs 4 bytes times 8 a pixel and dilation, and 12 a pixel and class.
    """

    RANGES: ClassVar[dict[str, str]] = {"iterations": "int:2:20", "colour_weight": "log:0.1:1"}

    iterations: int
    dilations: tuple[int, ...]
    colour_weight: float
    place_weight: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "dilations", tuple(self.dilations))
        check_count(self, "iterations", "place_weight")
        check_positive(self, "colour_weight")
        if not self.dilations or min(self.dilations) < 1:
            raise ConfigError("refiner.dilations are distances of at least 1 pixel", got=list(self.dilations))

    def __call__(
        self, image_hwc: npt.NDArray[np.uint8], scores_khw: npt.NDArray[np.float32]
    ) -> tuple[Mask, Confidence]:
        """See `factory.refine.Refiner`."""
        return decide(self.posterior, image_hwc, scores_khw)

    def posterior(self, images_nchw: Tensor, scores_nkhw: Tensor) -> Tensor:
        """See `factory.refine.tensors.Posterior`."""
        weights_nmhw = self.weights(images_nchw.float())
        belief_nkhw = normalised(scores_nkhw.clamp(min=FLOOR))
        for _ in range(self.iterations):
            sum_nkhw = torch.zeros_like(belief_nkhw)
            for m, neighbour_nkhw in enumerate(self._neighbours(belief_nkhw)):
                sum_nkhw.addcmul_(neighbour_nkhw, weights_nmhw[:, m : m + 1])
            belief_nkhw = sum_nkhw
        return normalised(belief_nkhw)

    def weights(self, images_nchw: Tensor) -> Tensor:
        """What each neighbour counts, summing to 1: (N, neighbours, H, W)."""
        alike_nmhw = torch.stack([self._likeness(images_nchw[:, c : c + 1]) for c in range(images_nchw.shape[1])]).mean(
            dim=0
        )
        steps_m = torch.tensor([d * (y * y + x * x) ** 0.5 for d in self.dilations for y, x in DIRECTIONS])
        spread = steps_m.std() if len(steps_m) > 1 else steps_m.new_ones(())
        near_m = -((steps_m / (self.colour_weight * spread)) ** 2)
        near_m = near_m.softmax(dim=0).to(images_nchw)
        return (alike_nmhw.softmax(dim=1) + self.place_weight * near_m[:, None, None]) / (1 + self.place_weight)

    def _likeness(self, channel_n1hw: Tensor) -> Tensor:
        """Minus the squared difference to each neighbour, in spreads: (N, neighbours, H, W)."""
        around_nmhw = torch.cat(list(self._neighbours(channel_n1hw)), dim=1)
        spread_n1hw = around_nmhw.std(dim=1, keepdim=True).clamp_(min=LEAST_SPREAD)
        return around_nmhw.sub_(channel_n1hw).div_(self.colour_weight * spread_n1hw).square_().neg_()

    def _neighbours(self, maps_nchw: Tensor) -> Iterator[Tensor]:
        """The maps moved by each offset, the border repeated: each (N, C, H, W)."""
        height, width = maps_nchw.shape[-2:]
        far = min(max(self.dilations), max(height, width))
        padded = functional.pad(maps_nchw, (far, far, far, far), mode="replicate")
        for dilation in self.dilations:
            step = min(dilation, far)
            for y, x in DIRECTIONS:
                top, left = far + y * step, far + x * step
                yield padded[..., top : top + height, left : left + width]
