"""Gated CRF loss: neighbours that look alike should be given the same class."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from factory.segment.evidence import Evidence
from factory.segment.losses.term import Term, check_range
from factory.segment.models import Outputs


@dataclass(frozen=True, kw_only=True)
class GatedCrf(Term):
    """Potts energy of pairs within ``radius`` pixels, weighed by a Gaussian of distance and colour.

    The kernel is exp(-d² / 2 ``xy``² - |c|² / 2 ``rgb``²), d in pixels and c in RGB of [0, 1]; a pair adds its kernel
    times the probability that its two classes differ. All is computed on every ``stride``-th pixel, whose distance then
    is ``stride``. Needs no label; a mirrored margin looks like picture. Source: Obukhov et al., Gated CRF Loss (2019),
    eq. 4-8, gates all open but for a pixel itself.
    """

    weight: float = 0.1
    xy: float = 6.0
    rgb: float = 0.1
    radius: int = 5
    stride: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("xy", self.xy, 0, above=True)
        check_range("rgb", self.rgb, 0, above=True)
        check_range("radius", self.radius, 1, 50)
        check_range("stride", self.stride, 1, 16)

    def __call__(self, outputs: Outputs, evidence: Evidence) -> Tensor:
        """See `Term`."""
        images_nchw = functional.avg_pool2d(evidence.images_nchw, self.stride, ceil_mode=True)
        guess_nkhw = functional.avg_pool2d(outputs.logits_nkhw.softmax(dim=1), self.stride, ceil_mode=True)
        pairs = [self._pair(images_nchw, guess_nkhw, down, across) for down, across in self._offsets()]
        energies, kernels = zip(*pairs, strict=True)
        return torch.stack(energies).sum() / torch.stack(kernels).sum().clamp(min=1)

    def _offsets(self) -> list[tuple[int, int]]:
        """One of each two opposite neighbours: their pairs are the same."""
        reach = max(self.radius // self.stride, 1)
        square = [(down, across) for down in range(reach + 1) for across in range(-reach, reach + 1)]
        return [offset for offset in square if offset > (0, 0)]

    def _pair(self, images_nchw: Tensor, guess_nkhw: Tensor, down: int, across: int) -> tuple[Tensor, Tensor]:
        """(energy, sum of kernels) of all pixels with their neighbour at one offset."""
        colour_nhw = (_cut(images_nchw, down, across) - _cut(images_nchw, -down, -across)).square().sum(dim=1)
        distance = self.stride**2 * (down**2 + across**2)
        kernel_nhw = torch.exp(-distance / (2 * self.xy**2) - colour_nhw / (2 * self.rgb**2))
        same_nhw = (_cut(guess_nkhw, down, across) * _cut(guess_nkhw, -down, -across)).sum(dim=1)
        return (kernel_nhw * (1 - same_nhw)).sum(), kernel_nhw.sum()


def _cut(maps_nchw: Tensor, down: int, across: int) -> Tensor:
    """The pixels that have a neighbour at (-down, -across)."""
    height, width = maps_nchw.shape[-2:]
    return maps_nchw[..., max(down, 0) : height + min(down, 0), max(across, 0) : width + min(across, 0)]
