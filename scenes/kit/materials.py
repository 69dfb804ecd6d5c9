"""Materials from a formula: a kind of texture between two colours, which also drives bump and roughness.

Every kind works on objects of any size: ``unit`` is the length, in metres, over which a texture shows its pattern.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scenes.kit.nodes import Shader, Socket
from scenes.kit.sampling import Span, chance, log_uniform, pick, seed_of, tint, uniform


def plan_material(
    rng: np.random.Generator, *, kinds: Mapping[str, float], lightness: Span, saturation: Span = (0.0, 0.7)
) -> dict[str, Any]:
    """Draw a material: kind, two colours (often of one hue), scale, turn, warp, roughness, bump."""
    kind, first = pick(rng, kinds), tint(rng, lightness, saturation)
    close = np.array(first) * log_uniform(rng, (0.3, 3.0))
    other, related = tint(rng, lightness, saturation), chance(rng, 0.7)
    return {
        "kind": kind,
        "first": first,
        "second": [round(float(c), 4) for c in np.clip(close, 0.003, 0.95)] if related else other,
        "scale": log_uniform(rng, (0.5, 2.0)),
        "turn": uniform(rng, (0, 2 * math.pi)),
        "warp": uniform(rng, (0.0, 1.0)),
        "roughness": uniform(rng, (0.35, 1.0)),
        "metallic": 1.0 if kind == "brushed" else 0.0,
        "bump": uniform(rng, (0.0, 1.0)),
        "seed": seed_of(rng),
    }


def material(plan: dict[str, Any], *, unit: float, flat: bool = True) -> Any:
    """The planned material; ``flat`` is for surfaces that lie level, and halves the cost."""
    shader = Shader(plan["kind"], seed=plan["seed"], unit=unit, flat=flat)
    height, colour = textured(shader, plan, unit)
    shader.set(Base_Color=colour, Roughness=plan["roughness"], Metallic=plan["metallic"])
    if plan["bump"]:  # a quarter of a picture's time, even where it shows nothing
        shader.bump(height, plan["bump"], 0.01 * unit)
    return shader.material


def textured(shader: Shader, plan: dict[str, Any], unit: float) -> tuple[Socket, Socket]:
    """Height (0 to 1) and colour of the planned texture, for materials that add to it."""
    height = TEXTURES[plan["kind"]](shader, plan, plan["scale"] / unit)
    return height, shader.mix(height, plan["first"], plan["second"])


def plain(name: str, colour: Any, *, roughness: float = 0.6, metallic: float = 0.0, glow: float = 0.0) -> Any:
    """One colour without texture; ``glow`` makes a lamp of it."""
    shader = Shader(name, seed=0, unit=1.0)
    shader.set(Base_Color=colour, Roughness=roughness, Metallic=metallic)
    if glow:
        shader.set(Emission_Color=colour, Emission_Strength=glow)
    return shader.material


def cloth(shader: Shader, plan: dict[str, Any], unit: float) -> Socket:
    """Two crossing sets of threads, uneven like hand-woven ones."""
    at = shader.stretched((unit, unit, unit), plan["turn"])
    warp, weft = (shader.waves(at, 11.0, warp=2 * plan["warp"], axis=axis) for axis in "XY")
    fluff = shader.ramp(shader.noise(18 * unit, detail=2), 0.2, 0.8, (0.5, 1.4))
    return shader.math("MULTIPLY", shader.math("MULTIPLY", warp, weft), fluff)


def wood(shader: Shader, plan: dict[str, Any], unit: float) -> Socket:
    """Growth rings cut lengthwise, with fine fibres along them."""
    at = shader.stretched((unit, 0.12 * unit, unit), plan["turn"])
    rings = shader.waves(at, 1.2, warp=4 + 8 * plan["warp"])
    fibres = shader.noise(24.0, at=at, detail=3)
    return shader.math("ADD", shader.math("MULTIPLY", rings, 0.6), shader.math("MULTIPLY", fibres, 0.5))


def stone(shader: Shader, plan: dict[str, Any], unit: float) -> Socket:
    """Cloudy mass with veins."""
    clouds = shader.noise(2.2 * unit, detail=5, warp=2 * plan["warp"])
    cracks = shader.cells(2.5 * unit, "DISTANCE_TO_EDGE")
    veins = shader.ramp(cracks, 0.0, 0.05, (0.5 * plan["warp"], 0.0))
    return shader.ramp(shader.math("ADD", clouds, veins), 0.25, 0.8)


def terrazzo(shader: Shader, plan: dict[str, Any], unit: float) -> Socket:
    """Round specks, from polka dots to crumbs."""
    size = 0.18 + 0.3 * plan["warp"]
    return shader.ramp(shader.cells(7.0 * unit), size, size + 0.06)


def paper(shader: Shader, plan: dict[str, Any], unit: float) -> Socket:
    """Mottled and grainy, as old prints, felt and suede are."""
    return shader.ramp(shader.noise(5.0 * unit, detail=2 + 5 * plan["warp"]), 0.15, 0.85)


def concrete(shader: Shader, plan: dict[str, Any], unit: float) -> Socket:
    """Clouds, fine grain and small pores: concrete, plaster, asphalt."""
    clouds = shader.noise(1.5 * unit, detail=6, warp=plan["warp"])
    grain = shader.noise(60 * unit, detail=2)
    pores = shader.ramp(shader.cells(22 * unit), 0.05, 0.12, (-0.6, 0.0))
    mass = shader.math("ADD", shader.math("MULTIPLY", clouds, 0.7), shader.math("MULTIPLY", grain, 0.5))
    return shader.ramp(shader.math("ADD", mass, pores), 0.2, 1.0)


def brushed(shader: Shader, plan: dict[str, Any], unit: float) -> Socket:
    """Fine parallel scratches of rolled or ground metal."""
    at = shader.stretched((unit, 0.01 * unit, unit), plan["turn"])
    return shader.ramp(shader.noise(90.0, at=at, detail=3), 0.2, 0.8)


def smooth(shader: Shader, plan: dict[str, Any], unit: float) -> Socket:
    """Glaze, lacquer or moulded plastic: hardly any texture."""
    return shader.ramp(shader.noise(1.2 * unit, detail=2, warp=plan["warp"]), 0.2, 0.8, (0.0, 0.15))


TEXTURES: dict[str, Callable[[Shader, dict[str, Any], float], Socket]] = {
    "cloth": cloth,
    "wood": wood,
    "stone": stone,
    "paper": paper,
    "terrazzo": terrazzo,
    "concrete": concrete,
    "brushed": brushed,
    "smooth": smooth,
}
"""Kinds of material by name."""
