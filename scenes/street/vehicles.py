"""Meshes of cars, vans, lorries and buses: shells lofted over a side view, with panes, wheels, lamps and plates.

A vehicle stands on z = 0 around the origin and heads along +y.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scenes.kit.meshes import Mesh, cylinder, joined
from scenes.street.paint import Paint, shaded
from scenes.street.solids import boxes, panes

Parts = list[tuple[Mesh, Any]]

Station = tuple[float, float, float, str, str]
"""Share of the length from the tail, height of the top, share of the width, and what the sides and the top are up to
the next station: p painted, g glass."""

_CAR: dict[str, dict[str, Any]] = {
    "hatchback": {
        "size": (3.9, 1.68, 1.46), "belt": 0.92, "wheels": (0.19, 0.80),
        "line": [(0.0, 0.62, 0.90, "p", "p"), (0.01, 0.92, 0.94, "p", "g"), (0.07, 1.36, 0.98, "p", "p"),
                 (0.09, 1.41, 1.0, "g", "p"), (0.30, 1.46, 1.0, "p", "p"), (0.325, 1.46, 1.0, "g", "p"),
                 (0.56, 1.42, 1.0, "p", "g"), (0.60, 1.33, 1.0, "g", "g"), (0.74, 0.97, 1.0, "p", "p"),
                 (0.93, 0.80, 0.97, "p", "p"), (0.99, 0.68, 0.88, "p", "p"), (1.0, 0.5, 0.84, "p", "p")],
    },
    "saloon": {
        "size": (4.5, 1.76, 1.42), "belt": 0.92, "wheels": (0.20, 0.81),
        "line": [(0.0, 0.66, 0.88, "p", "p"), (0.01, 0.93, 0.92, "p", "p"), (0.15, 0.98, 0.98, "p", "g"),
                 (0.27, 1.34, 1.0, "p", "p"), (0.30, 1.38, 1.0, "g", "p"), (0.44, 1.42, 1.0, "p", "p"),
                 (0.46, 1.42, 1.0, "g", "p"), (0.58, 1.38, 1.0, "p", "g"), (0.61, 1.32, 1.0, "g", "g"),
                 (0.73, 0.97, 1.0, "p", "p"), (0.94, 0.82, 0.96, "p", "p"), (1.0, 0.62, 0.85, "p", "p")],
    },
    "estate": {
        "size": (4.6, 1.78, 1.58), "belt": 0.98, "wheels": (0.19, 0.81),
        "line": [(0.0, 0.68, 0.90, "p", "p"), (0.01, 1.0, 0.94, "p", "g"), (0.05, 1.50, 0.98, "p", "p"),
                 (0.08, 1.54, 1.0, "g", "p"), (0.26, 1.58, 1.0, "p", "p"), (0.28, 1.58, 1.0, "g", "p"),
                 (0.45, 1.58, 1.0, "p", "p"), (0.47, 1.58, 1.0, "g", "p"), (0.62, 1.52, 1.0, "p", "g"),
                 (0.65, 1.44, 1.0, "g", "g"), (0.75, 1.04, 1.0, "p", "p"), (0.95, 0.90, 0.96, "p", "p"),
                 (1.0, 0.66, 0.86, "p", "p")],
    },
    "jeep": {
        "size": (4.4, 1.85, 1.80), "belt": 1.12, "wheels": (0.19, 0.81),
        "line": [(0.0, 0.7, 0.93, "p", "p"), (0.01, 1.12, 0.96, "p", "g"), (0.03, 1.70, 0.98, "p", "p"),
                 (0.06, 1.77, 1.0, "g", "p"), (0.24, 1.80, 1.0, "p", "p"), (0.26, 1.80, 1.0, "g", "p"),
                 (0.44, 1.80, 1.0, "p", "p"), (0.46, 1.80, 1.0, "g", "p"), (0.62, 1.76, 1.0, "p", "g"),
                 (0.64, 1.68, 1.0, "g", "g"), (0.71, 1.18, 1.0, "p", "p"), (0.96, 1.06, 0.96, "p", "p"),
                 (1.0, 0.75, 0.90, "p", "p")],
    },
    "van": {
        "size": (5.0, 1.95, 2.20), "belt": 1.22, "wheels": (0.18, 0.80),
        "line": [(0.0, 0.7, 0.96, "p", "p"), (0.005, 1.22, 0.97, "p", "g"), (0.015, 1.95, 0.98, "p", "p"),
                 (0.02, 2.15, 1.0, "p", "p"), (0.60, 2.20, 1.0, "p", "p"), (0.66, 2.18, 1.0, "g", "p"),
                 (0.76, 2.05, 1.0, "p", "g"), (0.79, 1.90, 1.0, "g", "g"), (0.89, 1.28, 0.99, "p", "p"),
                 (0.98, 1.05, 0.94, "p", "p"), (1.0, 0.7, 0.88, "p", "p")],
    },
}  # fmt: skip
"""Cars whose roof is drawn by a side view."""

_BOXY: dict[str, dict[str, Any]] = {
    "lorry": {"size": (6.8, 2.25, 2.95), "cab": 1.6},
    "bus": {"size": (10.5, 2.5, 3.0), "rows": 1},
    "double_decker": {"size": (10.5, 2.5, 4.3), "rows": 2},
}
"""Vehicles made of blocks."""

BODIES = (*_CAR, *_BOXY)

_BLACK, _GREY = (0.015, 0.015, 0.017), (0.30, 0.30, 0.31)


def size(body: str) -> tuple[float, float, float]:
    """Length, width and height in metres."""
    found: tuple[float, float, float] = (_CAR.get(body) or _BOXY[body])["size"]
    return found


def parts(plan: dict[str, Any], paint: Paint) -> Parts:
    """All meshes of one vehicle with their materials."""
    body = plan["body"]
    shell = paint.plain(plan["colour"], roughness=plan["gloss"], metallic=plan["metallic"])
    found = _shell(_CAR[body], shell, paint) if body in _CAR else _blocks(body, plan, shell, paint)
    return found + _wheels(body, paint) + _fittings(body, plan, paint)


def _shell(spec: dict[str, Any], shell: Any, paint: Paint) -> Parts:
    """Rings of eight points over the side view; the faces between them sorted by material."""
    rings = _rings(spec)
    faces = np.stack([rings[:-1, :-1], rings[1:, :-1], rings[1:, 1:], rings[:-1, 1:]], 2)
    glazed, dark = np.zeros(faces.shape[:2], bool), np.zeros(faces.shape[:2], bool)
    for number, (_, _, _, side, top) in enumerate(spec["line"][:-1]):
        glazed[number, [2, 4]] = side == "g"
        glazed[number, 3] = top == "g"
    dark[:, [0, 6]] = True
    ends = [joined_ring(rings[0]), joined_ring(rings[-1][::-1])]
    return [
        (joined([panes(faces[~glazed & ~dark]), *ends]), shell),
        (panes(faces[dark]), paint.plain(_BLACK, roughness=0.6)),
        (panes(faces[glazed]), paint.glass((0.012, 0.015, 0.017))),
        (boxes([(0, 0, 0.3)], [(spec["size"][1] * 0.8, spec["size"][0] * 0.95, 0.2)]), paint.plain(_BLACK)),
    ]


def joined_ring(ring: Any) -> Mesh:
    """The flat face that a ring of points spans."""
    return Mesh(ring, (np.arange(len(ring))[None],))


def _rings(spec: dict[str, Any]) -> Any:
    length, width, roof = spec["size"]
    place, top, share, _, _ = zip(*spec["line"], strict=True)
    y, top, half = (np.array(place) - 0.5) * length, np.array(top), np.array(share) * width / 2
    belt = np.minimum(spec["belt"] - 0.02, top - 0.03)
    slope = np.clip((top - belt) / (roof - spec["belt"]), 0, 1)
    low, sill = np.full_like(y, 0.22), np.full_like(y, 0.36)
    columns = [(0.94 * half, low), (half, sill), (half * 0.985, belt), (half * (0.95 - 0.16 * slope), top)]
    right = [np.stack([x, y, z], -1) for x, z in columns]
    left = [part * (-1, 1, 1) for part in reversed(right)]
    return np.stack(right + left, 1)


def _blocks(body: str, plan: dict[str, Any], shell: Any, paint: Paint) -> Parts:
    length, width, height = size(body)
    glass, dark = paint.glass(), paint.plain(_BLACK)
    floor = boxes([(0, 0, 0.55)], [(width * 0.9, length * 0.96, 0.4)])
    if body == "lorry":
        cab = _BOXY[body]["cab"]
        load = boxes([(0, -cab / 2 - 0.05, (height + 0.9) / 2)], [(width, length - cab - 0.1, height - 0.9)])
        front = length / 2 - cab / 2
        cabin = boxes([(0, front, 1.25)], [(width * 0.92, cab, 1.6)])
        screen = boxes([(0, front, 1.72)], [(width * 0.84, cab + 0.03, 0.6)])
        doors = boxes([(0, front + 0.1, 1.72)], [(width * 0.93, cab * 0.6, 0.55)])
        return [
            (load, paint.plain(plan["second"], roughness=0.5)),
            (cabin, shell),
            (joined([screen, doors]), glass),
            (floor, dark),
        ]
    body_box = boxes([(0, 0, (height + 0.35) / 2)], [(width, length, height - 0.35)])
    rows = [1.75, 3.35][: _BOXY[body]["rows"]]
    sides = boxes([(0, 0, z) for z in rows], [(width + 0.03, length - 0.5, 0.8)])
    ends = boxes([(0, 0, z) for z in rows], [(width - 0.25, length + 0.03, 0.95)])
    posts = [(0, y, z) for z in rows for y in np.arange(-length / 2 + 1.5, length / 2 - 0.6, 1.45)]
    band = boxes([(0, 0, 0.75)], [(width + 0.02, length + 0.02, 0.35)])
    return [
        (joined([body_box, boxes(posts, (width + 0.05, 0.1, 0.85))]), shell),
        (joined([sides, ends]), glass),
        (band, paint.plain(plan["second"], roughness=0.4)),
        (floor, dark),
    ]


def _wheels(body: str, paint: Paint) -> Parts:
    length, width, height = size(body)
    radius = 0.31 if height < 2.0 else 0.36 if height < 2.5 else 0.48
    along = _CAR[body]["wheels"] if body in _CAR else (0.24, 0.84)
    tyres, rims, arches = [], [], []
    for share in along:
        for sign in (-1, 1):
            at = (sign * (width / 2 - 0.08), (share - 0.5) * length, radius)
            wheel = cylinder(radius, 0.2, segments=18).moved((0, 0, -0.1)).turned(np.pi / 2, "y")
            tyres.append(wheel.moved(at))
            rims.append(
                cylinder(radius * 0.6, 0.215, segments=12).moved((0, 0, -0.1075)).turned(np.pi / 2, "y").moved(at)
            )
            arch = cylinder(radius * 1.18, 0.17, segments=18).moved((0, 0, -0.085)).turned(np.pi / 2, "y")
            arches.append(arch.moved((at[0], at[1], radius * 1.06)))
    return [
        (joined([*tyres, *arches]), paint.plain(_BLACK, roughness=0.9)),
        (joined(rims), paint.plain(_GREY, roughness=0.35, metallic=0.7)),
    ]


def _fittings(body: str, plan: dict[str, Any], paint: Paint) -> Parts:
    """Lamps, plates, bumpers, grille, mirrors."""
    length, width, height = size(body)
    car = height < 2.0
    end, lamp, half = length / 2, (0.72 if car else 0.85), width / 2
    rear_lamp = 0.85 if car else 1.0
    shell = shaded(plan["colour"], 0.9) if plan["painted_bumpers"] else _BLACK
    bumpers = boxes([(0, end - 0.04, 0.45), (0, 0.04 - end, 0.45)], (width * 0.93, 0.16, 0.24))
    grille = boxes([(0, end, lamp - 0.08)], [(width * 0.42, 0.06, 0.14)])
    heads = boxes([(sign * half * 0.68, end - 0.05, lamp) for sign in (-1, 1)], (0.34, 0.16, 0.17))
    tails = boxes([(sign * half * 0.82, 0.03 - end, rear_lamp) for sign in (-1, 1)], (0.16, 0.12, 0.25))
    mirrors = boxes([(sign * (half + 0.08), length * 0.19, 1.0 if car else 1.5) for sign in (-1, 1)], (0.2, 0.1, 0.15))
    front = boxes([(0, end + 0.05, 0.47)], [(0.52, 0.02, 0.12)])
    rear = boxes([(0, -end - 0.05, 0.62 if car else 0.5)], [(0.52, 0.02, 0.12)])
    lit, braking = (1.6 if plan["lamps"] else 0.0), (1.4 if plan["braking"] else 0.12 if plan["lamps"] else 0.0)
    return [
        (bumpers, paint.plain(shell, roughness=0.5)),
        (joined([grille, mirrors]), paint.plain(_BLACK, roughness=0.5)),
        (heads, paint.plain((0.75, 0.76, 0.78), roughness=0.15, glow=lit)),
        (tails, paint.plain((0.5, 0.015, 0.01), roughness=0.2, glow=braking)),
        (front, paint.plain((0.75, 0.75, 0.72))),
        (rear, paint.plain((0.78, 0.55, 0.06))),
    ]
