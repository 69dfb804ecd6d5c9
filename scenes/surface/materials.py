"""What the part is made of, and how canvas and texture become one material. Unit: frame sides."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from scenes.kit.nodes import Shader, Socket
from scenes.kit.sampling import Span, chance, log_uniform, seed_of, tint, uniform
from scenes.surface.canvas import Canvas

KINDS = ("tile", "metal", "concrete", "fabric")

_METALS = ((0.56, 0.57, 0.58), (0.50, 0.50, 0.48), (0.62, 0.48, 0.24), (0.60, 0.34, 0.24), (0.35, 0.37, 0.42))
_SURFACES: dict[str, dict[str, Any]] = {
    "tile": {"metallic": (0.0, 0.5), "roughness": (0.35, 0.65), "bump": (0.0, 0.0), "spread": (2.0, 5.0)},
    "metal": {"metallic": (0.75, 1.0), "roughness": (0.3, 0.55), "bump": (0.0, 0.0), "spread": (1.1, 1.8)},
    "concrete": {"metallic": (0.0, 0.0), "roughness": (0.75, 1.0), "bump": (0.001, 0.006), "spread": (1.3, 2.2)},
    "fabric": {"metallic": (0.0, 0.0), "roughness": (0.8, 1.0), "bump": (0.002, 0.006), "spread": (1.4, 3.0)},
}
"""Ranges by kind: ``bump`` is the height of the texture, ``spread`` the ratio of its two colours."""


def plan_material(rng: np.random.Generator, *, kind: str, unevenness: Span) -> dict[str, Any]:
    """Draw colours, scale and finish of the kind."""
    ranges, base = _SURFACES[kind], np.array(_colour(rng, kind))
    spread = uniform(rng, ranges["spread"])
    return {
        "kind": kind,
        "first": [round(float(c), 4) for c in np.clip(base / spread**0.5, 0.004, 0.95)],
        "second": [round(float(c), 4) for c in np.clip(base * spread**0.5, 0.004, 0.95)],
        "scale": log_uniform(rng, (0.7, 1.5)),
        "turn": round(float(rng.normal(0, 0.03)), 5)
        if kind == "tile" or chance(rng, 0.7)
        else uniform(rng, (0, math.pi)),
        "warp": uniform(rng, (0.0, 1.0)),
        "roughness": uniform(rng, ranges["roughness"]),
        "metallic": uniform(rng, ranges["metallic"]),
        "bump": uniform(rng, ranges["bump"]),
        "uneven": uniform(rng, unevenness),
        "seed": seed_of(rng),
    }


def _colour(rng: np.random.Generator, kind: str) -> list[float]:
    if kind == "metal":
        return [float(c) * float(rng.uniform(0.7, 1.2)) for c in _METALS[int(rng.integers(len(_METALS)))]]
    lightness, saturation = {"tile": ((0.08, 0.3), (0.0, 0.12)), "concrete": ((0.18, 0.55), (0.0, 0.18))}.get(
        kind, ((0.05, 0.6), (0.0, 0.85))
    )
    return tint(rng, lightness, saturation)


def part_material(plan: dict[str, Any], canvas: Canvas, classes: dict[int, int], *, frame_m: float) -> Any:
    """The texture under the canvas's opacity, tone, height and roughness; each defect's number where it is drawn.

    The opacity that the label asks is the one by which tone and height were mixed on the canvas.
    """
    shader = Shader(plan["kind"], seed=plan["seed"], unit=1.0)
    sheet = _Sheet(shader, canvas)
    texture, relief = _TEXTURES[plan["kind"]](shader, plan)
    mean = [0.58 * a + 0.42 * b for a, b in zip(plan["first"], plan["second"], strict=True)]
    colour = shader.mix(sheet.erase, shader.mix(texture, plan["first"], plan["second"]), mean)
    blotch = shader.ramp(shader.noise(1.4, detail=1), 0.3, 0.7, (1.0 - plan["uneven"], 1.0))
    colour = shader.mix(1.0, shader.mix(1.0, colour, blotch, "MULTIPLY"), sheet.tone, "MULTIPLY")
    rough = shader.math("ADD", sheet.rough, plan["roughness"])
    shader.set(Base_Color=colour, Roughness=shader.ramp(rough, 0.12, 1.0, (0.12, 1.0)), Metallic=plan["metallic"])
    shader.set(Normal=sheet.normal)
    if relief is not None:
        kept = shader.math("MULTIPLY", relief, shader.ramp(sheet.erase, 0.0, 1.0, (plan["bump"], 0.0)))
        inputs: dict[str | int, Any] = {"Height": kept, "Strength": 1.0, "Distance": frame_m, "Normal": sheet.normal}
        shader.set(Normal=shader.node("Bump", inputs).outputs["Normal"])
    for number in classes:
        same = shader.node("Math", {0: sheet.number, 1: float(number), 2: 0.5}, operation="COMPARE").outputs["Value"]
        shader.draw(number, shader.math("MULTIPLY", sheet.opacity, same))
    return shader.material


class _Sheet:
    """The canvas as sockets. Planes are read between their texels; the number, which has no between, is not."""

    def __init__(self, shader: Shader, canvas: Canvas) -> None:
        x, y, _ = shader.axes(shader.place)
        ways = zip((x, y), canvas.sides, strict=True)
        shares = (shader.math("ADD", shader.math("DIVIDE", v, s.length), -s.low / s.length) for v, s in ways)
        self.at = shader.vector(*shares, 0.0)
        right, up = canvas.slopes()
        cover = shader.planes([canvas.opacity, right, up, canvas.rough], self.at, beyond="CLIP")
        self.opacity, right, up = shader.axes(cover.outputs["Color"])
        self.rough = cover.outputs["Alpha"]
        self.normal = self._leaning(shader, shader.vector(right, up, 0.0))
        change = shader.planes([*canvas.tone, canvas.erase], self.at, beyond="CLIP").outputs
        self.tone, self.erase = shader.mix(1.0, change["Color"], (1.0, 1.0, 1.0), "ADD"), change["Alpha"]
        self.number = shader.planes([canvas.number] * 4, self.at, between="Closest", beyond="CLIP").outputs["Color"]

    def _leaning(self, shader: Shader, slope: Socket) -> Socket:
        """The mesh's normal, leaning away from where the canvas rises; the part lies level and unturned."""
        normal = shader.node("NewGeometry", {}).outputs["Normal"]
        leaning = shader.node("VectorMath", {0: normal, 1: slope}, operation="SUBTRACT").outputs["Vector"]
        return shader.node("VectorMath", {0: leaning}, operation="NORMALIZE").outputs["Vector"]


