"""Wrenches and toy bricks; lengths in metres, lying on z = 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.kit import meshes
from scenes.kit.meshes import Mesh
from scenes.tabletop.solids import Array, Solid, box_hull, hexagon, rings

WRENCHES = ("open", "combination", "ring")


def wrench(plan: dict[str, Any]) -> Solid:
    """A flat spanner along x: open jaws or rings at its ends, the shaft between them thinner than the heads."""
    length, thick, head = plan["length"], plan["thickness"], plan["head"]
    first, second = {"open": ("jaw", "jaw"), "combination": ("jaw", "ring"), "ring": ("ring", "ring")}[plan["kind"]]
    small = head * plan["ratio"]
    right = _end(first, head, thick).moved((length / 2 - head, 0, 0))
    left = _end(second, small, thick).turned(math.pi).moved((small - length / 2, 0, 0))
    wide, low = 0.42 * small, 0.3 * thick
    shaft = meshes.prism(_shaft(length / 2 - 1.7 * head, length / 2 - 1.7 * small, 0.5 * head, wide), 0.6 * thick)
    ends = [
        box_hull((x - r, -r, 0.0), (x + r, r, thick))
        for x, r in ((length / 2 - head, head), (small - length / 2, small))
    ]
    across = box_hull((small - length / 2, -0.5 * head, 0.2 * thick), (length / 2 - head, 0.5 * head, 0.8 * thick))
    body = meshes.joined([right, left, shaft.moved((0, 0, 0.5 * thick - low))])
    return Solid(((body, "body"),), (*ends, across))


def _shaft(right: float, left: float, wide: float, narrow: float) -> Array:
    """Outline, anticlockwise: flared where it meets the heads."""
    return np.array(
        [
            (-left - narrow, -1.15 * narrow), (-left, -narrow), (right, -0.85 * wide), (right + wide, -1.1 * wide),
            (right + wide, 1.1 * wide), (right, 0.85 * wide), (-left, narrow), (-left - narrow, 1.15 * narrow),
        ]
    )  # fmt: skip


def _end(kind: str, radius: float, thick: float) -> Mesh:
    """A head around the origin, its shaft coming from -x."""
    if kind == "jaw":
        return meshes.prism(_jaw(radius), thick)
    hole, edge = hexagon(0.6 * radius), 0.12 * thick
    outside = [(radius - edge, 0.0), (radius, edge), (radius, thick - edge), (radius - edge, thick)]
    return rings([*outside, (hole + edge, thick), (hole, thick - edge), (hole, edge), (hole + edge, 0.0)], closed=True)


def _jaw(radius: float) -> Array:
    """Outline of an open end whose slot points 15 degrees off the shaft."""
    half, lean = 0.52 * radius, math.radians(15)
    gape = math.asin(half / radius)
    arc = np.linspace(lean + gape, lean + 2 * math.pi - gape, 40)
    stretch = 1 + 0.12 * np.cos(arc - lean)
    around = np.stack([radius * stretch * np.cos(arc), radius * stretch * np.sin(arc)], -1)
    slot = np.array([(-0.25 * radius, -half), (-0.52 * radius, 0.0), (-0.25 * radius, half)])
    turn = np.array([(math.cos(lean), math.sin(lean)), (-math.sin(lean), math.cos(lean))])
    return np.concatenate([around, slot @ turn])


def brick(plan: dict[str, Any]) -> Solid:
    """A toy brick with studs, hollow below; ``pitch`` is the distance of two studs."""
    pitch, high = plan["pitch"], plan["height"]
    x, y = plan["studs"][0] * pitch, plan["studs"][1] * pitch
    wall, stud = 0.19 * pitch, 0.22 * pitch
    sides = [
        meshes.box((size[0], size[1], high)).moved((at[0], at[1], 0))
        for size, at in (
            ((x, wall), (0, (y - wall) / 2)),
            ((x, wall), (0, (wall - y) / 2)),
            ((wall, y - 2 * wall), ((x - wall) / 2, 0)),
            ((wall, y - 2 * wall), ((wall - x) / 2, 0)),
        )
    ]
    lid = meshes.box((x - 1.9 * wall, y - 1.9 * wall, wall)).moved((0, 0, 0.999 * high - wall))
    knob = meshes.lathe([(0.3 * pitch, 0), (0.3 * pitch, 0.9 * stud), (0.27 * pitch, stud), (0, stud)], 20)
    tube = meshes.lathe(
        [(0.4 * pitch, high - wall), (0.4 * pitch, 0), (0.3 * pitch, 0), (0.3 * pitch, high - wall)], 16
    )
    knobs = [knob.moved((a, b, 0.999 * high)) for a, b in _grid(plan["studs"], pitch)]
    inner = [count - 1 for count in plan["studs"]]
    tubes = [tube.moved((a, b, 0)) for a, b in _grid(inner, pitch)] if min(inner) else []
    body = meshes.joined([*sides, lid, *knobs, *tubes])
    return Solid(((body, "body"),), (box_hull((-x / 2, -y / 2, 0), (x / 2, y / 2, high + stud)),))


def _grid(counts: list[int], pitch: float) -> list[tuple[float, float]]:
    along, across = ([(i - (count - 1) / 2) * pitch for i in range(count)] for count in counts)
    return [(a, b) for a in along for b in across]
