"""Which buildings line the street: plots along both sides, rows in the side streets, and what closes the view."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scenes.kit.sampling import Span, Streams, chance, pick, seed_of, settle, uniform, whole
from scenes.kit.sensor import Component
from scenes.street.path import AHEAD, BEHIND
from scenes.street.road import SIDES, building_line

WALLS = ("brick", "plaster", "stone", "panel")
ROOFS = ("gable", "cross_gable", "flat", "hip")
STYLES = ("shop", "house", "office", "hall")

_BRICKS = ((0.30, 0.10, 0.06), (0.42, 0.33, 0.20), (0.24, 0.12, 0.08), (0.48, 0.40, 0.27), (0.35, 0.17, 0.10))
_PLASTERS = ((0.75, 0.73, 0.68), (0.68, 0.60, 0.45), (0.50, 0.50, 0.52), (0.62, 0.45, 0.38), (0.42, 0.50, 0.55))
_STONES = ((0.42, 0.38, 0.30), (0.32, 0.30, 0.27), (0.50, 0.46, 0.38))
_PANELS = ((0.40, 0.40, 0.40), (0.25, 0.27, 0.30), (0.55, 0.52, 0.48), (0.20, 0.16, 0.14))
_HUES = {"brick": _BRICKS, "plaster": _PLASTERS, "stone": _STONES, "panel": _PANELS}
_TILES = ((0.07, 0.07, 0.08), (0.20, 0.09, 0.06), (0.13, 0.09, 0.07), (0.10, 0.11, 0.12), (0.26, 0.14, 0.09))
_FRAMES = ((0.75, 0.75, 0.73), (0.75, 0.75, 0.73), (0.08, 0.08, 0.08), (0.20, 0.11, 0.06), (0.10, 0.18, 0.14))
_FASCIAS = (
    (0.45, 0.03, 0.04),
    (0.02, 0.10, 0.32),
    (0.02, 0.18, 0.08),
    (0.70, 0.52, 0.05),
    (0.03, 0.03, 0.035),
    (0.62, 0.62, 0.60),
    (0.28, 0.05, 0.20),
    (0.05, 0.30, 0.34),
    (0.55, 0.22, 0.04),
)

_STYLES: dict[str, dict[str, float]] = {
    "terrace": {"shop": 1.0, "house": 0.35, "office": 0.45},
    "suburb": {"house": 1.0, "shop": 0.05},
    "green": {"house": 0.6, "office": 0.5, "hall": 0.3},
    "open": {"hall": 1.0, "office": 0.6, "house": 0.3},
}
_WIDTHS: dict[str, Span] = {"shop": (5.0, 11.0), "house": (5.5, 11.0), "office": (11.0, 26.0), "hall": (18.0, 38.0)}
_FLOORS: dict[str, Span] = {"shop": (2, 4), "house": (2, 3), "office": (3, 5), "hall": (1, 2)}
_OCCUPIED = {"terrace": 0.97, "suburb": 0.9, "green": 0.35, "open": 0.6}
_LOOKS = 7
"""Different materials of walls and roofs in a picture."""


@dataclass(frozen=True, kw_only=True)
class Buildings(Component):
    """Walls and roofs by weight; ``storey_m`` metres from floor to floor, ``height`` scales the number of floors."""

    walls: Mapping[str, float] = field(
        default_factory=lambda: {"brick": 1.0, "plaster": 0.7, "stone": 0.3, "panel": 0.3}
    )
    roofs: Mapping[str, float] = field(
        default_factory=lambda: {"gable": 1.0, "cross_gable": 0.3, "flat": 0.4, "hip": 0.3}
    )
    storey_m: Span = (2.6, 3.5)
    height: Span = (0.9, 1.5)
    occupied: Span = (0.75, 1.0)
    spans: ClassVar = {"storey_m": (2.0, 6.0), "height": (0.3, 4.0), "occupied": (0.0, 1.0)}

    def __post_init__(self) -> None:
        settle(self, spans=self.spans, weights={"walls": WALLS, "roofs": ROOFS})

    def plan(self, streams: Streams, road: dict[str, Any], emphasis: Mapping[str, float]) -> list[dict[str, Any]]:
        """Draw all buildings, those on the left first."""
        if not self.enabled:
            return []
        rng = streams("buildings")
        common = {"height": uniform(rng, self.height), "occupied": uniform(rng, self.occupied)}
        common["occupied"] *= emphasis.get("building", 1.0)
        common["looks"] = [self._look(streams(f"building-look-{index}")) for index in range(_LOOKS)]
        found = []
        for name, sign in SIDES.items():
            found += self._row(streams, road[name], name, sign, common)
            for number, opening in enumerate(road[name]["openings"]):
                found += self._side_street(streams, road[name], f"{name}-{number}", sign, opening, common)
        return found + self._backdrop(streams, common)

    def _row(
        self, streams: Streams, side: dict[str, Any], name: str, sign: float, common: dict[str, Any]
    ) -> list[dict[str, Any]]:
        found, s, number = [], BEHIND + 4.0, 0
        while s < AHEAD - 4:
            rng = streams(f"building-{name}-{number}")
            house = self._one(rng, side["place"], common)
            there, gap = chance(rng, min(1.0, _OCCUPIED[side["place"]] * common["occupied"])), uniform(rng, (2.0, 6.0))
            forward = uniform(rng, (0.0, 0.25)) if side["place"] == "terrace" else uniform(rng, (0.0, 3.0))
            first, last = _free(side, s, s + house["width"])
            s, number = s + house["width"] + (gap if side["place"] != "terrace" else 0.0), number + 1
            if there and last - first >= 4.0:
                across = building_line(side) + forward
                house |= {"width": round(last - first, 4), "s": round((first + last) / 2, 4)}
                found.append(house | {"t": round(sign * across, 4), "turn": round(-sign * math.pi / 2, 6)})
        return found

    def _side_street(
        self,
        streams: Streams,
        side: dict[str, Any],
        name: str,
        sign: float,
        opening: list[float],
        common: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Both rows of a side street, behind the buildings at its corners."""
        found = []
        for edge, outward in ((opening[0] - 2.0, -1.0), (opening[1] + 2.0, 1.0)):
            away = building_line(side) + 11.0
            for number in range(3):
                rng = streams(f"building-{name}-{'near' if outward < 0 else 'far'}-{number}")
                house = self._one(rng, side["place"], common)
                middle = sign * (away + house["width"] / 2)
                turn = math.pi if outward < 0 else 0.0
                found.append(house | {"s": round(edge, 4), "t": round(middle, 4), "turn": turn})
                away += house["width"] + uniform(rng, (0.0, 3.0))
        return found

    def _backdrop(self, streams: Streams, common: dict[str, Any]) -> list[dict[str, Any]]:
        """Buildings across the end of the street."""
        found, t = [], -70.0
        for number in range(whole(streams("backdrop"), (3, 9))):
            rng = streams(f"backdrop-{number}")
            house = self._one(rng, "terrace", common)
            t += house["width"] + uniform(rng, (0.0, 12.0))
            found.append(house | {"s": AHEAD + uniform(rng, (0.0, 40.0)), "t": round(t, 4), "turn": 0.0})
        return found

    def _look(self, rng: np.random.Generator) -> dict[str, Any]:
        """Materials that several buildings of a picture share, as those of one street do."""
        wall = pick(rng, self.walls)
        hues = _HUES[wall]
        first = np.array(hues[int(rng.integers(len(hues)))]) * rng.uniform(0.45, 1.1) * rng.uniform(0.94, 1.06, 3)
        return {
            "wall": wall,
            "first": _rounded(first),
            "second": _rounded(first * rng.uniform(0.65, 0.95)),
            "tiles": _rounded(np.array(_TILES[int(rng.integers(len(_TILES)))]) * rng.uniform(0.7, 1.4)),
            "frames": list(_FRAMES[int(rng.integers(len(_FRAMES)))]),
        }

    def _one(self, rng: np.random.Generator, place: str, common: dict[str, Any]) -> dict[str, Any]:
        style, look = pick(rng, _STYLES[place]), common["looks"][int(rng.integers(_LOOKS))]
        floors = max(1, round(rng.uniform(_FLOORS[style][0] - 0.4, _FLOORS[style][1] + 0.4) * common["height"]))
        roof, large = pick(rng, self.roofs), style in ("office", "hall")
        return {
            "style": style,
            "width": uniform(rng, _WIDTHS[style]),
            "depth": uniform(rng, (8.0, 11.0)) * (1.4 if large else 1.0),
            "floors": floors,
            "storey": uniform(rng, self.storey_m) * (1.5 if style == "hall" else 1.0),
            **look,
            "roof": "flat" if large else roof,
            "pitch": uniform(rng, (0.55, 1.05)),
            "bay": uniform(rng, (1.9, 3.6)),
            "window": [uniform(rng, (0.36, 0.62)), uniform(rng, (0.45, 0.68))],
            "bars": int(rng.integers(0, 4)),
            "fascia": _rounded(np.array(_FASCIAS[int(rng.integers(len(_FASCIAS)))]) * rng.uniform(0.7, 1.2)),
            "awning": chance(rng, 0.2),
            "chimneys": int(rng.integers(0, 3)),
            "band": chance(rng, 0.4),
            "seed": seed_of(rng),
        }


def _free(side: dict[str, Any], first: float, last: float) -> tuple[float, float]:
    """The part of a plot that no side street, with its pavements, runs through: the longer end of it."""
    for start, end in side["openings"]:
        near, far = start - 1.9, end + 1.9
        if first < far and last > near:
            first, last = (first, near) if near - first >= last - far else (far, last)
    return first, last


def _rounded(colour: Any) -> list[float]:
    return [round(float(c), 4) for c in np.clip(colour, 0.005, 0.9)]
