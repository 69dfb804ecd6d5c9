"""From a defect's numbers to its shape on the canvas: one function a kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from scenes.surface.canvas import TEXEL, Canvas, Layer, Plane, Window, edged
from scenes.surface.defects import KINDS
from scenes.surface.fields import noise, polygon, strokes, wander

Lines = list[tuple[Plane, Plane]]


def draw(canvas: Canvas, plans: list[dict[str, Any]]) -> dict[int, int]:
    """Draw all defects; returns the class id of each number in use, from 1. One number is one instance."""
    classes: dict[int, int] = {}
    for plan in plans:
        for where, layer in _layers(canvas, plan):
            number = len(classes) + 1
            classes[number] = KINDS.index(plan["kind"]) + 1
            canvas.add(where, layer, number)
    return classes


def _layers(canvas: Canvas, plan: dict[str, Any]) -> Iterator[tuple[Window, Layer]]:
    """Where the defect is on the sheet and what it does there; a cluster of pits gives one a pit."""
    rng = np.random.default_rng(plan["seed"])
    parts = [plan | pit | {"x": plan["x"] + pit["dx"], "y": plan["y"] + pit["dy"]} for pit in plan["pits"]] or [plan]
    for part in parts:
        where = canvas.window(part["x"], part["y"], part["turn"], 1.4 * part["size"] + 0.02)
        if where is not None:
            yield where, DRAWN[plan["kind"]](part, rng, where)


def scratch(plan: dict[str, Any], rng: np.random.Generator, where: Window) -> Layer:
    """Thin, slightly bent lines that taper towards their ends."""
    number = {"single": 1, "several": 3, "bundle": 6}[plan["form"]]
    lines: Lines = []
    for index in range(number):
        length = plan["size"] * (1 if index == 0 else rng.uniform(0.3, 0.9))
        points = wander(rng, length=length, steps=24, bend=rng.normal(0, 0.35), jag=0.03, heading=rng.normal(0, 0.08))
        points = points - points.mean(0) + (rng.normal(0, [0.15, 0.06]) * plan["size"] if index else 0)
        taper = np.sin(np.linspace(0.12, np.pi - 0.12, len(points))) ** 0.5
        lines.append((points, _half(0.0075, plan) * taper * rng.uniform(0.7, 1.2, len(points))))
    signed = strokes(lines, where.x, where.y, step=0.7 * TEXEL, reach=6 * TEXEL)
    tone = 1 + 1.6 * plan["contrast"] if plan["bright"] else 1 - 0.75 * plan["contrast"]
    return Layer(edged(signed), tone, height=-0.004 * plan["contrast"], erase=0.6, rough=-0.1)


def crack(plan: dict[str, Any], rng: np.random.Generator, where: Window) -> Layer:
    """A jagged dark line of changing width, its places shaken by noise; some have branches."""
    trunk = wander(rng, length=plan["size"], steps=20, bend=rng.normal(0, 0.8), jag=0.33)
    if not plan["at_edge"]:
        trunk = trunk - trunk[len(trunk) // 2]
    lines: Lines = [
        (trunk, _half(0.016, plan) * np.linspace(1.0, 0.45, len(trunk)) * rng.uniform(0.55, 1.5, len(trunk)))
    ]
    for _ in range(int(rng.integers(2, 5)) if plan["form"] == "branching" else 0):
        start = int(rng.integers(2, len(trunk) - 3))
        along = np.arctan2(*(trunk[start + 1] - trunk[start])[::-1])
        heading = along + rng.choice([-1, 1]) * rng.uniform(0.5, 1.2)
        length = plan["size"] * rng.uniform(0.12, 0.45)
        points = trunk[start] + wander(rng, length=length, steps=9, bend=0.2, jag=0.35, heading=float(heading))
        lines.append((points, _half(0.011, plan) * np.linspace(0.9, 0.4, len(points))))
    shake = [0.006 * noise(rng, where.x / 0.03, where.y / 0.03, octaves=3) for _ in range(2)]
    signed = strokes(lines, where.x + shake[0], where.y + shake[1], step=0.7 * TEXEL, reach=8 * TEXEL)
    depth = np.clip(signed / 0.004, 0, 1)
    return Layer(edged(signed), 1 - (0.55 + 0.4 * depth) * plan["contrast"], height=-0.012 * depth, erase=0.7)


def blowhole(plan: dict[str, Any], rng: np.random.Generator, where: Window) -> Layer:
    """A dark pit, its rim bright on one side, as light catches it."""
    radius = plan["size"] / 2
    x, y = where.x, where.y / plan["oval"]
    away = np.hypot(x, y) * (1 + 0.22 * noise(rng, 1.6 * x / radius, 1.6 * y / radius, octaves=2))
    signed = (radius - away) * plan["oval"] ** 0.5
    deep = np.clip(signed / (0.35 * radius), 0, 1)
    lit = np.clip((x * np.cos(1.0) + y * np.sin(1.0)) / radius, -1, 1) * rng.uniform(0, 1)
    rim = (1 - deep) * np.clip(lit, 0, 1)
    tone = 1 - plan["contrast"] * (0.5 + 0.45 * deep) + plan["contrast"] * 0.9 * rim
    return Layer(edged(signed), np.clip(tone, 0.03, 3), height=-0.35 * radius * deep**0.7, erase=0.8, rough=0.1)


def chip(plan: dict[str, Any], rng: np.random.Generator, where: Window) -> Layer:
    """A piece broken out: an angular outline, facets of differing brightness that slope, or the ripples of a shell."""
    radius = plan["size"] / 2
    grain = noise(rng, where.x / radius * 2, where.y / radius * 2, octaves=4)
    signed = np.max([_flake(rng, radius, where) for _ in range(2)], axis=0) + 0.22 * radius * grain
    tone, height = _facets(rng, radius, where) if plan["form"] == "facets" else _shell(rng, radius, where)
    fine = 0.25 * noise(rng, where.x / 0.012, where.y / 0.012, octaves=2)
    shade = (0.45 if plan["bright"] else -0.6) + 0.5 * tone + fine
    depth = np.clip(signed / (0.35 * radius), 0, 1)
    level = np.clip(1 + plan["contrast"] * shade - 0.3 * plan["contrast"] * (depth < 0.12), 0.05, 2.5)
    return Layer(edged(signed), level, height=-0.12 * radius * depth + 0.12 * radius * height, erase=0.95, rough=0.25)


def _flake(rng: np.random.Generator, radius: float, where: Window) -> Plane:
    """A convex polygon of random sides, a little off the middle."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, 3)) + np.arange(3) * 0.3
    angle = np.concatenate([angle, angle + np.pi * rng.uniform(0.8, 1.2)])
    offsets = radius * rng.uniform(0.35, 0.95, len(angle))
    shift = rng.normal(0, 0.2, 2) * radius
    return polygon(np.stack([np.cos(angle), np.sin(angle)], -1), offsets, where.x - shift[0], where.y - shift[1])


