"""Monte-Carlo dropout (Gal & Ghahramani 2016), with what is deterministic computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from factory.core.errors import ConfigError


class Split(Protocol):
    """A segmenter whose dropout layers all come after `encode`."""

    def encode(self, images_nchw: Tensor) -> list[Tensor]:
        """Features; deterministic in evaluation mode."""

    def decode(self, features: Sequence[Tensor], size_hw: tuple[int, int]) -> Tensor:
        """Logits (N, K, H, W)."""

    def modules(self) -> Iterator[nn.Module]:
        """As `torch.nn.Module.modules`."""


def sampler(model: Split, passes: int) -> Callable[[Tensor], Tensor]:
    """A function from images (N, 3, H, W) to (N, K + 1, H, W): the mean probabilities, then the mean entropy in nats.

    The encoder runs once, the decoder ``passes`` times; sums are streamed, so memory does not grow with ``passes``.
    """
    if passes < 1:
        raise ConfigError("select.passes must be positive", got=passes)

    def run(images_nchw: Tensor) -> Tensor:
        height, width = images_nchw.shape[-2:]
        features = model.encode(images_nchw)
        total_nchw: Tensor | None = None
        with _dropping(model):
            for _ in range(passes):
                logs_nkhw = model.decode(features, (height, width)).log_softmax(dim=1)
                probability_nkhw = logs_nkhw.exp()
                entropy_n1hw = -(probability_nkhw * logs_nkhw).sum(dim=1, keepdim=True)
                drawn_nchw = torch.cat([probability_nkhw, entropy_n1hw], dim=1)
                total_nchw = drawn_nchw if total_nchw is None else total_nchw.add_(drawn_nchw)
        assert total_nchw is not None
        return total_nchw / passes

    return run


@contextmanager
def _dropping(model: Split) -> Iterator[None]:
    layers = [layer for layer in model.modules() if isinstance(layer, _DropoutNd)]
    before = [layer.training for layer in layers]
    for layer in layers:
        layer.train()
    try:
        yield
    finally:
        for layer, training in zip(layers, before, strict=True):
            layer.train(training)
