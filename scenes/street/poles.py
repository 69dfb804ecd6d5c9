"""Lamp posts, bollards, crossing beacons, wooden poles, and cones: what is thin and stands."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scenes.kit import meshes
from scenes.kit.meshes import Mesh, ball, cylinder, joined, tube
from scenes.kit.sampling import Span, Streams, chance, pick, settle, uniform
from scenes.kit.sensor import Component
from scenes.street.classes import POLE
from scenes.street.paint import Paint
from scenes.street.path import AHEAD, Path
from scenes.street.placing import distance, multiplied, stand, within
from scenes.street.road import KERB, SIDES, back, is_open
from scenes.street.solids import boxes

Parts = list[tuple[Mesh, Any]]

LAMPS = ("arm", "lantern", "double", "column")
_METALS = ((0.30, 0.31, 0.31), (0.03, 0.03, 0.032), (0.05, 0.12, 0.08), (0.20, 0.20, 0.19), (0.45, 0.45, 0.43))


@dataclass(frozen=True, kw_only=True)
class Poles(Component):
    """Lamp posts every ``spacing_m`` metres; numbers of bollards, beacons, wooden poles and cones on top."""

    lamps: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(LAMPS, 1.0))
    spacing_m: Span = (22.0, 50.0)
    height_m: Span = (5.0, 10.0)
    bollards: Span = (0, 6)
    others: Span = (0, 4)
    near_m: float = 5.0
    far_m: float = 60.0
    spans: ClassVar = {"spacing_m": (3.0, 200.0), "height_m": (2.0, 20.0), "bollards": (0, 60), "others": (0, 60)}

    def __post_init__(self) -> None:
        settle(self, spans=self.spans, weights={"lamps": LAMPS})
        within(self, "near_m", 3.0, 100.0)
        within(self, "far_m", self.near_m, 170.0)

    def plan(self, streams: Streams, road: dict[str, Any], emphasis: float) -> list[dict[str, Any]]:
        """Draw all of them."""
        if not self.enabled:
            return []
        rng = streams("poles")
        kind, height = pick(rng, self.lamps), uniform(rng, self.height_m)
        colour, spacing = _metal(rng), uniform(rng, self.spacing_m) / max(emphasis, 0.1) ** 0.7
        lamps = []
        for name, sign in SIDES.items():
            place = streams(f"lamps-{name}")
            there, s = chance(place, 0.85), uniform(place, (0.15, 1.0)) * spacing + 2.0
            while there and s < AHEAD:
                look = {"kind": kind, "height": height, "colour": colour, "radius": 0.075}
                lamps.append(look | _beside(road[name], sign, s, 0.45))
                s += spacing
        found = lamps + self._bollards(streams, road, emphasis) + self._others(streams, road, emphasis)
        return [one for one in found if not is_open(road["left" if one["t"] < 0 else "right"], one["s"])]

    def _bollards(self, streams: Streams, road: dict[str, Any], emphasis: float) -> list[dict[str, Any]]:
        """A row of them along one kerb."""
        rng = streams("bollards")
        name, first = pick(rng, dict.fromkeys(SIDES, 1.0)), uniform(rng, (5.0, 30.0))
        look = {
            "kind": "bollard",
            "height": uniform(rng, (0.85, 1.1)),
            "colour": _metal(rng),
            "radius": uniform(rng, (0.06, 0.1)),
        }
        step, number = uniform(rng, (1.5, 3.0)), multiplied(rng, self.bollards, emphasis)
        return [look | _beside(road[name], SIDES[name], first + step * index, 0.35) for index in range(number)]

    def _others(self, streams: Streams, road: dict[str, Any], emphasis: float) -> list[dict[str, Any]]:
        found = []
        for index in range(multiplied(streams("posts"), self.others, emphasis)):
            rng = streams(f"post-{index}")
            kind = pick(rng, {"beacon": 0.4, "wooden": 0.4, "post": 1.0, "cone": 0.35, "column": 0.5})
            name, s = pick(rng, dict.fromkeys(SIDES, 1.0)), distance(rng, self.near_m, self.far_m, emphasis)
            height = {"beacon": 2.6, "wooden": 8.0, "post": 3.2, "cone": 0.75, "column": 6.0}[kind] * uniform(
                rng, (0.8, 1.2)
            )
            radius = {"wooden": 0.13, "column": 0.09}.get(kind, 0.05)
            inset = uniform(rng, (0.3, 0.7)) if kind != "cone" else -uniform(rng, (0.3, 0.8))
            inset = road[name]["pavement"] - 0.2 if kind == "wooden" else inset
            look = {"kind": kind, "height": round(height, 4), "colour": _metal(rng), "radius": radius}
            found.append(look | _beside(road[name], SIDES[name], s, inset))
        return found


def _beside(side: dict[str, Any], sign: float, s: float, inset: float) -> dict[str, Any]:
    """A place ``inset`` metres behind the kerb, facing the road."""
    away = min(side["kerb"] + inset, back(side))
    return {"s": round(s, 4), "t": round(sign * away, 4), "turn": round(-sign * math.pi / 2, 6)}


def _metal(rng: np.random.Generator) -> list[float]:
    return list(_METALS[int(rng.integers(len(_METALS)))])


def place(plans: list[dict[str, Any]], path: Path, paint: Paint) -> None:
    """Put all of them into the scene."""
    for plan in plans:
        stand(meshes.add(plan["kind"], parts(plan, paint)), plan, path, POLE, z=KERB if plan["kind"] != "cone" else 0.0)


def parts(plan: dict[str, Any], paint: Paint) -> Parts:
    """Meshes of one pole with their materials; what hangs over hangs over -y, the road."""
    made = {"arm": _arm, "double": _double, "lantern": _lantern, "bollard": _bollard, "beacon": _beacon, "cone": _cone}
    return made.get(plan["kind"], _column)(plan, paint)


def shaft(plan: dict[str, Any], paint: Paint) -> tuple[Mesh, Any]:
    """The post itself."""
    wooden = plan["kind"] == "wooden"
    colour = (
        paint.mottled((0.13, 0.09, 0.06), scale=3.0, contrast=0.4)
        if wooden
        else paint.plain(plan["colour"], roughness=0.5)
    )
    base = [cylinder(plan["radius"] * 1.6, 0.9, segments=10)] if plan["height"] > 4 and not wooden else []
    return joined([cylinder(plan["radius"], plan["height"], top=plan["radius"] * 0.7, segments=10), *base]), colour


def _column(plan: dict[str, Any], paint: Paint) -> Parts:
    return [shaft(plan, paint)]


def _head(y: float, z: float, paint: Paint) -> Parts:
    lamp = paint.plain((0.6, 0.58, 0.5), roughness=0.3)
    return [
        (boxes([(0, y, z)], [(0.22, 0.65, 0.12)]), paint.plain((0.3, 0.3, 0.3))),
        (boxes([(0, y, z - 0.07)], [(0.18, 0.5, 0.06)]), lamp),
    ]


def _arm(plan: dict[str, Any], paint: Paint) -> Parts:
    top, reach = plan["height"], 0.22 * plan["height"]
    bend = [(0, 0, top - 0.3), (0, -0.15 * reach, top + 0.1), (0, -0.55 * reach, top + 0.3), (0, -reach, top + 0.35)]
    post, colour = shaft(plan, paint)
    return [(joined([post, tube(bend, 0.04, segments=6)]), colour), *_head(-reach - 0.25, top + 0.35, paint)]


def _double(plan: dict[str, Any], paint: Paint) -> Parts:
    top = plan["height"]
    post, colour = shaft(plan, paint)
    bar = boxes([(0, 0, top)], [(0.06, 2.2, 0.06)])
    return [(joined([post, bar]), colour), *_head(-1.2, top, paint), *_head(1.2, top, paint)]


def _lantern(plan: dict[str, Any], paint: Paint) -> Parts:
    """An old-fashioned lantern on a shorter post."""
    plan = plan | {"height": min(plan["height"], 4.5)}
    top, (post, colour) = plan["height"], shaft(plan, paint)
    glass = cylinder(0.14, 0.4, top=0.2, segments=8).moved((0, 0, top))
    cap = cylinder(0.26, 0.22, top=0.03, segments=8).moved((0, 0, top + 0.4))
    return [(joined([post, cap]), colour), (glass, paint.plain((0.6, 0.58, 0.5), roughness=0.2))]


def _bollard(plan: dict[str, Any], paint: Paint) -> Parts:
    post = cylinder(plan["radius"], plan["height"], top=plan["radius"] * 0.85, segments=10)
    band = cylinder(plan["radius"] * 1.02, 0.09, segments=10).moved((0, 0, plan["height"] * 0.78))
    return [(post, paint.plain(plan["colour"])), (band, paint.plain((0.7, 0.7, 0.68)))]


def _beacon(plan: dict[str, Any], paint: Paint) -> Parts:
    """Black and white bands under an orange ball."""
    rings = [cylinder(0.055, plan["height"] / 8, segments=10).moved((0, 0, plan["height"] / 8 * i)) for i in range(8)]
    globe = ball((0.36, 0.36, 0.36)).moved((0, 0, plan["height"] + 0.16))
    return [
        (joined(rings[::2]), paint.plain((0.02, 0.02, 0.02))),
        (joined(rings[1::2]), paint.plain((0.75, 0.75, 0.73))),
        (globe, paint.plain((0.85, 0.36, 0.02), glow=0.5)),
    ]


def _cone(plan: dict[str, Any], paint: Paint) -> Parts:
    tall = plan["height"]
    body = cylinder(0.17, tall, top=0.03, segments=14)
    foot = boxes([(0, 0, 0.02)], [(0.42, 0.42, 0.04)])
    band = cylinder(0.13, tall * 0.25, top=0.095, segments=14).moved((0, 0, tall * 0.36))
    return [(joined([body, foot]), paint.plain((0.75, 0.12, 0.02))), (band, paint.plain((0.8, 0.8, 0.78)))]