def _facets(rng: np.random.Generator, radius: float, where: Window) -> tuple[Plane, Plane]:
    """Brightness and height, -1 to 1, of a few planes that meet in edges: the highest one shows."""
    slopes, levels = rng.normal(0, 0.6, (6, 2)), rng.uniform(-0.3, 0.3, 6)
    planes = np.stack([(a * where.x + b * where.y) / radius + c for (a, b), c in zip(slopes, levels, strict=True)])
    top = planes.argmax(0)
    return np.clip(slopes @ np.array([0.7, 0.7]), -1, 1)[top], np.clip(planes.max(0) - 0.6, -1, 1)


def _shell(rng: np.random.Generator, radius: float, where: Window) -> tuple[Plane, Plane]:
    """Ripples around the point that was hit, as glass and ceramics break."""
    hit = rng.normal(0, 0.8, 2) * radius
    away = np.hypot(where.x - hit[0], where.y - hit[1]) / radius + 0.12 * noise(rng, where.x / radius, where.y / radius)
    ripple = np.sin(away * rng.uniform(7, 14))
    slope = (where.x * np.cos(hit[0]) + where.y * np.sin(hit[1])) / radius
    return np.clip(0.35 * ripple + 0.5 * slope, -1, 1), 0.12 * ripple


def stain(plan: dict[str, Any], rng: np.random.Generator, where: Window) -> Layer:
    """Another tint with a soft edge; the label ends where the tint is half as strong as it gets."""
    size = plan["size"] / 2
    ragged = noise(rng, where.x / size * 1.4, where.y / size * 1.4, octaves=4)
    long = {"run": 2.6, "band": 9.0}.get(plan["form"], 1.0)
    away = np.hypot(where.x / long**0.3, where.y * long**0.5)
    signed = 0.8 * size - away + 0.42 * size * ragged / long**0.4
    soft = size * {"band": 0.15, "ring": 0.12}.get(plan["form"], 0.35)
    opacity = edged(signed, soft * plan["width"])
    if plan["form"] == "ring":
        opacity = np.maximum(opacity * 0.75, opacity * edged(0.12 * size - abs(signed - 0.12 * size), soft))
    tone = 1 + 0.6 * plan["contrast"] if plan["bright"] else 1 - 0.55 * plan["contrast"]
    mottle = 1 + 0.12 * noise(rng, where.x / 0.05, where.y / 0.05)
    return Layer(opacity, tone * mottle, rough=-0.2 if plan["form"] == "run" else 0.1, tint=tuple(plan["tint"]))


