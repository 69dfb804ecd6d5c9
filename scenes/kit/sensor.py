"""What a camera does to the light: components that each draw from a stream of their own and can be switched off.

`scenes.kit.photograph` applies what is planned here, in numpy after the render, so that masks are never touched.
A component that is switched off is left out of the plan and leaves the others' draws as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from scenes.kit.sampling import Span, Streams, chance, seed_of, settle, uniform


@dataclass(frozen=True, kw_only=True)
class Component:
    """Something that a picture may do without: ``enabled`` false removes it and nothing else."""

    enabled: bool = True

    spans: ClassVar[dict[str, Span]] = {}
    """Bounds of every field that is a range."""

    shares: ClassVar[tuple[str, ...]] = ()
    """Fields that are shares from 0 to 1."""

    def __post_init__(self) -> None:
        settle(self, spans=self.spans, shares=self.shares)


@dataclass(frozen=True, kw_only=True)
class Exposure(Component):
    """The brightness that 95 % of the pixels stay below, of full brightness; switched off, it is 0.8."""

    highlight: Span = (0.55, 0.98)
    spans: ClassVar = {"highlight": (0.1, 2.0)}

    def plan(self, rng: np.random.Generator) -> dict[str, Any]:
        """Draw one exposure."""
        return {"highlight": uniform(rng, self.highlight)}


@dataclass(frozen=True, kw_only=True)
class Tone(Component):
    """Brightness of black, gamma of the tone curve, and the halo that sharpening leaves."""

    black: Span = (0.0, 0.06)
    gamma: Span = (1.9, 2.5)
    halo: Span = (0.0, 0.4)
    spans: ClassVar = {"black": (0.0, 0.4), "gamma": (1.0, 3.5), "halo": (0.0, 2.0)}

    def plan(self, rng: np.random.Generator) -> dict[str, Any]:
        """Draw one tone curve."""
        return {name: uniform(rng, getattr(self, name)) for name in self.spans}


@dataclass(frozen=True, kw_only=True)
class Blur(Component):
    """Unsharpness: standard deviation in thousandths of the shorter side."""

    sigma: Span = (0.0, 3.0)
    spans: ClassVar = {"sigma": (0.0, 20.0)}

    def plan(self, rng: np.random.Generator) -> dict[str, Any]:
        """Draw one blur."""
        return {"sigma": uniform(rng, self.sigma)}


@dataclass(frozen=True, kw_only=True)
class Aberration(Component):
    """Lateral chromatic aberration: how much larger red is shown than blue, in thousandths."""

    strength: Span = (0.0, 3.0)
    spans: ClassVar = {"strength": (0.0, 20.0)}

    def plan(self, rng: np.random.Generator) -> dict[str, Any]:
        """Draw one aberration."""
        return {"strength": uniform(rng, self.strength)}


@dataclass(frozen=True, kw_only=True)
class Vignette(Component):
    """Loss of light in the corners, as a share."""

    strength: Span = (0.0, 0.4)
    spans: ClassVar = {"strength": (0.0, 1.0)}

    def plan(self, rng: np.random.Generator) -> dict[str, Any]:
        """Draw one vignette."""
        return {"strength": uniform(rng, self.strength)}


@dataclass(frozen=True, kw_only=True)
class Film(Component):
    """Share of greyscale pictures, and the largest colour cast of a channel."""

    grey_share: float = 0.0
    cast: float = 0.05
    shares: ClassVar = ("grey_share", "cast")

    def plan(self, rng: np.random.Generator) -> dict[str, Any]:
        """Draw one film."""
        grey = chance(rng, self.grey_share)
        return {"grey": grey, "cast": [round(float(1 + self.cast * v), 4) for v in rng.uniform(-1, 1, 3)]}


@dataclass(frozen=True, kw_only=True)
class Noise(Component):
    """Grain: standard deviation as a share of full brightness, and the width of one grain in pixels."""

    level: Span = (0.0, 0.03)
    grain: Span = (0.0, 1.2)
    spans: ClassVar = {"level": (0.0, 0.3), "grain": (0.0, 5.0)}

    def plan(self, rng: np.random.Generator) -> dict[str, Any]:
        """Draw one noise."""
        return {"level": uniform(rng, self.level), "grain": uniform(rng, self.grain), "seed": seed_of(rng)}


@dataclass(frozen=True, kw_only=True)
class Jpeg(Component):
    """Traces of JPEG compression in a share of the pictures: its quality, from 1 to 100."""

    share: float = 0.5
    quality: Span = (60.0, 95.0)
    spans: ClassVar = {"quality": (1.0, 100.0)}
    shares: ClassVar = ("share",)

    def plan(self, rng: np.random.Generator) -> dict[str, Any]:
        """Draw one quality, null for none."""
        used, quality = chance(rng, self.share), round(uniform(rng, self.quality))
        return {"quality": quality if used else None}


@dataclass(frozen=True, kw_only=True)
class Photographed:
    """What every pack's pictures go through on their way from light to file. Packs inherit these fields."""

    exposure: Exposure = Exposure()
    tone: Tone = Tone()
    blur: Blur = Blur()
    aberration: Aberration = Aberration()
    vignette: Vignette = Vignette()
    film: Film = Film()
    noise: Noise = Noise()
    jpeg: Jpeg = Jpeg()

    def plan_sensor(self, streams: Streams) -> dict[str, Any]:
        """Draw every component that is switched on, each from the stream of its name."""
        parts = {name: getattr(self, name) for name in SENSOR}
        return {name: part.plan(streams(f"sensor-{name}")) for name, part in parts.items() if part.enabled}


SENSOR = ("exposure", "aberration", "blur", "vignette", "tone", "film", "noise", "jpeg")
"""The components in the order in which light meets them."""
