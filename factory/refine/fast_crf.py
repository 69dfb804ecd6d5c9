"""Fully connected CRF (Krähenbühl & Koltun 2011) in tensors: exact kernels between a reduced picture and samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from factory.execute.precision import fastest
from factory.refine import Confidence, Mask
from factory.refine.kernels import Kernels
from factory.refine.tensors import FLOOR, decide, normalised
from factory.refine.upsampling import guided
from factory.refine.windows import Windows

REACH = 2.0
"""In place, in sigmas of the bilateral kernel: further neighbours change no figure."""

PER_SIGMA, COARSEST, FEWEST = 9, 8, 64
"""Cells of the reduced grid per sigma of the bilateral kernel; longest side of a cell in pixels; cells a picture has at
least along a side, about: small pictures are not reduced, as they cost little."""

SAMPLES = 16
"""Along a picture's longer side, at least, however far the bilateral kernel reaches."""

SMALLEST = -20.0
"""Exponent below which a kernel counts as exp of it: numbers too small for their type slow a processor fivefold."""

CHUNK = {"cpu": 600_000, "cuda": 500_000_000}
"""Kernel values made at a time: what a core's cache holds, and what a GPU has to hold."""


@dataclass(frozen=True, kw_only=True)
class FastCrf(Kernels):
    """The energy of `dense_crf`, with the same keys in the same units, approximately.

    On unaries of networks settings of one do for the other: masks agree on 98 % of the pixels. The spatial kernel is
    narrower than the reduced picture's cells, though, and follows the picture: by itself (``bilateral_compat`` 0) it
    agrees with an exact one on 82 to 94 % where pydensecrf does on 99. So tune on the one that is used.

    Mean field runs on a reduced picture, its bilateral kernel (equation 3 of the paper) computed exactly, without a
    lattice, between each cell and every second or third cell within two sigmas. The message that a cell receives
    changes where the picture does: brought back to full size with the picture as guide, it is added to the full-size
    unary. Processors that multiply bfloat16 hold the kernel of reduced pictures in it, 3 digits, and are three times
    as fast then.

    Needs for the kernel about 1 KB a cell, which is a ninth of ``bilateral_sxy`` wide (8 pixels at most, less in
    pictures under 500 pixels): 60 bytes a pixel at 50, 80 at 20, 900 below 10; and 16 bytes a pixel and class.
    """

    def __call__(
        self, image_hwc: npt.NDArray[np.uint8], scores_khw: npt.NDArray[np.float32]
    ) -> tuple[Mask, Confidence]:
        """See `factory.refine.Refiner`."""
        return decide(self.posterior, image_hwc, scores_khw)

    def posterior(self, images_nchw: Tensor, scores_nkhw: Tensor) -> Tensor:
        """See `factory.refine.tensors.Posterior`."""
        side, images_nchw = self.cell(*scores_nkhw.shape[-2:]), images_nchw.float()
        small_nchw, unary_nkhw = _reduced(images_nchw, side), _reduced(scores_nkhw, side)
        message_nkhw = self._mean_field(small_nchw, unary_nkhw, side)
        message_nkhw -= message_nkhw.amax(dim=1, keepdim=True)
        if side > 1:
            message_nkhw = guided(message_nkhw, images_nchw, small_nchw, side)
        return normalised(message_nkhw.clamp_(SMALLEST, -SMALLEST).exp_().mul_(scores_nkhw.clamp(min=FLOOR)))

    def cell(self, height: int, width: int) -> int:
        """Side of a cell of the reduced grid, in pixels, for pictures of a size."""
        wanted = math.ceil(self.bilateral_sxy / PER_SIGMA)
        return max(1, min(wanted, COARSEST, math.isqrt(height * width) // FEWEST))

    def windows(self, height: int, width: int, cell: int) -> Windows:
        """The samples that the cells of a grid look at: every second or third, but at most about 5 per sigma."""
        sigma, longest = self.bilateral_sxy / cell, max(height, width)
        wanted = max(round(sigma / 5), min(math.ceil(sigma / 2), 3 if cell <= 3 else 2))
        stride = max(1, min(wanted, longest // SAMPLES))
        reach = math.ceil(min(REACH * sigma, longest) / stride)
        return Windows(height=height, width=width, stride=stride, reach=reach)

    def _mean_field(self, images_nchw: Tensor, unary_nkhw: Tensor, cell: int) -> Tensor:
        """The last message to every cell (N, K, h, w): equation 4's sum after Potts, larger for likelier classes."""
        bilateral = _Bilateral(self, images_nchw, cell)
        rows_hh, columns_ww = (
            _gaussian(length, self.spatial_sxy / cell, unary_nkhw.device) for length in unary_nkhw.shape[-2:]
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

    def __init__(self, crf: FastCrf, images_nchw: Tensor, cell: int) -> None:
        height, width = images_nchw.shape[-2:]
        self.windows = crf.windows(height, width, cell)
        colour_nchw = (images_nchw - 128) / crf.bilateral_srgb
        half_n1hw = colour_nchw.square().sum(dim=1, keepdim=True) / -2
        one_n1hw = torch.ones_like(half_n1hw)
        cells = self.windows.blocks(torch.cat([colour_nchw, half_n1hw, one_n1hw], dim=1))
        points = self.windows.around(torch.cat([colour_nchw, one_n1hw, half_n1hw], dim=1)).transpose(1, 2)
        place = self.windows.squared_distances().to(colour_nchw) * (-((cell / crf.bilateral_sxy) ** 2) / 2)
        self.count = max(1, CHUNK["cuda" if images_nchw.is_cuda else "cpu"] // place.numel())
        self.dtype = fastest(colour_nchw.device) if cell > 1 else torch.float32
        self.kernels = [
            torch.baddbmm(place, of, to).clamp_(SMALLEST, 0).exp_().to(self.dtype)
            for of, to in zip(torch.split(points, self.count), torch.split(cells, self.count), strict=True)
        ]
        self.scale_n1hw = one_n1hw
        self.scale_n1hw = self._sums(one_n1hw).clamp_(min=FLOOR).rsqrt_()

    def __call__(self, belief_nkhw: Tensor) -> Tensor:
        """Each cell's message from its window, (N, K, h, w), less what it would be if nothing were known.

        That is the same for all classes, so it decides nothing; but in few digits small differences would drown in it.
        """
        known_nkhw = belief_nkhw - 1 / belief_nkhw.shape[1]
        return self._sums(known_nkhw * self.scale_n1hw).mul_(self.scale_n1hw)

    def _sums(self, maps_nchw: Tensor) -> Tensor:
        points = torch.split(self.windows.around(maps_nchw.to(self.dtype)), self.count)
        return self.windows.joined(torch.cat([of @ by for of, by in zip(points, self.kernels, strict=True)])).float()


def _gaussian(length: int, sigma: float, device: torch.device) -> Tensor:
    """Gaussian kernel along one side, normalised symmetrically: (length, length)."""
    place = torch.arange(length, dtype=torch.float32, device=device)
    kernel = ((place[:, None] - place[None]).square() / (-2 * sigma**2)).clamp_(min=2 * SMALLEST).exp_()
    scale = kernel.sum(dim=0).rsqrt_()
    return kernel * scale * scale[:, None]


def _reduced(maps_nchw: Tensor, side: int) -> Tensor:
    """Means over cells; those at the border may be cut short."""
    return functional.avg_pool2d(maps_nchw, side, ceil_mode=True)
