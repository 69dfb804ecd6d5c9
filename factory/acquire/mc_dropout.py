"""Monte-Carlo dropout (Gal & Ghahramani 2016): means over draws, streamed."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from factory.core.errors import ConfigError
from factory.segment.chance import draws
from factory.segment.models import Segmenter


def sampler(model: Segmenter, passes: int) -> Callable[[Tensor], Tensor]:
    """A function from images (N, 3, H, W) to (N, K + 1, H, W): the mean probabilities, then the mean entropy in nats.

    What comes before the first dropout runs once, the rest ``passes`` times; memory does not grow with ``passes``.
    """
    if passes < 1:
        raise ConfigError("select.passes must be positive", got=passes)

    def run(images_nchw: Tensor) -> Tensor:
        draw = draws(model, images_nchw)
        logits_nkhw = draw()
        total_nkhw, doubt_nkhw = torch.zeros_like(logits_nkhw), torch.zeros_like(logits_nkhw)
        logs_nkhw, found_nkhw = torch.empty_like(logits_nkhw), torch.empty_like(logits_nkhw)
        for number in range(passes):
            torch.log_softmax(draw() if number else logits_nkhw, dim=1, out=logs_nkhw)
            total_nkhw += torch.exp(logs_nkhw, out=found_nkhw)
            doubt_nkhw.addcmul_(logs_nkhw, found_nkhw, value=-1)
        return torch.cat([total_nkhw, doubt_nkhw.sum(dim=1, keepdim=True)], dim=1) / passes

    return run
