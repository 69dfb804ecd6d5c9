"""The road's layout: its course, lanes, what lies beside it, and the side streets that open onto it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scenes.kit.sampling import Span, Streams, chance, pick, settle, uniform, whole
from scenes.kit.sensor import Component
from scenes.street.path import AHEAD, BEHIND

PLACES = {"terrace": "building", "suburb": "fence", "green": "tree", "open": "sky"}
"""Kinds of roadside, and the class that each brings most of."""

SIDES = {"left": -1.0, "right": 1.0}
"""Sides of a street whose traffic drives on the left, and the sign of t on each."""

KERB = 0.11
"""Height of a kerb, metres."""

_SETBACK: dict[str, Span] = {"terrace": (0.0, 0.4), "suburb": (2.0, 5.5), "green": (7.0, 20.0), "open": (10.0, 24.0)}
"""Metres between pavement and building line."""

_FRONT = {"terrace": "paving", "suburb": "grass", "green": "grass", "open": "asphalt"}
"""What the ground between pavement and building line is made of."""


def _weights(**weights: float) -> Any:
    return field(default_factory=lambda: dict(weights))


@dataclass(frozen=True, kw_only=True)
class Road:
    """Course and cross-section of a street; lengths in metres."""

    places: Mapping[str, float] = _weights(terrace=1.4, suburb=0.5, green=0.4, open=0.3)
    same_share: float = 0.55
    lane_m: Span = (3.1, 4.4)
    wide_share: float = 0.35
    parking_share: float = 0.3
    pavement_m: Span = (1.3, 3.6)
    verge_share: float = 0.15
    curved_share: float = 0.5
    curvature: Span = (0.002, 0.016)
    driving: Mapping[str, float] = _weights(left=1.0, right=0.0)
    patches: Span = (0, 6)

    spans: ClassVar = {
        "patches": (0, 60),
        "lane_m": (2.0, 6.0),
        "pavement_m": (0.5, 10.0),
        "curvature": (0.0001, 0.025),
    }
    shares: ClassVar = ("same_share", "wide_share", "parking_share", "verge_share", "curved_share")

    def __post_init__(self) -> None:
        weights = {"places": tuple(PLACES), "driving": ("left", "right")}
        settle(self, spans=self.spans, shares=self.shares, weights=weights)

    def plan(self, streams: Streams, emphasis: Mapping[str, float]) -> dict[str, Any]:
        """Draw a street without its side streets."""
        rng = streams("road")
        lane, wide = uniform(rng, self.lane_m), chance(rng, min(1.0, self.wide_share * emphasis.get("road", 1.0)))
        curved, bend, left = chance(rng, self.curved_share), uniform(rng, self.curvature), chance(rng, 0.5)
        return {
            "curvature": (bend if left else -bend) if curved else 1e-6,
            "start": uniform(rng, (5.0, 45.0)),
            "turn": uniform(rng, (0.2, 1.3)) if curved else 0.0,
            "mirrored": pick(rng, self.driving) == "right",
            "lane": lane,
            "lanes": 2 if wide else 1,
            "own": round(-lane * (0.5 + (wide and chance(rng, 0.5))), 4),
            "worn": uniform(rng, (0.25, 0.9)),
            "asphalt": _grey(rng, (0.035, 0.15)),
            "paving": _grey(rng, (0.08, 0.24)),
            "slab": uniform(rng, (0.4, 0.9)),
            "grass": _grass(rng),
            "patches": [
                self._patch(streams(f"patch-{index}"), lane) for index in range(whole(streams("patches"), self.patches))
            ],
            **self._sides(streams, emphasis, lane * (2 if wide else 1)),
        }

    def _patch(self, rng: np.random.Generator, lane: float) -> dict[str, Any]:
        """A repaired stretch of road, or an iron cover."""
        cover = chance(rng, 0.45)
        length, width = (0.65, 0.65) if cover else (uniform(rng, (0.8, 9.0)), uniform(rng, (0.5, 2.2)))
        place = {"s": uniform(rng, (4.0, 35.0)), "t": uniform(rng, (-lane, lane)), "length": length, "width": width}
        return place | {"cover": cover, "tone": uniform(rng, (0.6, 1.35)), "turn": uniform(rng, (-0.08, 0.08))}

    def _sides(self, streams: Streams, emphasis: Mapping[str, float], lanes_m: float) -> dict[str, Any]:
        weights = {kind: self.places.get(kind, 0.0) * emphasis.get(name, 1.0) for kind, name in PLACES.items()}
        common = pick(streams("place"), weights)
        wider = float(np.clip(emphasis.get("pavement", 1.0), 0.5, 2.5))
        return {side: self._side(streams(f"side-{side}"), weights, common, lanes_m, wider) for side in SIDES}

    def _side(
        self, rng: np.random.Generator, weights: dict[str, float], common: str, lanes_m: float, wider: float
    ) -> dict[str, Any]:
        own, same = pick(rng, weights), chance(rng, self.same_share)
        place = common if same else own
        parking = 2.1 if chance(rng, self.parking_share) else 0.0
        verge, wide = chance(rng, self.verge_share), uniform(rng, (1.0, 3.0))
        setback = {kind: uniform(rng, span) for kind, span in _SETBACK.items()}
        return {
            "place": place,
            "front": _FRONT[place],
            "kerb": round(lanes_m + parking, 4),
            "parking": parking,
            "verge": wide if verge and place != "terrace" else 0.0,
            "pavement": round(uniform(rng, self.pavement_m) * wider, 4),
            "setback": setback[place],
            "openings": [],
        }


@dataclass(frozen=True, kw_only=True)
class Junctions(Component):
    """Side streets: ``count`` on both sides together, ``width`` in metres between their kerbs."""

    count: Span = (0, 3)
    width: Span = (5.0, 9.0)
    spans: ClassVar = {"count": (0, 8), "width": (3.0, 20.0)}

    def plan(self, streams: Streams) -> dict[str, list[list[float]]]:
        """Draw the stretches [from, to] of each side at which a side street opens, nearest first."""
        found: dict[str, list[list[float]]] = {side: [] for side in SIDES}
        number = whole(streams("junctions"), self.count) if self.enabled else 0
        for index in range(number):
            rng = streams(f"junction-{index}")
            side, at, width = pick(rng, dict.fromkeys(SIDES, 1.0)), rng.uniform(6.0, 90.0), uniform(rng, self.width)
            free = all(at - 14 > last or at + width + 14 < first for first, last in found[side])
            if free:
                found[side].append([round(float(at), 4), round(float(at) + width, 4)])
        return {side: sorted(openings) for side, openings in found.items()}


def is_open(side: dict[str, Any], s: float, margin: float = 1.0) -> bool:
    """Whether a side street opens at s."""
    return any(first - margin < s < last + margin for first, last in side["openings"])


def blocks(side: dict[str, Any]) -> list[tuple[float, float]]:
    """The stretches between side streets."""
    edges = [BEHIND, *(edge for opening in side["openings"] for edge in opening), AHEAD]
    return list(zip(edges[::2], edges[1::2], strict=True))


def back(side: dict[str, Any]) -> float:
    """Distance of the pavement's back edge from the centre line."""
    return float(side["kerb"] + side["verge"] + side["pavement"])


def building_line(side: dict[str, Any]) -> float:
    """Distance of the fronts of buildings from the centre line."""
    return back(side) + float(side["setback"])


def _grey(rng: np.random.Generator, lightness: Span) -> list[float]:
    """Nearly grey, a little warm or cold."""
    light, warm = math.exp(rng.uniform(*(math.log(v) for v in lightness))), rng.uniform(-0.06, 0.12)
    return [round(float(light * f), 4) for f in (1 + warm, 1.0, 1 - warm)]


def _grass(rng: np.random.Generator) -> list[float]:
    """Green to straw."""
    dry, light = rng.uniform(0, 0.8), rng.uniform(0.7, 1.4)
    return [round(float(light * c), 4) for c in (0.06 + 0.12 * dry, 0.11 + 0.05 * dry, 0.03 + 0.02 * dry)]
