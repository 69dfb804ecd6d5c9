"""Parameters of the coins pack, and the plan of one picture drawn from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from scenes.coins import layout, looks
from scenes.kit.cameras import plan_camera
from scenes.kit.lights import KINDS, plan_ambient, plan_lights
from scenes.kit.sampling import (
    Span,
    Streams,
    chance,
    checked_share,
    checked_span,
    checked_weights,
    seed_of,
    uniform,
)
from scenes.kit.sensor import plan_sensor

_SPANS: dict[str, tuple[float, float]] = {
    "frame_mm": (5, 1000),
    "diameter": (0.02, 1.0),
    "count": (1, 60),
    "spacing": (1.0, 4.0),
    "relief": (0.0, 0.5),
    "irregularity": (0.0, 0.3),
    "wear": (0.0, 1.0),
    "ground_lightness": (0.003, 1.0),
    "unevenness": (0.0, 1.0),
    "clutter": (0, 40),
    "lights": (1, 6),
    "light_elevation_deg": (2.0, 90.0),
    "light_distance": (0.3, 50.0),
    "ambient": (0.001, 10.0),
    "tilt_deg": (0.0, 60.0),
    "field_deg": (5.0, 90.0),
    "highlight": (0.2, 1.2),
    "black": (0.0, 0.4),
    "gamma": (1.0, 3.5),
    "blur": (0.0, 20.0),
    "halo": (0.0, 2.0),
    "vignette": (0.0, 1.0),
    "noise": (0.0, 0.3),
}
"""Bounds of every parameter that is a range."""

_SHARES = (
    "size_spread",
    "rows_share",
    "missing_share",
    "overlap_share",
    "cast_share",
    "lift_share",
    "light_warmth",
    "grey_share",
    "cast",
)


def _weights(*names: str) -> Any:
    return field(default_factory=lambda: dict.fromkeys(names, 1.0))


@dataclass(frozen=True, kw_only=True)
class Coins:
    """Worn coins on a table. Called with the random streams of one picture, returns its plan (JSON-able).

    Ranges are [low, high]; shares are probabilities from 0 to 1; lengths are in shares of the frame's shorter side
    unless a name says millimetres (``_mm``). Meaning of each field: ``conf/scene/coins.yaml``.
    """

    classes: ClassVar[tuple[tuple[str, tuple[int, int, int]], ...]] = (
        ("background", (0, 0, 0)),
        ("coin", (230, 159, 0)),
    )

    frame_mm: Span = (45.0, 75.0)
    diameter: Span = (0.26, 0.5)
    size_spread: float = 0.18
    reach: float = 0.75
    count: Span = (5, 18)
    rows_share: float = 0.5
    spacing: Span = (1.05, 1.5)
    missing_share: float = 0.1
    overlap_share: float = 0.15
    metals: Mapping[str, float] = _weights(*looks.METALS)
    cast_share: float = 0.45
    relief: Span = (0.08, 0.42)
    irregularity: Span = (0.005, 0.07)
    wear: Span = (0.0, 0.9)
    grounds: Mapping[str, float] = _weights(*looks.GROUNDS)
    ground_lightness: Span = (0.015, 0.7)
    unevenness: Span = (0.0, 0.8)
    lift_share: float = 0.35
    clutter: Span = (0, 4)
    lights: Span = (1, 3)
    light_kinds: Mapping[str, float] = _weights(*KINDS)
    light_elevation_deg: Span = (12.0, 75.0)
    light_distance: Span = (0.9, 8.0)
    light_warmth: float = 0.3
    ambient: Span = (0.03, 1.0)
    tilt_deg: Span = (0.0, 22.0)
    field_deg: Span = (14.0, 50.0)
    highlight: Span = (0.55, 0.98)
    black: Span = (0.0, 0.12)
    gamma: Span = (1.7, 2.6)
    blur: Span = (0.0, 6.5)
    halo: Span = (0.0, 0.8)
    vignette: Span = (0.0, 0.45)
    noise: Span = (0.0, 0.03)
    grey_share: float = 0.6
    cast: float = 0.08

    def __post_init__(self) -> None:
        for name, bounds in _SPANS.items():
            object.__setattr__(self, name, checked_span(name, getattr(self, name), *bounds))
        for name in _SHARES:
            object.__setattr__(self, name, checked_share(name, getattr(self, name)))
        object.__setattr__(self, "reach", checked_span("reach", (self.reach, self.reach), 0.1, 5.0)[0])
        for name, known in (("metals", tuple(looks.METALS)), ("grounds", looks.GROUNDS), ("light_kinds", KINDS)):
            object.__setattr__(self, name, checked_weights(name, getattr(self, name), known))

    def __call__(self, rng: Streams) -> dict[str, Any]:
        """One picture. Each component draws from its own stream, so that none can shift another."""
        frame_m = uniform(rng("frame"), self.frame_mm) / 1000
        coins, clutter = self._coins(rng, frame_m), looks.clutter(rng("clutter"), count=self.clutter, frame_m=frame_m)
        return {
            "pack": "coins",
            "seed": seed_of(rng("cycles")),
            "coins": coins,
            "ground": self._ground(rng) | {"size": round(40 * frame_m, 6), "frame": frame_m},
            "lift": self._lift(rng, frame_m),
            "clutter": [piece for piece in clutter if layout.is_clear(piece, coins)],
            "lights": plan_lights(
                rng,
                frame_m=frame_m,
                count=self.lights,
                kinds=dict(self.light_kinds),
                elevation_deg=self.light_elevation_deg,
                distance=self.light_distance,
                warmth=self.light_warmth,
            ),
            "ambient": plan_ambient(rng, level=self.ambient, warmth=self.light_warmth),
            "camera": plan_camera(rng, frame_m=frame_m, tilt_deg=self.tilt_deg, field_deg=self.field_deg),
            "sensor": self._sensor(rng),
        }

    def _spots(self, rng: Streams) -> list[layout.Spot]:
        draw = rng("layout")
        size: dict[str, Any] = {"diameter": self.diameter, "spread": self.size_spread, "spacing": self.spacing}
        size["reach"] = self.reach
        if chance(draw, self.rows_share):
            return layout.rows(draw, missing=self.missing_share, **size)
        overlap = chance(draw, self.overlap_share)
        return layout.scatter(draw, count=self.count, overlap=overlap, **size)

    def _coins(self, rng: Streams, frame_m: float) -> list[dict[str, Any]]:
        spots, metals = self._spots(rng), dict(self.metals)
        common = looks.hoard(rng("hoard"), metals=metals, cast_share=self.cast_share)
        ranges = {"relief": self.relief, "irregularity": self.irregularity, "wear": self.wear}
        coins = [
            looks.coin(rng(f"coin-{index}"), common=common, metals=metals, **ranges) for index in range(len(spots))
        ]
        heights = layout.stacked(spots, [c["thickness"] * spot[2] for c, spot in zip(coins, spots, strict=True)])
        for coin, (x, y, radius), height in zip(coins, spots, heights, strict=True):
            place = {"x": x, "y": y, "z": height, "radius": radius}
            coin.update({key: round(value * frame_m, 6) for key, value in place.items()})
        return coins

    def _ground(self, rng: Streams) -> dict[str, Any]:
        return looks.ground(
            rng("ground"), kinds=dict(self.grounds), lightness=self.ground_lightness, unevenness=self.unevenness
        )

    def _lift(self, rng: Streams, frame_m: float) -> float:
        """Metres of air below the coins: some lie on a glass plate, far above their shadows."""
        draw = rng("lift")
        lifted, height = chance(draw, self.lift_share), uniform(draw, (0.3, 3.0))
        return round(height * frame_m, 6) if lifted else 0.0

    def _sensor(self, rng: Streams) -> dict[str, Any]:
        names = ("highlight", "black", "gamma", "blur", "halo", "vignette", "noise", "grey_share", "cast")
        return plan_sensor(rng, **{name: getattr(self, name) for name in names})
