"""Materials of the pack. Texture scales are relative to the frame's side, so that pictures of any size look alike."""

from __future__ import annotations

from typing import Any

from scenes.kit.materials import TEXTURES, paper
from scenes.kit.nodes import Shader, Socket


def coin_surface(plan: dict[str, Any]) -> Any:
    """Metal under tarnish: patches by noise, and more of it in the recesses of the relief than on the high points."""
    shader = Shader("coin", seed=plan["seed"], unit=1.0)
    patches = shader.noise(plan["patch_scale"], detail=4)
    depth = shader.ramp(shader.attribute("relief"), 0.0, 0.8, (0.5 * plan["cavity"], -0.4 * plan["cavity"]))
    level = 0.75 - 0.5 * plan["tarnish_share"]
    share = shader.ramp(shader.math("ADD", patches, depth), level - 0.12, level + 0.12)
    shader.set(Base_Color=shader.mix(share, plan["base"], plan["tarnish"]))
    shader.set(Metallic=shader.ramp(share, 0.0, 1.0, (plan["metallic"], plan["metallic"] * 0.4)))
    shader.set(Roughness=shader.ramp(share, 0.0, 1.0, (plan["roughness"], min(plan["roughness"] + 0.25, 1.0))))
    shader.bump(shader.noise(9.0, detail=3), plan["pitting"], 0.06 * plan["radius"])
    return shader.material


def ground_surface(plan: dict[str, Any]) -> Any:
    """The table's material, by kind, under blotches that span the frame."""
    shader, unit = Shader(plan["kind"], seed=plan["seed"], unit=plan["frame"]), plan["scale"] / plan["frame"]
    texture = TEXTURES.get(plan["kind"], paper)(shader, plan, unit)
    colour = shader.mix(texture, plan["first"], plan["second"])
    blotch = shader.ramp(shader.noise(1.3 / plan["frame"], detail=2), 0.3, 0.7, (1.0 - plan["blotches"], 1.0))
    colour = shader.mix(1.0, colour, blotch, "MULTIPLY")
    shader.set(Base_Color=colour, Roughness=plan["roughness"])
    if plan["kind"] == "backdrop":
        _glow(shader, plan, colour)
    else:
        shader.bump(texture, plan["bump"], 0.01 * plan["frame"])
    return shader.material


def _glow(shader: Shader, plan: dict[str, Any], colour: Socket) -> None:
    """A backdrop lit on its own, brighter towards one side, whatever lights the coins."""
    slope_x, slope_y = (value / plan["frame"] for value in plan["slope"])
    strength = shader.ramp(shader.along((slope_x, slope_y, 0.0)), -0.5, 0.5, (0.05, plan["glow"]))
    shader.set(Base_Color=(0.01, 0.01, 0.01), Emission_Color=colour, Emission_Strength=strength)
