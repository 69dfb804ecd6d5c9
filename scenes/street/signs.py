"""Traffic signs, traffic lights and shop signs. Their posts are poles; what is read is a sign."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scenes.kit import meshes
from scenes.kit.meshes import Mesh, cylinder, joined, prism
from scenes.kit.sampling import Span, Streams, chance, pick, seed_of, settle, tint, uniform
from scenes.kit.sensor import Component
from scenes.street.classes import POLE, SIGN
from scenes.street.paint import Paint
from scenes.street.path import Path
from scenes.street.placing import distance, multiplied, stand, within
from scenes.street.road import KERB, SIDES, back, building_line, is_open
from scenes.street.solids import boxes

Parts = list[tuple[Mesh, Any]]

PLATES = ("prohibition", "mandatory", "warning", "no_entry", "parking", "direction", "notice", "give_way")

_RED, _BLUE, _WHITE, _BLACK = (0.5, 0.015, 0.015), (0.01, 0.07, 0.36), (0.78, 0.78, 0.76), (0.015, 0.015, 0.015)
_GREEN, _YELLOW = (0.01, 0.16, 0.06), (0.75, 0.52, 0.02)
_GREY = (0.32, 0.32, 0.32)


@dataclass(frozen=True, kw_only=True)
class Signs(Component):
    """Numbers of posts with traffic signs, of traffic lights, and of signs that hang on buildings."""

    plates: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(PLATES, 1.0))
    posts: Span = (0, 6)
    lights_share: float = 0.35
    boards: Span = (0, 8)
    near_m: float = 8.0
    far_m: float = 70.0
    spans: ClassVar = {"posts": (0, 60), "boards": (0, 80)}

    def __post_init__(self) -> None:
        settle(self, spans=self.spans, shares=("lights_share",), weights={"plates": PLATES})
        within(self, "near_m", 3.0, 100.0)
        within(self, "far_m", self.near_m, 170.0)

    def plan(self, streams: Streams, road: dict[str, Any], emphasis: float) -> list[dict[str, Any]]:
        """Draw all signs."""
        if not self.enabled:
            return []
        posts = [
            self._post(streams(f"sign-{index}"), road, emphasis)
            for index in range(multiplied(streams("signs"), self.posts, emphasis))
        ]
        boards = [
            self._board(streams(f"board-{index}"), road, emphasis)
            for index in range(multiplied(streams("boards"), self.boards, emphasis))
        ]
        found = posts + boards + self._lights(streams, road, emphasis)
        return [one for one in found if not is_open(road["left" if one["t"] < 0 else "right"], one["s"])]

    def _post(self, rng: np.random.Generator, road: dict[str, Any], emphasis: float) -> dict[str, Any]:
        name, s = pick(rng, dict.fromkeys(SIDES, 1.0)), distance(rng, self.near_m, self.far_m, emphasis)
        side, facing = road[name], chance(rng, 0.75)
        away = side["kerb"] + min(uniform(rng, (0.35, 0.8)), side["verge"] + side["pavement"])
        number = 1 if chance(rng, 0.65) else 2
        return {
            "kind": "post",
            "plates": [self._plate(rng) for _ in range(number)],
            "height": uniform(rng, (2.1, 3.0)),
            "s": round(s, 4),
            "t": round(SIDES[name] * away, 4),
            "turn": round((0.0 if facing else math.pi) + float(rng.normal(0, 0.12)), 4),
        }

    def _plate(self, rng: np.random.Generator) -> dict[str, Any]:
        return {
            "plate": pick(rng, self.plates),
            "size": uniform(rng, (0.55, 0.95)),
            "colour": tint(rng, (0.1, 0.7), (0.2, 0.9)),
            "seed": seed_of(rng),
        }

    def _board(self, rng: np.random.Generator, road: dict[str, Any], emphasis: float) -> dict[str, Any]:
        """On the front of a building: flat against it, or hanging out over the pavement."""
        name, s = pick(rng, dict.fromkeys(SIDES, 1.0)), distance(rng, 5.0, self.far_m, emphasis)
        side, hanging = road[name], chance(rng, 0.6)
        sign = SIDES[name]
        size = (
            [uniform(rng, (0.6, 1.1)), uniform(rng, (0.6, 1.3))]
            if hanging
            else [uniform(rng, (1.2, 3.5)), uniform(rng, (0.5, 1.0))]
        )
        lines = [round(float(v), 3) for v in rng.uniform(0.25, 0.8, int(rng.integers(1, 4)))]
        away = building_line(side) - (0.1 + size[0] / 2 if hanging else 0.5)
        free_standing = side["place"] != "terrace"
        away = min(away, back(side)) if free_standing else away
        return {
            "kind": "board",
            "size": size,
            "lines": lines,
            "colour": tint(rng, (0.05, 0.8), (0.0, 0.9)),
            "ink": tint(rng, (0.02, 0.9), (0.0, 0.5)),
            "height": uniform(rng, (2.6, 4.2)) if not free_standing else uniform(rng, (1.4, 2.4)),
            "on_posts": free_standing,
            "s": round(s, 4),
            "t": round(sign * away, 4),
            "turn": 0.0 if hanging or free_standing else round(-sign * math.pi / 2, 6),
        }

    def _lights(self, streams: Streams, road: dict[str, Any], emphasis: float) -> list[dict[str, Any]]:
        """At one place, on both sides, for both directions."""
        rng = streams("traffic-lights")
        there, s = chance(rng, min(1.0, self.lights_share * emphasis)), distance(rng, 8.0, 50.0, emphasis)
        phase, hooded = int(rng.integers(3)), chance(rng, 0.5)
        found = []
        for number, (name, sign) in enumerate([*SIDES.items(), *SIDES.items()] if there else []):
            towards, away = number < 2, road[name]["kerb"] + 0.45
            look = {"kind": "lights", "phase": phase, "backing": hooded, "height": uniform(rng, (2.1, 2.5))}
            place = {"s": round(s + (0.0 if towards else 11.0), 4), "t": round(sign * away, 4)}
            found.append(look | place | {"turn": round((0.0 if towards else math.pi) + float(rng.normal(0, 0.1)), 4)})
        return found


def place(plans: list[dict[str, Any]], path: Path, paint: Paint) -> None:
    """Put signs and their posts into the scene."""
    made = {"post": _post_parts, "board": _board_parts, "lights": _light_parts}
    for plan in plans:
        sign, support = made[plan["kind"]](plan, paint)
        stand(meshes.add(plan["kind"], sign), plan, path, SIGN, z=KERB)
        if support:
            stand(meshes.add("signpost", support), plan, path, POLE, z=KERB)


def _post_parts(plan: dict[str, Any], paint: Paint) -> tuple[Parts, Parts]:
    """Plates one above the other, on a post; they face -y."""
    found: Parts = []
    top = plan["height"]
    for plate in plan["plates"]:
        half = plate["size"] / 2
        found += [(mesh.moved((0, 0, top + half)), material) for mesh, material in plate_parts(plate, paint)]
        top += plate["size"] + 0.05
    return found, [(cylinder(0.04, top, segments=8), paint.plain(_GREY, roughness=0.5))]


def plate_parts(plate: dict[str, Any], paint: Paint) -> Parts:
    """One plate around the origin: layers of flat shapes, each a little before the other."""
    rng, size = np.random.default_rng(plate["seed"]), plate["size"]
    layers = _LAYERS[plate["plate"]](rng, plate["colour"])
    found: Parts = [(_flat(_scaled(layers[0][0], size * 1.02), 0.055, 0.02), paint.plain(_GREY))]
    for number, (outline, colour) in enumerate(layers):
        found.append((_flat(_scaled(outline, size), 0.06 + 0.008 * number, 0.01), paint.plain(colour, roughness=0.35)))
    return found


def _scaled(outline: Any, size: float) -> Any:
    return np.asarray(outline, float) * size


def _flat(outline: Any, forward: float, thickness: float) -> Mesh:
    """An outline in (x, z), as a thin plate before the post."""
    return prism(outline, thickness).turned(math.pi / 2, "x").moved((0, -forward, 0))


def _round(radius: float) -> Any:
    angle = np.linspace(0, 2 * math.pi, 28, endpoint=False)
    return radius * np.stack([np.cos(angle), np.sin(angle)], -1)


def _bar(x: float, z: float, wide: float, tall: float, turn: float = 0.0) -> Any:
    corners = np.array([(-wide, -tall), (wide, -tall), (wide, tall), (-wide, tall)]) / 2
    cos, sin = math.cos(turn), math.sin(turn)
    return corners @ np.array([[cos, sin], [-sin, cos]]) + (x, z)


def _triangle(size: float, *, down: bool = False) -> Any:
    corners = size * np.array([(-0.5, -0.42), (0.5, -0.42), (0.0, 0.48)])
    return -corners if down else corners


def _arrow(turn: float) -> Any:
    """An arrow that points up, turned."""
    points = np.array([(-0.05, -0.3), (0.05, -0.3), (0.05, 0.05), (0.17, 0.05), (0, 0.3), (-0.17, 0.05), (-0.05, 0.05)])
    cos, sin = math.cos(turn), math.sin(turn)
    return points @ np.array([[cos, sin], [-sin, cos]])


Layers = list[tuple[Any, Any]]


def _prohibition(rng: np.random.Generator, _colour: Any) -> Layers:
    inner: Layers = [(_round(0.5), _RED), (_round(0.38), _WHITE)]
    kind = int(rng.integers(3))
    if kind == 0:
        return [*inner, (_arrow(rng.choice([-1.57, 1.57, 3.14])), _BLACK), (_bar(0, 0, 0.8, 0.08, 0.78), _RED)]
    if kind == 1:
        digits = [(_bar(x, 0, 0.16, 0.36), _BLACK) for x in (-0.13, 0.13)]
        return [*inner, *digits, *[(_bar(x, 0, 0.06, 0.22), _WHITE) for x in (0.13,)]]
    return [*inner, (_bar(0, -0.04, 0.42, 0.18), _BLACK), (_bar(0.04, 0.1, 0.22, 0.12), _BLACK)]


def _mandatory(rng: np.random.Generator, _colour: Any) -> Layers:
    return [(_round(0.5), _WHITE), (_round(0.47), _BLUE), (_arrow(rng.choice([0.0, -1.57, 1.57, 2.3, -2.3])), _WHITE)]


def _warning(rng: np.random.Generator, _colour: Any) -> Layers:
    glyphs = [(_bar(0, 0.05, 0.08, 0.3), _BLACK), (_bar(0, -0.2, 0.09, 0.08), _BLACK)]
    bend = [(_bar(0, -0.12, 0.07, 0.34), _BLACK), (_bar(0.06, 0.04, 0.18, 0.07, 0.6), _BLACK)]
    return [(_triangle(1.0), _RED), (_triangle(0.7), _WHITE), *(glyphs if rng.random() < 0.5 else bend)]


def _no_entry(_rng: np.random.Generator, _colour: Any) -> Layers:
    return [(_round(0.5), _RED), (_bar(0, 0, 0.7, 0.18), _WHITE)]


def _parking(_rng: np.random.Generator, _colour: Any) -> Layers:
    letter = [
        (_bar(-0.12, 0, 0.12, 0.6), _WHITE),
        (_round(0.18) + np.array([0.03, 0.13]), _WHITE),
        (_round(0.08) + np.array([0.03, 0.13]), _BLUE),
    ]
    return [(_bar(0, 0, 0.75, 1.0), _WHITE), (_bar(0, 0, 0.7, 0.95), _BLUE), *letter]


def _direction(rng: np.random.Generator, _colour: Any) -> Layers:
    ground = [_GREEN, _BLUE, _WHITE][int(rng.integers(3))]
    ink = _BLACK if ground is _WHITE else _WHITE
    rows = [(_bar(rng.uniform(-0.15, 0.1), z, rng.uniform(0.5, 1.0), 0.09), ink) for z in (0.25, 0.0, -0.25)]
    return [(_bar(0, 0, 1.7, 1.0), ink), (_bar(0, 0, 1.62, 0.93), ground), *rows, (_arrow(0.0) * 0.7 + (0.6, 0), ink)]


def _notice(rng: np.random.Generator, colour: Any) -> Layers:
    ground = [_WHITE, _YELLOW, list(colour)][int(rng.integers(3))]
    rows = [(_bar(0, z, rng.uniform(0.3, 0.55), 0.07), _BLACK) for z in (0.25, 0.1, -0.05, -0.2)]
    return [(_bar(0, 0, 0.7, 0.9), _BLACK), (_bar(0, 0, 0.67, 0.87), ground), *rows]


def _give_way(_rng: np.random.Generator, _colour: Any) -> Layers:
    return [(_triangle(1.0, down=True), _RED), (_triangle(0.66, down=True), _WHITE)]


_LAYERS = {
    "prohibition": _prohibition,
    "mandatory": _mandatory,
    "warning": _warning,
    "no_entry": _no_entry,
    "parking": _parking,
    "direction": _direction,
    "notice": _notice,
    "give_way": _give_way,
}


def _board_parts(plan: dict[str, Any], paint: Paint) -> tuple[Parts, Parts]:
    (wide, tall), z = plan["size"], plan["height"]
    panel = boxes([(0, 0, z)], [(wide, 0.08, tall)])
    rows = [
        (0, sign * 0.045, z + tall * (0.5 - (number + 0.7) / (len(plan["lines"]) + 0.4)))
        for sign in (-1, 1)
        for number in range(len(plan["lines"]))
    ]
    sizes = [(wide * share, 0.01, 0.45 * tall / (len(plan["lines"]) + 0.4)) for share in plan["lines"] * 2]
    found: Parts = [(panel, paint.plain(plan["colour"], roughness=0.4)), (boxes(rows, sizes), paint.plain(plan["ink"]))]
    posts = boxes([(sign * wide * 0.4, 0.08, z / 2) for sign in (-1, 1)], (0.07, 0.07, z)) if plan["on_posts"] else None
    return found, [(posts, paint.plain(_GREY))] if posts is not None else []


def _light_parts(plan: dict[str, Any], paint: Paint) -> tuple[Parts, Parts]:
    """Three lenses in a black box, with or without a white-edged board behind."""
    z, colours = plan["height"], ((0.8, 0.03, 0.01), (0.85, 0.35, 0.01), (0.05, 0.7, 0.3))
    case = boxes([(0, -0.12, z + 0.45)], [(0.3, 0.22, 0.95)])
    hoods = boxes([(0, -0.3, z + 0.3 * i + 0.27) for i in range(3)], (0.24, 0.16, 0.02))
    found: Parts = [(joined([case, hoods]), paint.plain(_BLACK))]
    if plan["backing"]:
        found.append((boxes([(0, -0.02, z + 0.45)], [(0.56, 0.02, 1.2)]), paint.plain(_WHITE)))
        found.append((boxes([(0, -0.04, z + 0.45)], [(0.5, 0.02, 1.14)]), paint.plain(_BLACK)))
    for number, colour in enumerate(colours):
        lens = cylinder(0.1, 0.03, segments=14).turned(math.pi / 2, "x").moved((0, -0.23, z + 0.75 - 0.3 * number))
        lit = number == plan["phase"]
        found.append(
            (lens, paint.plain(colour if lit else [0.15 * c for c in colour], roughness=0.2, glow=2.5 if lit else 0.0))
        )
    return found, [(cylinder(0.055, z + 0.5, segments=10), paint.plain(_GREY, roughness=0.5))]
