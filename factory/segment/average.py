"""The running mean of a model's weights (EMA): steadier than the weights themselves, and a teacher to them."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import nn

from factory.segment.models import Segmenter


class Average(nn.Module):
    """Exponential mean of a segmenter's weights and buffers, always in evaluation mode and without gradient.

    The decay of step t (from 0) is min(``decay``, 1 - 1 / (t + 1)): at first a plain mean, so that the random start is
    soon forgotten. Source: Tarvainen and Valpola, Mean Teacher (2017). torch's own AveragedModel knows no such start.
    """

    def __init__(self, model: Segmenter, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.model = deepcopy(model).eval().requires_grad_(requires_grad=False)

    @torch.no_grad()
    def update(self, model: Segmenter, step: int) -> None:
        """Take in the weights after step ``step``, counted from 0."""
        share = 1 - min(self.decay, 1 - 1 / (step + 1))
        pairs = list(zip(self.model.state_dict().values(), model.state_dict().values(), strict=True))
        for average, current in pairs:
            if not average.is_floating_point():
                average.copy_(current)
        averages, currents = zip(*(pair for pair in pairs if pair[0].is_floating_point()), strict=True)
        torch._foreach_lerp_(averages, currents, share)

    def train(self, mode: bool = True) -> Average:  # noqa: ARG002  # torch's signature
        """It is never trained itself: batch norm keeps its averaged statistics, dropout stays out."""
        return super().train(False)