def fray(plan: dict[str, Any], rng: np.random.Generator, where: Window) -> Layer:
    """A surface that has come loose: a ragged band or a large rubbed patch; on cloth a tangle of threads."""
    size = plan["size"] / 2
    across = 0.85 if plan["form"] == "patch" else 0.45
    fuzz = noise(rng, where.x / size * 2.2, where.y / size * 2.2, octaves=4)
    body = (1 - np.hypot(where.x, where.y / across) / size) * size * across**0.5 + 0.3 * size * across * fuzz
    if plan["form"] == "patch":
        return _rubbed(plan, rng, where, body)
    loose = plan["form"] == "threads"
    lines = _threads(rng, size, across, number=70 if loose else 28, width=0.0065 if loose else 0.0045)
    threads = strokes(lines, where.x, where.y, step=0.8 * TEXEL, reach=6 * TEXEL)
    body = body - 0.35 * size * across * loose
    fibres = noise(rng, where.x / 0.06, where.y / 0.006, octaves=3) + 0.7 * noise(rng, where.x / 0.012, where.y / 0.012)
    base = (0.3 if plan["bright"] else -0.4) - 0.4 * loose
    light = base + 0.7 * fibres + (1.1 if loose else 0.5) * (threads > 0)
    tone = np.clip(1 + plan["contrast"] * light, 0.08, 2.5)
    height = 0.012 * plan["contrast"] * fibres + 0.006 * np.clip(threads / 0.003, 0, 1)
    return Layer(edged(np.maximum(body, threads)), tone, height=height, erase=0.85, rough=0.3)


def _rubbed(plan: dict[str, Any], rng: np.random.Generator, where: Window, body: Plane) -> Layer:
    """Worn dull: fine grain instead of the surface's texture, its edge a little soft."""
    grain = noise(rng, where.x / 0.02, where.y / 0.02, octaves=3)
    light = (0.35 if plan["bright"] else -0.45) + 0.4 * grain
    tone = np.clip(1 + plan["contrast"] * light, 0.08, 2.5)
    return Layer(edged(body, 0.012), tone, height=0.003 * plan["contrast"] * grain, erase=0.7, rough=0.3)


def _threads(rng: np.random.Generator, size: float, across: float, *, number: int, width: float) -> Lines:
    """Curled threads, their roots in the band."""
    lines: Lines = []
    for _ in range(number):
        angle, out = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.85)
        root = size * out * np.array([np.cos(angle), across * np.sin(angle)])
        heading = np.arctan2(np.sin(angle) / across, np.cos(angle)) + rng.normal(0, 0.7)
        length = size * rng.uniform(0.15, 0.55)
        points = root + wander(rng, length=length, steps=10, bend=rng.normal(0, 1.6), jag=0.12, heading=float(heading))
        lines.append((points, np.full(len(points), width * rng.uniform(0.35, 0.6))))
    return lines


def _half(width: float, plan: dict[str, Any]) -> float:
    """Half the width of a line of the given usual width; never so thin that the texels lose it."""
    return float(max(width * plan["width"] / 2, 1.1 * TEXEL))


DRAWN: dict[str, Callable[[dict[str, Any], np.random.Generator, Window], Layer]] = {
    "scratch": scratch,
    "crack": crack,
    "blowhole": blowhole,
    "chip": chip,
    "stain": stain,
    "fray": fray,
}
