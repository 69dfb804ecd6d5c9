"""Who is on foot or on a bicycle, what they look like and where they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scenes.kit import meshes
from scenes.kit.sampling import Span, Streams, chance, pick, settle, tint, uniform, whole
from scenes.kit.sensor import Component
from scenes.street import figures
from scenes.street.classes import BICYCLIST, PEDESTRIAN
from scenes.street.paint import Paint
from scenes.street.path import Path
from scenes.street.placing import distance, multiplied, stand, within
from scenes.street.road import KERB, SIDES, is_open

_SKINS = ((0.55, 0.36, 0.27), (0.48, 0.30, 0.21), (0.30, 0.17, 0.10), (0.12, 0.06, 0.04))
_HAIRS = ((0.02, 0.015, 0.01), (0.08, 0.04, 0.02), (0.22, 0.14, 0.06), (0.35, 0.34, 0.33))
_HELMETS = ((0.6, 0.6, 0.6), (0.02, 0.02, 0.02), (0.5, 0.03, 0.03), (0.03, 0.1, 0.4))


@dataclass(frozen=True, kw_only=True)
class Pedestrians(Component):
    """``groups`` of people, on the pavements or (``crossing_share``) on the road; poses by weight."""

    groups: Span = (0, 6)
    group: Span = (1, 3)
    poses: Mapping[str, float] = field(
        default_factory=lambda: {"standing": 0.6, "walking": 1.5, "pushing": 0.2, "carrying": 0.3}
    )
    crossing_share: float = 0.12
    near_m: float = 6.0
    far_m: float = 60.0
    spans: ClassVar = {"groups": (0, 60), "group": (1, 8)}

    def __post_init__(self) -> None:
        settle(self, spans=self.spans, shares=("crossing_share",), weights={"poses": figures.POSES})
        within(self, "near_m", 3.0, 100.0)
        within(self, "far_m", self.near_m, 170.0)

    def plan(self, streams: Streams, road: dict[str, Any], emphasis: float) -> list[dict[str, Any]]:
        """Draw everybody on foot."""
        if not self.enabled:
            return []
        number = multiplied(streams("pedestrians"), self.groups, emphasis)
        return [one for index in range(number) for one in self._group(streams, index, road, emphasis)]

    def _group(self, streams: Streams, index: int, road: dict[str, Any], emphasis: float) -> list[dict[str, Any]]:
        rng = streams(f"pedestrians-{index}")
        people = whole(rng, self.group) if chance(rng, 0.5) else 1
        s, name = distance(rng, self.near_m, self.far_m, emphasis), pick(rng, dict.fromkeys(SIDES, 1.0))
        side, crossing = road[name], chance(rng, self.crossing_share)
        ahead, place = chance(rng, 0.5), rng.uniform(0.25, 0.85)
        if crossing:
            t, turn = rng.uniform(-road["left"]["kerb"], road["right"]["kerb"]), math.pi / 2 * (1 if ahead else -1)
            s = max(s, 9.0)
        else:
            t = SIDES[name] * (side["kerb"] + side["verge"] + place * side["pavement"])
            turn = 0.0 if ahead else math.pi
        common = {"s": s, "t": float(t), "turn": turn, "z": 0.0 if crossing or is_open(side, s) else KERB}
        return [self._one(streams(f"pedestrian-{index}-{member}"), member, common) for member in range(people)]

    def _one(self, rng: np.random.Generator, member: int, common: dict[str, Any]) -> dict[str, Any]:
        pose = pick(rng, self.poses)
        sway = 0.15 if pose != "standing" else 1.2
        across = 0.55 * member * (1 if common["t"] < 0 else -1) * 0.6
        return wardrobe(rng, helmets=0.0) | {
            "pose": pose,
            "s": round(common["s"] + float(rng.uniform(-0.3, 0.3)) + 0.35 * member, 4),
            "t": round(common["t"] + across, 4),
            "z": common["z"],
            "turn": round(common["turn"] + float(rng.normal(0, sway)), 4),
            "height": uniform(rng, (1.55, 1.9)) if chance(rng, 0.9) else uniform(rng, (1.0, 1.45)),
            "stride": uniform(rng, (0.25, 0.6)),
        }


@dataclass(frozen=True, kw_only=True)
class Bicyclists(Component):
    """Riders near the kerbs and in the lanes; ``parked`` bicycles without riders are left out: they are none."""

    count: Span = (0, 2)
    near_m: float = 7.0
    far_m: float = 50.0
    spans: ClassVar = {"count": (0, 30)}

    def __post_init__(self) -> None:
        super().__post_init__()
        within(self, "near_m", 3.0, 100.0)
        within(self, "far_m", self.near_m, 170.0)

    def plan(self, streams: Streams, road: dict[str, Any], emphasis: float) -> list[dict[str, Any]]:
        """Draw everybody who rides."""
        number = multiplied(streams("bicyclists"), self.count, emphasis) if self.enabled else 0
        return [self._one(streams(f"bicyclist-{index}"), road, emphasis) for index in range(number)]

    def _one(self, rng: np.random.Generator, road: dict[str, Any], emphasis: float) -> dict[str, Any]:
        oncoming, s = chance(rng, 0.35), distance(rng, self.near_m, self.far_m, emphasis)
        side = road["right" if oncoming else "left"]
        away = side["kerb"] - (side["parking"] or 0.0) - uniform(rng, (0.5, 1.3))
        return wardrobe(rng, helmets=0.4) | {
            "s": round(s, 4),
            "t": round(away if oncoming else -away, 4),
            "turn": round(math.pi * oncoming + float(rng.normal(0, 0.08)), 4),
            "pedal": uniform(rng, (0.0, 2 * math.pi)),
            "lean": uniform(rng, (0.2, 0.75)),
            "frame": tint(rng, (0.02, 0.6), (0.0, 0.9)),
        }


def wardrobe(rng: np.random.Generator, *, helmets: float) -> dict[str, Any]:
    """Clothes and looks of somebody; ``helmets`` is the share of those who wear one."""
    hi_vis, helmet = chance(rng, 0.08), chance(rng, helmets)
    top, legs = tint(rng, (0.01, 0.45), (0.0, 0.75)), tint(rng, (0.01, 0.12), (0.0, 0.5))
    skin, hair = (np.array(hues[int(rng.integers(4))]) for hues in (_SKINS, _HAIRS))
    return {
        "clothes": pick(rng, {"jacket": 1.0, "coat": 0.6, "skirt": 0.3, "dress": 0.15}),
        "bag": pick(rng, {"none": 1.0, "rucksack": 0.4, "handbag": 0.4, "shopping": 0.25}),
        "hair": pick(rng, {"short": 1.0, "long": 0.7, "hat": 0.3}),
        "top_colour": [0.55, 0.75, 0.04] if hi_vis else top,
        "legs_colour": legs,
        "skin_colour": [round(float(c), 4) for c in skin * rng.uniform(0.8, 1.15)],
        "hair_colour": list(_HELMETS[int(rng.integers(4))]) if helmet else [float(c) for c in hair],
        "bag_colour": tint(rng, (0.02, 0.6), (0.0, 0.8)),
    }


def place_pedestrians(plans: list[dict[str, Any]], path: Path, paint: Paint) -> None:
    """Put everybody on foot into the scene."""
    for plan in plans:
        stand(meshes.add("pedestrian", figures.person(plan, paint), smooth=True), plan, path, PEDESTRIAN, z=plan["z"])


def place_bicyclists(plans: list[dict[str, Any]], path: Path, paint: Paint) -> None:
    """Put everybody who rides into the scene."""
    for plan in plans:
        stand(meshes.add("bicyclist", figures.cyclist(plan, paint), smooth=True), plan, path, BICYCLIST, z=0.0)
