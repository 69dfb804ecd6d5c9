"""Small maps brought to the size of a picture, their edges where the picture's are."""

from __future__ import annotations

from kornia.color import rgb_to_grayscale
from torch import Tensor
from torch.nn import functional

EPSILON = 5.0
"""Grey levels by which a neighbourhood must vary to count as an edge, about. Between 3 and 8 no figure changes."""


def guided(maps_nchw: Tensor, images_nchw: Tensor, cells_nchw: Tensor, side: int) -> Tensor:
    """Maps of cells that are ``side`` pixels wide, at full size: (N, C, H, W).

    Each map is a linear function of the luminance in the 3 by 3 cells around every cell, and these functions go over
    into each other: He & Sun, "Fast Guided Filter" (2015), algorithm 2 with a grey guide. ``images_nchw`` (N, 3, H, W)
    are colours of 0 to 255, ``cells_nchw`` (N, 3, h, w) their means over cells. Values may go a little beyond those of
    the maps.
    """
    fine_n1hw, guide_n1hw = rgb_to_grayscale(images_nchw), rgb_to_grayscale(cells_nchw)
    guide_mean, maps_mean = _around(guide_n1hw), _around(maps_nchw)
    variance = _around(guide_n1hw.square()) - guide_mean.square()
    slope = (_around(guide_n1hw * maps_nchw) - guide_mean * maps_mean) / (variance + EPSILON**2)
    slope, offset = _enlarged(_around(slope), side), _enlarged(_around(maps_mean - slope * guide_mean), side)
    height, width = images_nchw.shape[-2:]
    return slope[..., :height, :width].mul_(fine_n1hw).add_(offset[..., :height, :width])


def _around(maps_nchw: Tensor) -> Tensor:
    """Means over 3 by 3 cells; beyond the border the picture goes on as its last cell. Quicker than `avg_pool2d`."""
    padded = functional.pad(maps_nchw, (1, 1, 1, 1), mode="replicate")
    across = padded[..., :-2] + padded[..., 1:-1] + padded[..., 2:]
    return (across[..., :-2, :] + across[..., 1:-1, :] + across[..., 2:, :]).div_(9)


def _enlarged(maps_nchw: Tensor, side: int) -> Tensor:
    whole = [side * length for length in maps_nchw.shape[-2:]]
    return functional.interpolate(maps_nchw, whole, mode="bilinear", align_corners=False)
