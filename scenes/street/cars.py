"""Vehicles on the road: which, and where they drive and park."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scenes.kit import meshes
from scenes.kit.sampling import Span, Streams, chance, pick, settle, tint, uniform
from scenes.kit.sensor import Component
from scenes.street import vehicles
from scenes.street.classes import CAR
from scenes.street.paint import Paint
from scenes.street.path import Path
from scenes.street.placing import distance, multiplied, stand, within
from scenes.street.road import KERB, SIDES, back, is_open

_COMMON = ((0.62, 0.63, 0.64), (0.40, 0.41, 0.42), (0.02, 0.02, 0.022), (0.72, 0.72, 0.70), (0.10, 0.11, 0.12))
_BRIGHT = ((0.32, 0.02, 0.02), (0.02, 0.05, 0.22), (0.01, 0.09, 0.05), (0.20, 0.28, 0.36), (0.45, 0.36, 0.20))
_BUSES = ((0.45, 0.02, 0.02), (0.02, 0.10, 0.35), (0.65, 0.63, 0.55), (0.10, 0.30, 0.12))


BODIES = {"hatchback": 1.0, "saloon": 0.8, "estate": 0.7, "jeep": 0.3, "van": 0.25}
BODIES |= {"lorry": 0.07, "bus": 0.06, "double_decker": 0.04}
"""How often each body comes, relative to the others."""


@dataclass(frozen=True, kw_only=True)
class Cars(Component):
    """Moving cars in ``moving`` numbers on both sides together; ``parked`` is the share of parking places taken."""

    bodies: Mapping[str, float] = field(default_factory=lambda: dict(BODIES))
    moving: Span = (0, 7)
    parked: Span = (0.2, 1.0)
    forecourt: Span = (0, 8)
    near_m: float = 7.5
    far_m: float = 90.0
    lamps_share: float = 0.3
    spans: ClassVar = {"moving": (0, 40), "parked": (0.0, 1.0), "forecourt": (0, 40)}

    def __post_init__(self) -> None:
        settle(self, spans=self.spans, shares=("lamps_share",), weights={"bodies": vehicles.BODIES})
        within(self, "near_m", 4.0, 100.0)
        within(self, "far_m", self.near_m, 170.0)

    def plan(self, streams: Streams, road: dict[str, Any], emphasis: float) -> list[dict[str, Any]]:
        """Draw all vehicles; of two that would stand in the same place, the first stays."""
        if not self.enabled:
            return []
        found: list[dict[str, Any]] = []
        number = multiplied(streams("cars"), self.moving, emphasis)
        for car in (self._moving(streams(f"car-{index}"), road, emphasis) for index in range(number)):
            _add_if_clear(found, car)
        for name, sign in SIDES.items():
            share = uniform(streams(f"parked-{name}"), self.parked) * emphasis
            for car in self._parked(streams, road[name], name, sign, share):
                _add_if_clear(found, car)
            for car in self._on_forecourt(streams, road[name], name, sign, emphasis):
                _add_if_clear(found, car)
        return found

    def _moving(self, rng: np.random.Generator, road: dict[str, Any], emphasis: float) -> dict[str, Any]:
        car, oncoming = self._one(rng, self.bodies), chance(rng, 0.5)
        lane = (int(rng.integers(road["lanes"])) + 0.5) * road["lane"]
        s = distance(rng, self.near_m, self.far_m, emphasis) + (0.0 if not oncoming else -2.0)
        sway, length = float(rng.normal(0, 0.15)), vehicles.size(car["body"])[0]
        return car | {
            "s": round(s + (length / 2 if not oncoming else 0.0), 4),
            "t": round((lane if oncoming else -lane) + sway, 4),
            "turn": round(math.pi * oncoming + float(rng.normal(0, 0.015)), 4),
            "braking": chance(rng, 0.4),
        }

    def _parked(
        self, streams: Streams, side: dict[str, Any], name: str, sign: float, share: float
    ) -> list[dict[str, Any]]:
        """Along the kerb, where there are parking places."""
        found, s = [], -2.0
        for index in range(18 if side["parking"] else 0):
            rng = streams(f"parked-{name}-{index}")
            car = self._one(
                rng, {k: w for k, w in self.bodies.items() if "decker" not in k and k not in ("bus", "lorry")}
            )
            length, there = vehicles.size(car["body"])[0], chance(rng, min(1.0, share))
            turned, gap = chance(rng, 0.15), uniform(rng, (0.6, 2.2))
            middle, s = s + length / 2, s + length + gap
            if there and not is_open(side, middle, margin=5.0):
                t = sign * (side["kerb"] - vehicles.size(car["body"])[1] / 2 - uniform(rng, (0.1, 0.35)))
                ahead = (sign < 0) != turned
                found.append(car | {"s": round(middle, 4), "t": round(t, 4), "turn": 0.0 if ahead else math.pi})
        return found

    def _on_forecourt(
        self, streams: Streams, side: dict[str, Any], name: str, sign: float, emphasis: float
    ) -> list[dict[str, Any]]:
        """Nose in on the open ground before set-back buildings."""
        number = multiplied(streams(f"forecourt-{name}"), self.forecourt, emphasis) if side["place"] == "open" else 0
        found = []
        for index in range(number):
            rng = streams(f"forecourt-{name}-{index}")
            car, row = (
                self._one(rng, {"hatchback": 1.0, "saloon": 1.0, "estate": 1.0, "jeep": 0.4}),
                int(rng.integers(2)),
            )
            t = sign * (back(side) + 3.2 + 6.0 * row)
            s = 8.0 + 2.7 * int(rng.integers(25))
            turn = math.pi / 2 * (1 if chance(rng, 0.5) else -1)
            found.append(car | {"s": round(s, 4), "t": round(t, 4), "turn": round(turn, 4), "z": KERB})
        return found

    def _one(self, rng: np.random.Generator, bodies: Mapping[str, float]) -> dict[str, Any]:
        body, common = pick(rng, bodies), chance(rng, 0.62)
        hues = _BUSES if body in ("bus", "double_decker") else _COMMON if common else _BRIGHT
        colour = np.array(hues[int(rng.integers(len(hues)))]) * rng.uniform(0.5, 1.15)
        wild = chance(rng, 0.12)
        return {
            "body": body,
            "colour": tint(rng, (0.1, 0.6), (0.4, 0.9))
            if wild
            else [round(float(c), 4) for c in np.clip(colour, 0.01, 0.85)],
            "second": tint(rng, (0.1, 0.8), (0.0, 0.7)),
            "gloss": uniform(rng, (0.15, 0.4)),
            "metallic": uniform(rng, (0.0, 0.5)),
            "painted_bumpers": chance(rng, 0.6),
            "lamps": chance(rng, self.lamps_share),
            "braking": False,
            "z": 0.0,
        }


def place_cars(plans: list[dict[str, Any]], path: Path, paint: Paint) -> None:
    """Put the vehicles into the scene."""
    for plan in plans:
        stand(meshes.add(plan["body"], vehicles.parts(plan, paint)), plan, path, CAR, z=plan["z"])


def clear_of(cars: list[dict[str, Any]], others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those who do not stand inside a vehicle."""
    return [one for one in others if not any(_inside(car, one) for car in cars)]


def _inside(car: dict[str, Any], one: dict[str, Any]) -> bool:
    length, width, _ = vehicles.size(car["body"])
    cos, sin = math.cos(car["turn"]), math.sin(car["turn"])
    s, t = one["s"] - car["s"], one["t"] - car["t"]
    return abs(s * cos - t * sin) < length / 2 + 0.5 and abs(s * sin + t * cos) < width / 2 + 0.35


def _add_if_clear(cars: list[dict[str, Any]], car: dict[str, Any]) -> None:
    length, width, _ = vehicles.size(car["body"])
    across = abs(math.sin(car["turn"])) > 0.5
    for other in cars:
        other_length, other_width, _ = vehicles.size(other["body"])
        along = (length + other_length) / 2 + 0.8 if not across else (width + other_width) / 2 + 0.1
        aside = (width + other_width) / 2 + 0.1 if not across else (length + other_length) / 2
        if abs(car["s"] - other["s"]) < along and abs(car["t"] - other["t"]) < aside:
            return
    cars.append(car)
