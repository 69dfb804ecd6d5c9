"""Semi-supervision: a running mean of the model labels the pixels nobody has labelled, and the model learns from it.

The shared base of learning from unlabelled photographs, of a data set of their own or between the clicks of a labelled
one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.core.sample import Origin
from factory.segment.average import Average
from factory.segment.data import CLASS, CONFIDENCE, SOURCE
from factory.segment.losses.term import Total

TEACHER = 255
"""What stands for the teacher where a label's source is expected."""


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """Labels open pixels of moved but otherwise untouched pictures; the student sees them changed and mixed.

    Its part of the loss is ``weight`` times ``loss`` over the pixels it labelled, times the share of them of which it
    is at least ``threshold`` sure (Tranheden et al., DACS, 2021, section 3.3). It begins after ``after`` steps, when it
    has learnt something, and rises to its full weight over as many again. ``decay`` is that of the running mean.
    """

    loss: Total
    weight: float = 1.0
    decay: float = 0.99
    threshold: float = 0.9
    after: int = 100

    def __post_init__(self) -> None:
        if self.weight <= 0:
            raise ConfigError("teacher.weight must be positive", got=self.weight, todo="teacher=null for none")
        if self.after < 0:
            raise ConfigError("teacher.after must not be negative", got=self.after)
        if not 0 < self.decay < 1:
            raise ConfigError("teacher.decay lies between 0 and 1", got=self.decay)
        if not 0 <= self.threshold <= 1:
            raise ConfigError("teacher.threshold is a probability", got=self.threshold, expected="0 to 1")

    def share(self, step: int) -> float:
        """What the weight is multiplied by at a step, counted from 0."""
        return min(1.0, max(0.0, (step - self.after) / max(self.after, 1)))

    @torch.no_grad()
    def complete(self, average: Average, images_nchw: Tensor, labels_nchw: Tensor) -> Tensor:
        """The labels with class, confidence and source of the teacher wherever nobody labelled a pixel."""
        sure_nhw, ids_nhw = average.model(images_nchw).float().softmax(dim=1).max(dim=1)
        open_nhw = (labels_nchw[:, CLASS] == IGNORE) & (labels_nchw[:, SOURCE] == Origin.NONE)
        said = {CLASS: ids_nhw, CONFIDENCE: (255 * sure_nhw).round(), SOURCE: torch.full_like(ids_nhw, TEACHER)}
        completed_nchw = labels_nchw.clone()
        for channel, value_nhw in said.items():
            completed_nchw[:, channel] = torch.where(open_nhw, value_nhw.to(labels_nchw.dtype), labels_nchw[:, channel])
        return completed_nchw

    def surety(self, labels_nchw: Tensor) -> Tensor:
        """The mean weight of the pixels it labelled, a scalar: what the mean of a loss over them is multiplied by.

        A loss is divided by the weights of its pixels, so that these alone say nothing of its size.
        """
        mine_nhw = labels_nchw[:, SOURCE] == TEACHER
        return self.weigh(labels_nchw).sum() / mine_nhw.sum().clamp(min=1)

    def weigh(self, labels_nchw: Tensor) -> Tensor:
        """Weights (N, H, W) of the pixels it labelled: alike within a picture, by the share it is sure of there."""
        mine_nhw = labels_nchw[:, SOURCE] == TEACHER
        sure_nhw = mine_nhw & (labels_nchw[:, CONFIDENCE].float() >= 255 * self.threshold)
        count_n = mine_nhw.sum((1, 2)).clamp(min=1)
        return mine_nhw * (sure_nhw.sum((1, 2)) / count_n).view(-1, 1, 1)
