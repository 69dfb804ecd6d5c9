"""Parameters of the coins pack, and the plan of one picture drawn from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from scenes.coins import layout, looks
from scenes.kit.backgrounds import Backgrounds
from scenes.kit.cameras import plan_camera
from scenes.kit.distractors import Distractors
from scenes.kit.lights import KINDS, plan_ambient, plan_lights
from scenes.kit.pack import Pack
from scenes.kit.sampling import Span, Streams, chance, checked_span, seed_of, settle, uniform
from scenes.kit.strip import Strip, strip_of

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
    "lights": (1, 6),
    "light_elevation_deg": (2.0, 90.0),
    "light_distance": (0.3, 50.0),
    "ambient": (0.001, 10.0),
    "tilt_deg": (0.0, 60.0),
    "field_deg": (5.0, 90.0),
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
)


def _weights(*names: str) -> Any:
    return field(default_factory=lambda: dict.fromkeys(names, 1.0))


@dataclass(frozen=True, kw_only=True)
class Coins(Pack):
    """Worn coins on a table.

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
    distractors: Distractors = field(default_factory=Distractors)
    backgrounds: Backgrounds = field(default_factory=Backgrounds)
    lights: Span = (1, 3)
    light_kinds: Mapping[str, float] = _weights(*KINDS)
    light_elevation_deg: Span = (12.0, 75.0)
    light_distance: Span = (0.9, 8.0)
    light_warmth: float = 0.3
    ambient: Span = (0.03, 1.0)
    tilt_deg: Span = (0.0, 22.0)
    field_deg: Span = (14.0, 50.0)

    def __post_init__(self) -> None:
        known = {"metals": tuple(looks.METALS), "grounds": looks.GROUNDS, "light_kinds": KINDS}
        settle(self, spans=_SPANS, shares=_SHARES, weights=known)
        object.__setattr__(self, "reach", checked_span("reach", (self.reach, self.reach), 0.1, 5.0)[0])

    def __call__(self, rng: Streams, emphasis: Mapping[str, float], ratio: float = 1.0) -> dict[str, Any]:
        """See `Pack.__call__`. Coins are in every picture; ``emphasis`` on them scatters more."""
        frame_m = uniform(rng("frame"), self.frame_mm) / 1000
        camera = plan_camera(rng, frame_m=frame_m, tilt_deg=self.tilt_deg, field_deg=self.field_deg)
        strip = strip_of(ratio, camera)
        coins = self._coins(rng, frame_m, emphasis.get("coin", 1.0), strip)
        others = self.distractors.plan(rng, frame_m=frame_m, strip=strip)
        return {
            "pack": "coins",
            "seed": seed_of(rng("cycles")),
            "coins": coins,
            "ground": self._ground(rng) | {"size": round(40 * frame_m, 6), "frame": frame_m},
            "photograph": self.backgrounds.plan(rng),
            "lift": self._lift(rng, frame_m),
            "distractors": [thing for thing in others if layout.is_clear(thing, coins)],
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
            "camera": camera,
            "sensor": self.plan_sensor(rng),
        }

    def _spots(self, rng: Streams, more: float, strip: Strip) -> list[layout.Spot]:
        draw = rng("layout")
        room = layout.Room(
            diameter=self.diameter, spread=self.size_spread, spacing=self.spacing, reach=self.reach, strip=strip
        )
        if chance(draw, self.rows_share):
            return layout.rows(draw, room, missing=self.missing_share)
        overlap = chance(draw, self.overlap_share)
        count = tuple(min(number * more, _SPANS["count"][1]) * strip.longer(self.reach) for number in self.count)
        return layout.scatter(draw, room, count=count, overlap=overlap)

    def _coins(self, rng: Streams, frame_m: float, more: float, strip: Strip) -> list[dict[str, Any]]:
        spots, metals = self._spots(rng, more, strip), dict(self.metals)
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
