"""Adapters one after another, each with the same reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adapt import Adapter, Image8
from factory.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Applies ``links`` in order."""

    links: Sequence[Adapter]

    def __post_init__(self) -> None:
        if not self.links:
            raise ConfigError("adapter.links is empty", expected="one adapter or more")

    def __call__(self, image_hwc: Image8, reference_hwc: Image8, rng: np.random.Generator) -> Image8:
        """See `adapt.Adapter`."""
        for link in self.links:
            image_hwc = link(image_hwc, reference_hwc, rng)
        return image_hwc
