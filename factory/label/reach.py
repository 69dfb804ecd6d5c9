"""How far what was named reaches: evidence that falls with distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from factory.core.errors import ConfigError
from factory.label.superpixel_graph import Floats


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How far a class's evidence reaches: evidence falls with log(distance + ``softness``), times ``weight``."""

    RANGES: ClassVar[dict[str, str]] = {"weight": "float:0:3", "softness": "log:0.01:1"}

    weight: float
    softness: float

    def __post_init__(self) -> None:
        if self.weight < 0 or self.softness <= 0:
            got = f"weight {self.weight}, softness {self.softness}"
            raise ConfigError("a reach has a weight of 0 or more and a softness above 0", got=got)

    def __call__(self, distance: Floats) -> Floats:
        """The evidence at some distances, of their shape."""
        return -self.weight * np.log(distance + self.softness)
