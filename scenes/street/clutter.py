"""What else stands about: bins, letter boxes, cabinets, benches, crates, barriers of road works.

There is no class for it. Things that stand and do not move count as building, barriers as fence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scenes.kit import meshes
from scenes.kit.labels import label
from scenes.kit.meshes import Mesh, cylinder, joined
from scenes.kit.sampling import Span, Streams, chance, log_uniform, pick, settle, tint, uniform
from scenes.kit.sensor import Component
from scenes.street.classes import BUILDING, FENCE
from scenes.street.paint import Paint
from scenes.street.path import Path
from scenes.street.placing import multiplied
from scenes.street.road import KERB, SIDES, back, is_open
from scenes.street.solids import boxes

KINDS = ("bin", "wheelie_bin", "letter_box", "cabinet", "bench", "crates", "barrier")

_RED, _BLACK, _GREEN = (0.45, 0.02, 0.02), (0.02, 0.02, 0.022), (0.02, 0.08, 0.04)


@dataclass(frozen=True, kw_only=True)
class Clutter(Component):
    """``count`` pieces; a barrier is a row of them on the road."""

    kinds: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 1.0))
    count: Span = (0, 6)
    spans: ClassVar = {"count": (0, 60)}

    def __post_init__(self) -> None:
        settle(self, spans=self.spans, weights={"kinds": KINDS})

    def plan(self, streams: Streams, road: dict[str, Any], emphasis: float) -> list[dict[str, Any]]:
        """Draw all pieces; ``emphasis`` is that of fences."""
        weights = dict(self.kinds) | {"barrier": self.kinds.get("barrier", 0.0) * emphasis}
        number = multiplied(streams("clutter"), self.count, 1.0) if self.enabled else 0
        found = [self._one(streams(f"clutter-{index}"), road, weights) for index in range(number)]
        return [one for one in found if not is_open(road["left" if one["t"] < 0 else "right"], one["s"])]

    def _one(self, rng: np.random.Generator, road: dict[str, Any], weights: dict[str, float]) -> dict[str, Any]:
        kind, name = pick(rng, weights), pick(rng, dict.fromkeys(SIDES, 1.0))
        side, sign, s = road[name], SIDES[name], log_uniform(rng, (6.0, 60.0))
        at_wall, inset = chance(rng, 0.6), uniform(rng, (0.35, 0.6))
        away = back(side) - inset if at_wall else side["kerb"] + inset
        if kind == "barrier":
            away = side["kerb"] - 0.6
        return {
            "kind": kind,
            "s": round(s, 4),
            "t": round(sign * away, 4),
            "turn": round(-sign * math.pi / 2 + float(rng.normal(0, 0.1)), 4),
            "colour": tint(rng, (0.03, 0.5), (0.0, 0.7)),
            "number": int(rng.integers(1, 4)),
        }


def place(plans: list[dict[str, Any]], path: Path, paint: Paint) -> None:
    """Put all pieces into the scene."""
    for plan in plans:
        thing = meshes.add(plan["kind"], _MADE[plan["kind"]](plan, paint))
        barrier = plan["kind"] == "barrier"
        (x, y), turn = path.pose(plan["s"], plan["t"], plan["turn"])
        thing.set_location([x, y, 0.0 if barrier else KERB])
        thing.set_rotation_euler([0, 0, turn])
        label(thing, FENCE if barrier else BUILDING, thing=False)


Parts = list[tuple[Mesh, Any]]


def _bin(plan: dict[str, Any], paint: Paint) -> Parts:
    body, lid = cylinder(0.24, 0.85, segments=14), cylinder(0.27, 0.22, top=0.12, segments=14).moved((0, 0, 0.9))
    return [(joined([body, lid]), paint.plain(_BLACK if plan["number"] > 1 else _GREEN, roughness=0.5))]


def _wheelie_bins(plan: dict[str, Any], paint: Paint) -> Parts:
    bodies = [meshes.box((0.42, 0.5, 0.95), taper=1.2).moved((0.62 * i, 0, 0)) for i in range(plan["number"])]
    lids = [boxes([(0.62 * i, 0, 0.99)], [(0.54, 0.64, 0.08)]) for i in range(plan["number"])]
    return [(joined(bodies), paint.plain(plan["colour"])), (joined(lids), paint.plain(_BLACK))]


def _letter_box(_plan: dict[str, Any], paint: Paint) -> Parts:
    body = joined([cylinder(0.24, 1.35, segments=16), cylinder(0.28, 0.18, top=0.1, segments=16).moved((0, 0, 1.35))])
    return [
        (body, paint.plain(_RED, roughness=0.35)),
        (boxes([(0, -0.23, 1.15)], [(0.26, 0.06, 0.05)]), paint.plain(_BLACK)),
    ]


def _cabinet(_plan: dict[str, Any], paint: Paint) -> Parts:
    return [(boxes([(0, 0, 0.62), (0, 0, 1.26)], [(1.0, 0.38, 1.24), (1.06, 0.44, 0.06)]), paint.plain(_GREEN))]


def _bench(_plan: dict[str, Any], paint: Paint) -> Parts:
    slats = boxes(
        [(0, y, z) for y, z in ((-0.2, 0.45), (0, 0.45), (0.2, 0.45), (0.27, 0.62), (0.31, 0.8))], (1.6, 0.12, 0.06)
    )
    legs = boxes([(x, 0, 0.22) for x in (-0.65, 0.65)], (0.08, 0.5, 0.44))
    return [(slats, paint.plain((0.2, 0.11, 0.06))), (legs, paint.plain(_BLACK))]


def _crates(plan: dict[str, Any], paint: Paint) -> Parts:
    number = plan["number"] * 2
    middles = [(0.5 * (i % 3), 0, 0.18 + 0.35 * (i // 3)) for i in range(number)]
    return [(boxes(middles, (0.46, 0.36, 0.33)), paint.plain((0.36, 0.24, 0.13)))]


def _barrier(plan: dict[str, Any], paint: Paint) -> Parts:
    """Red and white boards on feet."""
    xs = [1.6 * i for i in range(plan["number"])]
    boards = boxes([(x, 0, 0.82) for x in xs], (1.5, 0.05, 0.22))
    stripes = boxes([(x + 0.3 * k, 0, 0.82) for x in xs for k in (-2, 0, 2)], (0.3, 0.056, 0.224))
    feet = boxes([(x + k, 0, 0.45) for x in xs for k in (-0.65, 0.65)], (0.06, 0.4, 0.9))
    low = boxes([(x, 0, 0.3) for x in xs], (1.5, 0.04, 0.1))
    return [
        (joined([boards, low]), paint.plain((0.75, 0.75, 0.73))),
        (stripes, paint.plain((0.6, 0.03, 0.02))),
        (feet, paint.plain((0.7, 0.32, 0.02))),
    ]


_MADE = {
    "bin": _bin,
    "wheelie_bin": _wheelie_bins,
    "letter_box": _letter_box,
    "cabinet": _cabinet,
    "bench": _bench,
    "crates": _crates,
    "barrier": _barrier,
}
