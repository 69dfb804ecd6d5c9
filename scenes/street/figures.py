"""Meshes of people, on foot and on bicycles. A figure stands on z = 0 around the origin and faces +y."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.kit.meshes import Mesh, ball, joined, lathe, tube
from scenes.street.paint import Paint
from scenes.street.solids import boxes

Parts = list[tuple[Mesh, Any]]
Point = tuple[float, float, float]

POSES = ("standing", "walking", "pushing", "carrying")
CLOTHES = ("jacket", "coat", "skirt", "dress")
BAGS = ("none", "rucksack", "handbag", "shopping")

_DARK = (0.02, 0.02, 0.022)
_METAL = (0.35, 0.35, 0.36)


def person(plan: dict[str, Any], paint: Paint) -> Parts:
    """Someone on foot, ``height`` metres tall."""
    stride = plan["stride"] if plan["pose"] != "standing" else 0.06
    scale = plan["height"] / 1.72
    found: dict[str, list[Mesh]] = {
        "legs": [_leg(sign, sign * stride) for sign in (-1, 1)],
        "shoes": [_shoe(sign, sign * stride) for sign in (-1, 1)],
        "top": [_trunk(), *(_arm(plan["pose"], sign, stride) for sign in (-1, 1))],
        "skin": [
            tube([(0, 0, 1.44), (0, 0.01, 1.55)], 0.055),
            *(_hand(plan["pose"], sign, stride) for sign in (-1, 1)),
        ],
        "hair": [_hair(plan["hair"])],
    }
    found["skin"].append(ball((0.155, 0.19, 0.235), rings=7, segments=12).moved((0, 0.015, 1.62)))
    gown = "top" if plan["clothes"] in ("coat", "dress") else "skirt"
    found[gown] = [*found.get(gown, []), *_gown(plan["clothes"])]
    found["bag"] = _bag(plan["bag"])
    parts = [
        (joined(pieces).scaled(scale), paint.plain(_tone(plan, key), roughness=0.85))
        for key, pieces in found.items()
        if pieces
    ]
    return parts + (_pram(plan, paint) if plan["pose"] == "pushing" else [])


def cyclist(plan: dict[str, Any], paint: Paint) -> Parts:
    """A rider on a bicycle, as one thing."""
    cycle, swing = plan["pedal"], 0.16
    feet = [
        (sign * 0.11, -0.05 + swing * math.cos(cycle) * sign, 0.36 + swing * math.sin(cycle) * sign) for sign in (-1, 1)
    ]
    hips, lean = (0.0, -0.22, 1.0), plan["lean"]
    neck = (0.0, -0.22 + 0.56 * math.sin(lean), 1.0 + 0.56 * math.cos(lean))
    knees = [
        (sign * 0.13, 0.5 * (foot[1] + hips[1]) + 0.28, 0.5 * (foot[2] + hips[2]) + 0.1)
        for sign, foot in zip((-1, 1), feet, strict=True)
    ]
    hands = [(sign * 0.24, 0.42, 1.04) for sign in (-1, 1)]
    shoulders = [(sign * 0.19, neck[1] - 0.02, neck[2] - 0.04) for sign in (-1, 1)]
    legs = [
        tube([(sign * 0.09, *hips[1:]), knee, foot], (0.1, 0.075, 0.05))
        for sign, knee, foot in zip((-1, 1), knees, feet, strict=True)
    ]
    arms = [
        tube([a, (a[0] * 1.25, 0.5 * (a[1] + b[1]) - 0.03, 0.5 * (a[2] + b[2]) - 0.06), b], (0.065, 0.05, 0.035))
        for a, b in zip(shoulders, hands, strict=True)
    ]
    middle = tuple(0.5 * (a + b) for a, b in zip(hips, neck, strict=True))
    trunk = tube([hips, middle, neck], (0.16, 0.18, 0.13), segments=10)
    head = (neck[0], neck[1] + 0.08, neck[2] + 0.2)
    found = {
        "legs": legs,
        "shoes": [boxes([foot], [(0.09, 0.26, 0.08)]) for foot in feet],
        "top": [trunk, *arms],
        "skin": [
            ball((0.16, 0.19, 0.23), rings=7, segments=12).moved(head),
            *(ball((0.08, 0.08, 0.08), rings=5, segments=6).moved(h) for h in hands),
        ],
        "hair": [ball((0.19, 0.25, 0.17), rings=7, segments=12).moved((head[0], head[1] - 0.01, head[2] + 0.06))],
        "bag": [ball((0.32, 0.2, 0.42), rings=6, segments=10).moved((0, middle[1] - 0.2, middle[2] + 0.08))]
        if plan["bag"] == "rucksack"
        else [],
    }
    parts = [(joined(pieces), paint.plain(_tone(plan, key), roughness=0.85)) for key, pieces in found.items() if pieces]
    return parts + bicycle(plan["frame"], paint)


def bicycle(colour: Any, paint: Paint) -> Parts:
    """Wheels, frame, saddle and handlebars."""
    rear, front, pedals = (0.0, -0.5, 0.34), (0.0, 0.55, 0.34), (0.0, -0.05, 0.32)
    saddle, head = (0.0, -0.22, 0.93), (0.0, 0.4, 0.86)
    pipes: list[tuple[Point, Point]] = [
        (rear, pedals),
        (rear, saddle),
        (pedals, saddle),
        (pedals, head),
        (saddle, head),
        (head, front),
    ]
    frame = [tube(list(pipe), 0.022, segments=6) for pipe in pipes]
    bars = tube([(-0.27, 0.38, 1.0), (0, 0.42, 1.02), (0.27, 0.38, 1.0)], 0.016, segments=6)
    angle = np.linspace(0, 2 * math.pi, 21)
    rings = [
        tube([(0, hub[1] + 0.33 * math.cos(a), hub[2] + 0.33 * math.sin(a)) for a in angle.tolist()], 0.024, segments=5)
        for hub in (rear, front)
    ]
    spokes = [
        tube(
            [
                (0, hub[1] - 0.32 * math.cos(a), hub[2] - 0.32 * math.sin(a)),
                (0, hub[1] + 0.32 * math.cos(a), hub[2] + 0.32 * math.sin(a)),
            ],
            0.005,
            segments=3,
        )
        for hub in (rear, front)
        for a in (0.0, 0.8, 1.6, 2.4)
    ]
    return [
        (joined([*frame, bars]), paint.plain(colour, roughness=0.35)),
        (joined([*rings, boxes([(0, -0.24, 0.96)], [(0.14, 0.26, 0.06)])]), paint.plain(_DARK, roughness=0.8)),
        (joined(spokes), paint.plain(_METAL, roughness=0.3, metallic=0.8)),
        (boxes([(0, -0.62, 0.72)], [(0.07, 0.03, 0.07)]), paint.plain((0.5, 0.02, 0.02), glow=0.6)),
    ]


def _tone(plan: dict[str, Any], key: str) -> Any:
    return {"shoes": _DARK, "skirt": plan["legs_colour"], "legs": plan["legs_colour"]}.get(key) or plan[f"{key}_colour"]


def _joints(sign: float, swing: float) -> tuple[Point, Point, Point]:
    """Hip, knee and ankle of a leg swung forward by ``swing`` radians."""
    bend = 0.5 * max(0.0, -swing) + 0.05
    hip = (sign * 0.09, 0.0, 0.9)
    knee = (sign * 0.095, 0.43 * math.sin(swing), 0.9 - 0.43 * math.cos(swing))
    ankle = (sign * 0.09, knee[1] + 0.4 * math.sin(swing - bend), knee[2] - 0.4 * math.cos(swing - bend))
    return hip, knee, ankle


def _leg(sign: float, swing: float) -> Mesh:
    return tube(_joints(sign, swing), (0.095, 0.07, 0.05), segments=8)


def _shoe(sign: float, swing: float) -> Mesh:
    x, y, z = _joints(sign, swing)[2]
    return boxes([(x, y + 0.06, max(z - 0.03, 0.05))], [(0.09, 0.26, 0.09)])


def _trunk() -> Mesh:
    profile = [
        (0, 0.82),
        (0.165, 0.84),
        (0.155, 1.0),
        (0.17, 1.18),
        (0.19, 1.34),
        (0.165, 1.42),
        (0.06, 1.48),
        (0, 1.48),
    ]
    return lathe(profile, 12).scaled((1, 0.66, 1))


def _wrist(pose: str, sign: float, stride: float) -> tuple[Point, Point, Point]:
    """Shoulder, elbow and wrist."""
    shoulder = (sign * 0.205, 0.0, 1.39)
    if pose == "pushing":
        return shoulder, (sign * 0.25, 0.08, 1.14), (sign * 0.2, 0.36, 1.05)
    if pose == "carrying" and sign > 0:
        return shoulder, (sign * 0.24, 0.02, 1.12), (sign * 0.16, 0.24, 1.18)
    swing = -sign * stride * 0.8
    elbow = (sign * 0.245, 0.28 * math.sin(swing), 1.39 - 0.28 * math.cos(swing))
    return (
        shoulder,
        elbow,
        (sign * 0.25, elbow[1] + 0.26 * math.sin(swing + 0.25), elbow[2] - 0.26 * math.cos(swing + 0.25)),
    )


def _arm(pose: str, sign: float, stride: float) -> Mesh:
    return tube(_wrist(pose, sign, stride), (0.065, 0.052, 0.04), segments=7)


def _hand(pose: str, sign: float, stride: float) -> Mesh:
    return ball((0.08, 0.08, 0.1), rings=5, segments=6).moved(_wrist(pose, sign, stride)[2])


def _hair(kind: str) -> Mesh:
    if kind == "long":
        return joined(
            [
                ball((0.19, 0.21, 0.2), rings=6, segments=10).moved((0, -0.015, 1.67)),
                ball((0.2, 0.1, 0.36), rings=6, segments=10).moved((0, -0.08, 1.54)),
            ]
        )
    if kind == "hat":
        return lathe([(0.14, 1.66), (0.13, 1.68), (0.1, 1.76), (0, 1.78)], 12)
    return ball((0.175, 0.205, 0.17), rings=6, segments=10).moved((0, -0.012, 1.68))


def _gown(clothes: str) -> list[Mesh]:
    """What hangs below the waist: tails of a coat, a skirt, a dress."""
    low, wide = {"jacket": (0.78, 0.17), "coat": (0.5, 0.21), "skirt": (0.48, 0.25), "dress": (0.4, 0.27)}[clothes]
    return [lathe([(0, low), (wide, low), (0.165, 0.95), (0, 0.97)], 12).scaled((1, 0.8, 1))]


def _bag(kind: str) -> list[Mesh]:
    made = {
        "rucksack": lambda: ball((0.3, 0.22, 0.44), rings=6, segments=10).moved((0, -0.2, 1.22)),
        "handbag": lambda: boxes([(0.27, -0.03, 0.88)], [(0.1, 0.3, 0.24)]),
        "shopping": lambda: joined([boxes([(sign * 0.3, 0.02, 0.52)], [(0.12, 0.28, 0.38)]) for sign in (-1, 1)]),
    }
    return [made[kind]()] if kind in made else []


def _pram(plan: dict[str, Any], paint: Paint) -> Parts:
    """A pushchair before its pusher."""
    wheels = [
        tube(
            [(x, y + 0.09 * math.cos(a), 0.1 + 0.09 * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 11).tolist()],
            0.02,
            segments=5,
        )
        for x in (-0.24, 0.24)
        for y in (0.55, 1.05)
    ]
    handles = [tube([(x, 0.36, 1.05), (x, 0.9, 0.3)], 0.015, segments=5) for x in (-0.2, 0.2)]
    hood = ball((0.46, 0.5, 0.5), rings=6, segments=10).moved((0, 0.72, 0.75))
    seat = boxes([(0, 0.85, 0.5)], [(0.44, 0.5, 0.28)])
    return [
        (joined([*wheels, *handles]), paint.plain(_DARK)),
        (joined([hood, seat]), paint.plain(plan["bag_colour"], roughness=0.8)),
    ]
