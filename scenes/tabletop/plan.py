"""Parameters of the tabletop pack, and the plan of one picture drawn from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scenes.kit.backgrounds import Backgrounds
from scenes.kit.distractors import Distractors
from scenes.kit.footprint import footprint_of
from scenes.kit.lights import KINDS, plan_lights
from scenes.kit.materials import plan_material
from scenes.kit.pack import Pack
from scenes.kit.room import plan_room
from scenes.kit.sampling import Span, Streams, chance, emphasised, pick, seed_of, settle, uniform, whole
from scenes.kit.strip import Strip, strip_of, turned
from scenes.tabletop.bins import Bin, beside
from scenes.tabletop.parts import PARTS, plan_part

GROUNDS = ("wood", "cloth", "stone", "concrete", "paper", "terrazzo", "brushed", "smooth")

MOST = 48
"""Parts on a table or in a bin, however much is emphasised: beyond that they would not fit."""

_SHARES = {"bolt": 1.8, "nut": 1.8, "washer": 1.6, "wrench": 1.0, "spoon": 0.9, "mug": 0.5, "bottle": 0.7, "brick": 1.0}
"""How often each part comes: small ones more often than large ones."""

_REACH = 0.62
"""How far from the middle things fall on a table, in the picture's shorter sides."""

_STANDING, _FLAT = ("mug", "bottle", "brick"), ("nut", "washer", "wrench", "spoon")

_SPANS: dict[str, Span] = {
    "frame_mm": (50, 2000),
    "count": (0, MOST),
    "ground_lightness": (0.003, 1.0),
    "lights": (1, 6),
    "light_elevation_deg": (2.0, 90.0),
    "light_distance": (0.3, 50.0),
    "ambient": (0.001, 10.0),
    "tilt_deg": (0.0, 70.0),
    "roll_deg": (-180.0, 180.0),
    "field_deg": (5.0, 90.0),
}
"""Bounds of every parameter that is a range."""


def _weights(*names: str) -> Any:
    return field(default_factory=lambda: dict.fromkeys(names, 1.0))


