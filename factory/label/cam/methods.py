"""What each channel of the last features has to say of a class: the activation maps, in closed form.

For a class score that is the mean over the map of one weight a channel (GAP + linear: y_k = 1/Z sum_ij sum_c w_kc A_cij
over the Z cells), the gradient of y_k with respect to A_cij is w_kc / Z in every cell. What the methods below ask of a
backward pass is therefore known beforehand, for all classes at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

EPSILON = 1e-6
"""Keeps Grad-CAM++'s quotient finite; the value that its common implementations use."""


class Method(Protocol):
    """An activation map from features and the weights of the class score."""

    def __call__(self, features_nchw: Tensor, weights_kc: Tensor) -> Tensor:
        """Maps (N, K, h, w), not negative."""


@dataclass(frozen=True, kw_only=True)
class Cam:
    """CAM (Zhou et al. 2016, eq. 2): the positive part of sum_c w_kc A_c; with ``whole``, all of it above its least."""

    whole: bool = False

    def __call__(self, features_nchw: Tensor, weights_kc: Tensor) -> Tensor:
        """See `Method`."""
        maps_nkhw = torch.einsum("nchw,kc->nkhw", features_nchw, weights_kc)
        return maps_nkhw - maps_nkhw.amin(dim=(-2, -1), keepdim=True) if self.whole else maps_nkhw.relu()


@dataclass(frozen=True, kw_only=True)
class GradCam:
    """Grad-CAM (Selvaraju et al. 2017, eqs. 1 and 2): channels weighed by their mean gradient, here w_kc / Z."""

    def __call__(self, features_nchw: Tensor, weights_kc: Tensor) -> Tensor:
        """See `Method`."""
        cells = features_nchw.shape[-2] * features_nchw.shape[-1]
        return Cam()(features_nchw, weights_kc / cells)


@dataclass(frozen=True, kw_only=True)
class GradCamPlusPlus:
    """Grad-CAM++ (Chattopadhay et al. 2018, eqs. 10 and 19): cells of positive gradient, weighed by its curvature.

    With a constant gradient g = w_kc / Z the channel's weight is Z relu(g) g^2 / (2 g^2 + g^3 sum_ij A_cij + EPSILON):
    Z relu(g) / (2 + g sum_ij A_cij) where g^2 is well above EPSILON. On maps of many cells it is below (w_kc = 0.5 and
    1,024 cells: a quarter of it), and the weights tend to relu(w_kc)^3 / (Z^2 EPSILON), as in those implementations.
    """

    def __call__(self, features_nchw: Tensor, weights_kc: Tensor) -> Tensor:
        """See `Method`."""
        cells = features_nchw.shape[-2] * features_nchw.shape[-1]
        slope_nkc = (weights_kc / cells)[None]
        below_nkc = 2 * slope_nkc**2 + slope_nkc**3 * features_nchw.sum(dim=(-2, -1))[:, None]
        alpha_nkc = slope_nkc**2 / (below_nkc + EPSILON)
        return torch.einsum("nchw,nkc->nkhw", features_nchw, cells * alpha_nkc * slope_nkc.relu()).relu()


@dataclass(frozen=True, kw_only=True)
class LayerCam:
    """LayerCAM (Jiang et al. 2021, eqs. 6 and 7): each cell weighed by the positive part of its own gradient."""

    def __call__(self, features_nchw: Tensor, weights_kc: Tensor) -> Tensor:
        """See `Method`."""
        cells = features_nchw.shape[-2] * features_nchw.shape[-1]
        return Cam()(features_nchw, (weights_kc / cells).relu())
