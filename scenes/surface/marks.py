"""What a sound surface shows beside its texture: dirt, prints, grinding swirls, glare. None of it is a defect."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scenes.kit.footprint import Footprint
from scenes.kit.sampling import Span, Streams, chance, log_uniform, pick, seed_of, settle, uniform, whole
from scenes.kit.sensor import Component
from scenes.surface.canvas import TEXEL, Canvas, Layer, Window, edged
from scenes.surface.fields import noise, strokes

KINDS = ("dirt", "print", "swirl", "glare", "grinding")

_MACHINED: dict[str, float] = {}
_RAW = {"swirl": 0.05, "grinding": 0.05}
_LIKING = {"tile": _MACHINED, "metal": _MACHINED, "concrete": _RAW, "fabric": _RAW}


@dataclass(frozen=True, kw_only=True)
class Marks(Component):
    """``count`` marks a picture, of ``kinds`` by weight, as strong as ``contrast`` (0 to 1)."""

    count: Span = (0, 4)
    kinds: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 1.0))
    contrast: Span = (0.1, 0.7)
    spans: ClassVar = {"count": (0, 40), "contrast": (0.0, 1.0)}

    def __post_init__(self) -> None:
        settle(self, spans=self.spans, weights={"kinds": KINDS})

    def plan(self, streams: Streams, *, material: str, footprint: Footprint) -> list[dict[str, Any]]:
        """Draw them, each from a stream of its own; traces of tools are rare on what is not machined. Wide pictures
        have as many more as they are wider than 4:3.
        """
        if not self.enabled:
            return []
        weights = {kind: weight * _LIKING[material].get(kind, 1.0) for kind, weight in self.kinds.items()}
        draw = streams("marks")
        number = int(whole(draw, self.count) * footprint.longer(2 / 3) + draw.random())
        return [self._one(streams(f"mark-{index}"), weights, footprint) for index in range(number)]

    def _one(self, rng: np.random.Generator, weights: Mapping[str, float], footprint: Footprint) -> dict[str, Any]:
        kind, along, across = pick(rng, weights), *(uniform(rng, (-0.5, 0.5)) for _ in range(2))
        x, y = footprint.ground(along * footprint.longer(0.5), across)
        return {
            "kind": kind,
            "x": round(x, 6),
            "y": round(y, 6),
            "turn": uniform(rng, (0, 2 * math.pi)),
            "size": log_uniform(rng, (0.08, 0.5)),
            "bright": chance(rng, 0.5),
            "contrast": uniform(rng, self.contrast),
            "seed": seed_of(rng),
        }


def draw(canvas: Canvas, plans: list[dict[str, Any]]) -> None:
    """Lay all marks on the canvas; draw defects after them."""
    for plan in plans:
        strip = plan["kind"] == "grinding"
        reach = sum(side.length for side in canvas.sides) if strip else 1.2 * plan["size"] + 0.02
        where = canvas.window(plan["x"], plan["y"], 0.0 if strip else plan["turn"], reach)
        if where is not None:
            canvas.add(where, _DRAWN[plan["kind"]](plan, np.random.default_rng(plan["seed"]), where))


def _dirt(plan: dict[str, Any], rng: np.random.Generator, where: Window) -> Layer:
    """Specks far smaller than pits, and soft."""
    spots = rng.normal(0, 0.5 * plan["size"], (int(rng.integers(5, 30)), 2))
    lines = [(spot + np.array([[0.0, 0.0], [0.003, 0.002]]), np.full(2, rng.uniform(0.0015, 0.0035))) for spot in spots]
    signed = strokes(lines, where.x, where.y, step=TEXEL, reach=0.012)
    return Layer(edged(signed, 0.006), 1 - 0.6 * plan["contrast"])


def _print(plan: dict[str, Any], rng: np.random.Generator, where: Window) -> Layer:
    """Figures of a stamp or a pen: straight strokes and arcs of one width, side by side."""
    height = float(np.clip(0.35 * plan["size"], 0.04, 0.12))
    lines = []
    for place in range(int(rng.integers(1, 5))):
        corner = np.array([0.8 * height * (place - 1.5), -height / 2])
        lines += [(corner + height * glyph, np.full(len(glyph), 0.0035)) for glyph in _glyph(rng)]
    signed = strokes(lines, where.x, where.y, step=TEXEL, reach=0.01)
    return Layer(edged(signed, 0.004), 1 + (0.7 if plan["bright"] else -0.6) * plan["contrast"])


def _glyph(rng: np.random.Generator) -> list[Any]:
    """Two or three strokes within half a unit by one unit."""
    corners = np.array([(0, 0), (0.5, 0), (0, 0.5), (0.5, 0.5), (0, 1), (0.5, 1)])
    strokes_ = [corners[rng.choice(6, 2, replace=False)].astype(float) for _ in range(int(rng.integers(1, 4)))]
    angle = np.linspace(0, rng.uniform(2, 2 * np.pi), 12) + rng.uniform(0, 6)
    arc = np.array([0.25, rng.choice([0.25, 0.75])]) + 0.25 * np.stack([np.cos(angle), np.sin(angle)], -1)
    return [*strokes_, arc]


def _swirl(plan: dict[str, Any], rng: np.random.Generator, where: Window) -> Layer:
    """Faint arcs that a rotating tool leaves."""
    middle = rng.normal(0, 1.0, 2) * plan["size"]
    away = np.hypot(where.x - middle[0], where.y - middle[1])
    rings = np.clip(noise(rng, away / 0.008, 0 * away, octaves=2) - 0.15, 0, 1)
    fade = np.clip(1 - np.hypot(where.x, where.y) / plan["size"], 0, 1) ** 0.5
    return Layer(rings * fade, 1 + (0.9 if plan["bright"] else -0.7) * plan["contrast"])


def _glare(plan: dict[str, Any], rng: np.random.Generator, where: Window) -> Layer:
    """A wide soft gleam, brighter than its surroundings."""
    away = np.hypot(where.x, where.y * rng.uniform(1, 3)) / plan["size"]
    return Layer(np.clip(1 - away, 0, 1) ** 2, 1 + 0.8 * plan["contrast"])


def _grinding(plan: dict[str, Any], rng: np.random.Generator, where: Window) -> Layer:
    """A strip from edge to edge that was ground more, or less, than the rest: more or fewer bright streaks."""
    strip = np.clip(0.5 + (0.4 * plan["size"] - abs(where.x)) / 0.03, 0, 1)
    streaks = noise(rng, where.x / 0.009, where.y / 0.5, octaves=1)
    return Layer(strip, 1 + plan["contrast"] * (0.7 * streaks + (0.1 if plan["bright"] else -0.1)))


_DRAWN: dict[str, Callable[[dict[str, Any], np.random.Generator, Window], Layer]] = {
    "dirt": _dirt,
    "print": _print,
    "swirl": _swirl,
    "glare": _glare,
    "grinding": _grinding,
}
