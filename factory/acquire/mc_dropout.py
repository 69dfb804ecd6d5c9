"""Monte-Carlo dropout (Gal & Ghahramani 2016): a model is asked again and again, other units dropped each time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from torch import Tensor

from factory.acquire.moments import Tally
from factory.core.errors import ConfigError
from factory.segment.chance import draws
from factory.segment.predict import Predictor, TileFunction


@dataclass(frozen=True, kw_only=True)
class McDropout:
    """``passes`` draws; what comes before the first dropout runs once."""

    passes: int

    def __post_init__(self) -> None:
        if self.passes < 1:
            raise ConfigError("committee.passes must be positive", got=self.passes)

    def __call__(self, predictor: Predictor, extras: Collection[str]) -> TileFunction:
        """See `factory.acquire.committee.Committee`; draws come from torch's global stream."""
        model = predictor.model

        def asked(images_nchw: Tensor) -> Tensor:
            height, width = images_nchw.shape[-2:]
            draw, tally = draws(model, images_nchw), Tally(extras)
            for _ in range(self.passes):
                tally.add_exponents(draw())
            return tally.channels()[..., :height, :width]

        return asked