Texture = tuple[Socket, Socket | None]
"""Mix of the two colours (0 to 1), and the height that casts shadows (0 to 1), where there is any to speak of."""


def _tile(shader: Shader, plan: dict[str, Any]) -> Texture:
    """Ground ceramics: parallel marks of differing length, single bright ones, a fine grain and faint clouds."""
    scale = plan["scale"]
    lengthwise = shader.stretched((1.0, 0.02, 1.0), plan["turn"])
    marks, fine = (shader.noise(size * scale, at=lengthwise, detail=2) for size in (42.0, 150.0))
    clouds = shader.noise(2.5, detail=5)
    bright = shader.math("MULTIPLY", shader.ramp(fine, 0.52, 0.72), shader.ramp(clouds, 0.4, 0.65))
    parts = ((marks, 0.9), (fine, 0.6), (bright, 0.2 + 0.8 * plan["warp"]), (clouds, 0.7))
    return shader.ramp(_sum(shader, parts), 0.7, 2.0), None


def _metal(shader: Shader, plan: dict[str, Any]) -> Texture:
    """Rolled or brushed: fine lines all along, on broad ones."""
    at = shader.stretched((1.0, 0.012, 1.0), plan["turn"])
    return shader.ramp(shader.noise(14.0 * plan["scale"], at=at, detail=6), 0.25, 0.75), None


def _concrete(shader: Shader, plan: dict[str, Any]) -> Texture:
    """Clouds of lime, sand, and pores."""
    clouds, sand = shader.noise(2.0, detail=5, warp=0.0), shader.noise(70.0 * plan["scale"], detail=2)
    pores = shader.ramp(shader.cells(26.0 * plan["scale"]), 0.04, 0.1, (-0.7, 0.0))
    return shader.ramp(_sum(shader, ((clouds, 0.8), (sand, 0.6), (pores, 1.0))), 0.35, 1.05), sand


def _fabric(shader: Shader, plan: dict[str, Any]) -> Texture:
    """Two crossing sets of threads, the one above the other in turns."""
    at = shader.stretched((plan["scale"],) * 3, plan["turn"])
    warp, weft = (shader.waves(at, 14.0, warp=1.2 * plan["warp"], axis=axis) for axis in "XY")
    weave = shader.math("MULTIPLY", warp, weft)
    fluff = shader.noise(30.0, detail=3)
    return shader.ramp(_sum(shader, ((weave, 0.8), (fluff, 0.6))), 0.15, 1.1), weave


def _sum(shader: Shader, parts: tuple[tuple[Socket, float], ...]) -> Socket:
    total: Any = 0.0
    for value, weight in parts:
        total = shader.math("ADD", total, shader.math("MULTIPLY", value, weight))
    return total


_TEXTURES: dict[str, Callable[[Shader, dict[str, Any]], Texture]] = {
    "tile": _tile,
    "metal": _metal,
    "concrete": _concrete,
    "fabric": _fabric,
}
