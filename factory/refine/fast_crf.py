"""Fully connected CRF (Krähenbühl & Koltun 2011) in tensors: dense kernels between a reduced picture and its samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from factory.refine import Confidence, Mask
from factory.refine.checks import check_count, check_positive
from factory.refine.tensors import FLOOR, decide, normalised
from factory.refine.windows import Windows

REACH = 2.0
"""In place, in sigmas of the bilateral kernel: further neighbours change no figure."""

PER_SIGMA, COARSEST = 9, 8
"""Cells of the reduced grid per sigma of the bilateral kernel, and the longest side of a cell in pixels."""

SMALLEST = -20.0
"""Exponent below which a kernel counts as exp of it: numbers too small for their type slow a processor fivefold."""

CHUNK = {"cpu": 600_000, "cuda": 500_000_000}
"""Kernel values made at a time: what a core's cache holds, and what a GPU has to hold."""


@dataclass(frozen=True, kw_only=True)
class FastCrf:
    """The model of `dense_crf`, with the same keys in the same units, so that settings tuned on one serve the other.

    Mean field runs on a reduced picture, its bilateral kernel (equation 3 of the paper) computed exactly, without a
    lattice, between each cell and every second or third cell within two sigmas. The message that a cell receives is
    smooth where the picture is; brought back to full size, it is added to the full-size unary.

    Needs 4 bytes times about 500 / side² a pixel for the kernel, side being a ninth of ``bilateral_sxy`` (2 to 8
    pixels): 0.1 KB a pixel at 50, 0.5 KB at 20 or less; and 12 bytes a pixel and class.
    """

    iterations: int
    spatial_sxy: float
    spatial_compat: float
    bilateral_sxy: float
    bilateral_srgb: float
    bilateral_compat: float

    def __post_init__(self) -> None:
        check_count(self, "iterations", "spatial_compat", "bilateral_compat")
        check_positive(self, "spatial_sxy", "bilateral_sxy", "bilateral_srgb")

    def __call__(
        self, image_hwc: npt.NDArray[np.uint8], scores_khw: npt.NDArray[np.float32]
    ) -> tuple[Mask, Confidence]:
        """See `factory.refine.Refiner`."""
        return decide(self.posterior, image_hwc, scores_khw)

    def posterior(self, images_nchw: Tensor, scores_nkhw: Tensor) -> Tensor:
        """See `factory.refine.tensors.Posterior`."""
        side = self.cell
        small_nchw, unary_nkhw = _reduced(images_nchw.float(), side), _reduced(scores_nkhw, side)
        message_nkhw = self._mean_field(small_nchw, unary_nkhw)
        gain_nkhw = (message_nkhw - message_nkhw.amax(dim=1, keepdim=True)).clamp_(min=SMALLEST).exp_()
        whole = [side * length for length in gain_nkhw.shape[-2:]]
        large_nkhw = functional.interpolate(gain_nkhw, whole, mode="bilinear", align_corners=False)
        height, width = scores_nkhw.shape[-2:]
        return normalised(large_nkhw[..., :height, :width] * scores_nkhw.clamp(min=FLOOR))

    @property
    def cell(self) -> int:
        """Side of a cell of the reduced grid, in pixels."""
        return min(max(2, math.ceil(self.bilateral_sxy / PER_SIGMA)), COARSEST)

    def windows(self, height: int, width: int) -> Windows:
        """The samples that cells look at: dense enough for the bilateral kernel, and never more than 4 per sigma."""
        fewest = 3 if self.cell <= 3 else 2
        stride = max(fewest, round(self.bilateral_sxy / (4 * self.cell)))
        reach = math.ceil(REACH * self.bilateral_sxy / (self.cell * stride))
        return Windows(height=height, width=width, stride=stride, reach=reach)

    def _mean_field(self, images_nchw: Tensor, unary_nkhw: Tensor) -> Tensor:
        """The last message to every cell (N, K, h, w): equation 4's sum after Potts, larger for likelier classes."""
        bilateral = _Bilateral(self, images_nchw)
        rows_hh, columns_ww = (
            _gaussian(length, self.spatial_sxy / self.cell, unary_nkhw.device) for length in unary_nkhw.shape[-2:]
        )
        unary_nkhw = unary_nkhw.clamp(min=FLOOR)
        energy_nkhw, belief_nkhw = unary_nkhw.log(), normalised(unary_nkhw)
        message_nkhw = torch.zeros_like(unary_nkhw)
        for _ in range(self.iterations):
            message_nkhw = bilateral(belief_nkhw).mul_(self.bilateral_compat)
            message_nkhw += (rows_hh @ (belief_nkhw @ columns_ww)).mul_(self.spatial_compat)
            belief_nkhw = (energy_nkhw + message_nkhw).softmax(dim=1)
        return message_nkhw


class _Bilateral:
    """The appearance kernel of one batch, normalised symmetrically as pydensecrf does by default."""

    def __init__(self, crf: FastCrf, images_nchw: Tensor) -> None:
        self.windows = crf.windows(*images_nchw.shape[-2:])
        colour_nchw = (images_nchw - 128) / crf.bilateral_srgb
        half_n1hw = colour_nchw.square().sum(dim=1, keepdim=True) / -2
        one_n1hw = torch.ones_like(half_n1hw)
        cells = self.windows.blocks(torch.cat([colour_nchw, half_n1hw, one_n1hw], dim=1))
        points = self.windows.around(torch.cat([colour_nchw, one_n1hw, half_n1hw], dim=1)).transpose(1, 2)
        place = self.windows.squared_distances().to(colour_nchw) * (-((crf.cell / crf.bilateral_sxy) ** 2) / 2)
        self.count = max(1, CHUNK["cuda" if images_nchw.is_cuda else "cpu"] // place.numel())
        self.kernels = [
            torch.baddbmm(place, of, to).clamp_(SMALLEST, 0).exp_()
            for of, to in zip(points.split(self.count), cells.split(self.count), strict=True)
        ]
        self.scale_n1hw = one_n1hw
        self.scale_n1hw = self._sums(one_n1hw).clamp_(min=FLOOR).rsqrt_()

    def __call__(self, belief_nkhw: Tensor) -> Tensor:
        """Each cell's message from its window: (N, K, h, w)."""
        return self._sums(belief_nkhw * self.scale_n1hw).mul_(self.scale_n1hw)

    def _sums(self, maps_nchw: Tensor) -> Tensor:
        points = self.windows.around(maps_nchw).split(self.count)
        return self.windows.joined(torch.cat([of @ by for of, by in zip(points, self.kernels, strict=True)]))


def _gaussian(length: int, sigma: float, device: torch.device) -> Tensor:
    """Gaussian kernel along one side, normalised symmetrically: (length, length)."""
    place = torch.arange(length, dtype=torch.float32, device=device)
    kernel = ((place[:, None] - place[None]).square() / (-2 * sigma**2)).clamp_(min=2 * SMALLEST).exp_()
    scale = kernel.sum(dim=0).rsqrt_()
    return kernel * scale * scale[:, None]


def _reduced(maps_nchw: Tensor, side: int) -> Tensor:
    """Means over cells; those at the border may be cut short."""
    return functional.avg_pool2d(maps_nchw, side, ceil_mode=True)
