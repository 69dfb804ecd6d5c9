"""How much of the given masks the line may see: all of it, or a few simulated clicks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.core.picture import Picture
from factory.core.seeds import generator


@dataclass(frozen=True, kw_only=True)
class Full:
    """Masks are used as they are."""

    def __call__(self, photo: Picture, seed: int) -> Picture:  # noqa: ARG002
        """The photograph, unchanged."""
        return photo


@dataclass(frozen=True, kw_only=True)
class RandomPoints:
    """Masks are forgotten but for ``count`` pixels an image, drawn uniformly among those that are not ignored.

    This is the protocol of point-supervision benchmarks (PixelPick, Shin et al. 2021, first round).
    """

    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ConfigError(
                "supervision.count must be positive", got=self.count, expected="1 or more points an image"
            )

    def __call__(self, photo: Picture, seed: int) -> Picture:
        """The photograph with points instead of its mask; without a mask it stays as it is."""
        if photo.mask is None:
            return photo
        known = np.flatnonzero(photo.mask != IGNORE)
        rng = generator(seed, "points", photo.id)
        chosen = np.sort(rng.permutation(known)[: self.count])
        y, x = np.unravel_index(chosen, photo.mask.shape)
        points = tuple(zip(x.tolist(), y.tolist(), photo.mask[y, x].tolist(), strict=True))
        return replace(photo, mask=None, hints=replace(photo.hints, points=points))