@dataclass(frozen=True, kw_only=True)
class Tabletop(Pack):
    """Small parts dropped into bins and on tables.

    Ranges are [low, high]; shares are probabilities from 0 to 1. Meaning of each field: ``conf/scene/tabletop.yaml``.
    """

    classes: ClassVar[tuple[tuple[str, tuple[int, int, int]], ...]] = (
        ("background", (0, 0, 0)),
        ("bolt", (230, 159, 0)),
        ("nut", (86, 180, 233)),
        ("washer", (0, 158, 115)),
        ("wrench", (240, 228, 66)),
        ("spoon", (0, 114, 178)),
        ("mug", (213, 94, 0)),
        ("bottle", (204, 121, 167)),
        ("brick", (187, 187, 187)),
    )

    frame_mm: Span = (180.0, 320.0)
    count: Span = (8, 20)
    parts: Mapping[str, float] = field(default_factory=lambda: dict(_SHARES))
    sorted_share: float = 0.2
    stand_share: float = 0.4
    bin: Bin = field(default_factory=Bin)
    grounds: Mapping[str, float] = _weights(*GROUNDS)
    ground_lightness: Span = (0.02, 0.7)
    distractors: Distractors = field(default_factory=Distractors)
    backgrounds: Backgrounds = field(default_factory=Backgrounds)
    lights: Span = (1, 3)
    light_kinds: Mapping[str, float] = _weights(*KINDS)
    light_elevation_deg: Span = (25.0, 80.0)
    light_distance: Span = (1.5, 8.0)
    light_warmth: float = 0.25
    ambient: Span = (0.15, 0.9)
    tilt_deg: Span = (5.0, 50.0)
    roll_deg: Span = (-12.0, 12.0)
    field_deg: Span = (22.0, 50.0)

    def __post_init__(self) -> None:
        known = {"parts": PARTS, "grounds": GROUNDS, "light_kinds": KINDS}
        settle(self, spans=_SPANS, shares=("sorted_share", "stand_share", "light_warmth"), weights=known)

    def __call__(self, rng: Streams, emphasis: Mapping[str, float], ratio: float = 1.0) -> dict[str, Any]:
        """See `Pack.__call__`. ``emphasis`` multiplies how many of a class there are."""
        frame_m = uniform(rng("frame"), self.frame_mm) / 1000
        container = self.bin.plan(rng, frame_m=frame_m)
        camera = self._camera(rng, frame_m) | ({} if container is None else {"tilt_deg": container["tilt_deg"]})
        strip = strip_of(ratio, camera)
        others = self.distractors.plan(rng, frame_m=frame_m, strip=strip)
        if container is None:
            parts = self._on_table(rng, emphasis, others, frame_m, strip)
        else:
            container |= beside(container, footprint_of(ratio, camera, frame=frame_m), frame_m=frame_m)
            parts = self._in_bins(rng, emphasis, others, container)
        return {
            "pack": "tabletop",
            "seed": seed_of(rng("cycles")),
            "frame": round(frame_m, 6),
            "bin": container,
            "parts": parts,
            "distractors": others,
            "ground": self._ground(rng) | {"size": round(40 * frame_m, 6)},
            "photograph": self.backgrounds.plan(rng),
            "lights": self._lights(rng, frame_m),
            "room": plan_room(rng, level=self.ambient, warmth=self.light_warmth),
            "camera": camera,
            "sensor": self.plan_sensor(rng),
        }

    def _on_table(
        self, rng: Streams, emphasis: Mapping[str, float], others: list[dict[str, Any]], frame_m: float, strip: Strip
    ) -> list[dict[str, Any]]:
        """The parts; they and the others get the poses that they fall from."""
        extra = 1.5 * strip.extra  # things keep away from the floor's ends: these lie outside the picture
        floor = (_REACH + extra) * frame_m, _REACH * frame_m, 0.0
        parts = _fitting(self._parts(rng, emphasis, None, 1 + extra / _REACH), floor, 0.5)
        _let_fall(rng, [*parts, *others], floor, self.stand_share, strip.turn)
        return parts

    def _in_bins(
        self, rng: Streams, emphasis: Mapping[str, float], others: list[dict[str, Any]], container: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """So too, dealt out to the bins; those of a bin beside the first say which, and where above its own floor."""
        number, made = 1 + len(container.get("beside", ())), []
        floor = container["size"][0] / 2, container["size"][1] / 2, container["wall"]
        parts = self._parts(rng, emphasis, container["count"], number)
        for place in range(number):
            mine, with_them = _fitting(parts[place::number], floor, 1.3), others[place::number]
            for thing in [*mine, *with_them] if place else []:
                thing["bin"] = place
            _let_fall(rng, [*mine, *with_them], floor, self.stand_share, 0.0)
            made += mine
        return made

    def _parts(
        self, rng: Streams, emphasis: Mapping[str, float], number: int | None, longer: float
    ) -> list[dict[str, Any]]:
        """As many of each class as its weight says, one class prevailing in sorted pictures; each part by itself."""
        count, mixture = whole(rng("count"), self.count) if number is None else number, rng("mixture")
        is_sorted, main = chance(mixture, self.sorted_share), pick(mixture, self.parts)
        shares = self.parts | ({main: 12 * self.parts[main]} if is_sorted else {})
        total = sum(shares.values())
        wanted = emphasised({name: longer * count * share / total for name, share in shares.items()}, emphasis)
        fit = min(1.0, longer * MOST / max(sum(wanted.values()), 1e-9))
        numbers = {name: int(rng(f"number-{name}").poisson(fit * mean)) for name, mean in wanted.items()}
        named = [(name, index) for name, number in numbers.items() for index in range(number)]
        return [plan_part(name, rng(f"{name}-{index}")) | {"name": f"{name}-{index}"} for name, index in named]

    def _ground(self, rng: Streams) -> dict[str, Any]:
        return plan_material(rng("ground"), kinds=self.grounds, lightness=self.ground_lightness)

    def _lights(self, rng: Streams, frame_m: float) -> list[dict[str, Any]]:
        return plan_lights(
            rng,
            frame_m=frame_m,
            count=self.lights,
            kinds=dict(self.light_kinds),
            elevation_deg=self.light_elevation_deg,
            distance=self.light_distance,
            warmth=self.light_warmth,
        )

    def _camera(self, rng: Streams, frame_m: float) -> dict[str, Any]:
        """From a slant above, upright but for a small roll, as one holds a phone."""
        draw = rng("camera")
        opening = uniform(draw, self.field_deg)
        return {
            "distance": round(frame_m / 2 / math.tan(math.radians(opening) / 2), 6),
            "field_deg": opening,
            "tilt_deg": uniform(draw, self.tilt_deg),
            "azimuth_deg": uniform(draw, (0, 360)),
            "roll_deg": uniform(draw, self.roll_deg),
        }


def _fitting(parts: list[dict[str, Any]], floor: tuple[float, float, float], layers: float) -> list[dict[str, Any]]:
    """Those that find room, in turns of the classes: things cover the floor (half its sides, and its height)
    ``layers`` times at most.
    """
    room, kept = layers * 4 * floor[0] * floor[1], []
    for part in sorted(parts, key=lambda part: int(part["name"].rpartition("-")[2])):
        room -= part["area"]
        if room >= 0:
            kept.append(part)
    return kept


def _let_fall(
    rng: Streams, things: list[dict[str, Any]], floor: tuple[float, float, float], stand: float, turn_floor: float
) -> None:
    """Give each thing the pose it falls from: anywhere above the floor, which is turned by radians, and above those
    that would be in its way.
    """
    placed: list[tuple[float, float, float, float]] = []
    for index, thing in enumerate(things):
        beside_first = f"-in-{thing['bin']}" if "bin" in thing else ""
        draw = rng(f"fall-{thing.get('name', index)}{beside_first}")
        reach = thing.get("reach", thing.get("size", 0.0) * 0.6)
        turn, place = _turn(draw, thing.get("class", ""), stand), draw.uniform(-1, 1, 2).tolist()
        x, y = turned(*(v * max(half - 0.8 * reach, 0.0) for v, half in zip(place, floor[:2], strict=True)), turn_floor)
        under = [z + r for a, b, z, r in placed if math.hypot(x - a, y - b) < reach + r]
        z = max(under, default=floor[2] + 0.002) + reach
        placed.append((x, y, z, reach))
        thing |= {"at": [round(v, 6) for v in (x, y, z)], "fall_turn": turn}


def _turn(draw: np.random.Generator, name: str, stand: float) -> list[float]:
    """How a thing is turned when it is let go: some things upright, flat ones nearly level, others anyhow."""
    upright, level, over = chance(draw, stand), chance(draw, 0.8), chance(draw, 0.5)
    x, y, z = (round(float(v), 4) for v in draw.uniform(0, 2 * math.pi, 3))
    if name in _STANDING and upright:
        return [0.0, 0.0, z]
    if name in _FLAT and level:
        return [round((x - math.pi) / 8 + math.pi * over, 4), round((y - math.pi) / 8, 4), z]
    return [x, y, z]
