"""Soil, litter and leaves as shader nodes. Coordinates are metres."""

from __future__ import annotations

from typing import Any

from scenes.field.relief import Relief
from scenes.kit.nodes import Shader


def soil_material(plan: dict[str, Any], relief: Relief) -> Any:
    """The soil's colour under the field's tones, darker and smoother where it is moist; fine slopes turn the normal."""
    shader = Shader("soil", seed=plan["seed"], unit=1.0)
    x, y, _ = shader.axes(shader.place)
    ways = zip((x, y), relief.sides, strict=True)
    at = shader.vector(*(shader.math("ADD", shader.math("DIVIDE", v, s.length), s.start) for v, s in ways), 0.0)
    fine = shader.planes([*relief.slopes(), relief.tone, relief.moist], at)
    right, up, tone = shader.axes(fine.outputs["Color"])
    moist = fine.outputs["Alpha"]
    colour = shader.mix(1.0, plan["colour"], tone, "MULTIPLY")
    colour = shader.mix(moist, colour, shader.mix(1.0, colour, (0.55, 0.51, 0.48), "MULTIPLY"))
    normal = shader.node("NewGeometry", {}).outputs["Normal"]
    slope = shader.vector(right, up, 0.0)
    leaning = shader.node("VectorMath", {0: normal, 1: slope}, operation="SUBTRACT").outputs["Vector"]
    shader.set(Normal=shader.node("VectorMath", {0: leaning}, operation="NORMALIZE").outputs["Vector"])
    shader.set(Base_Color=colour, Roughness=shader.ramp(moist, 0.0, 1.0, (0.95, 0.6)))
    shader.surface.inputs["Specular IOR Level"].default_value = 0.2
    return shader.material


def litter_material(name: str, colour: Any) -> Any:
    """Mottled, dull."""
    shader = Shader(name, seed=1, unit=1.0)
    mottle = shader.ramp(shader.noise(90.0, detail=2), 0.3, 0.7)
    shader.set(Base_Color=shader.mix(mottle, [0.55 * c for c in colour], colour), Roughness=0.85)
    return shader.material


def leaf_material(name: str, *, rib: float, parallel: bool) -> Any:
    """A leaf's green is its object's colour, its object's alpha how far it has yellowed. Midrib and veins, ``parallel``
    in grasses, are lighter by ``rib``; edges and tips are the first to go yellow.
    """
    shader = Shader(name, seed=2, unit=0.1, flat=False)
    info = shader.node("ObjectInfo", {}).outputs
    across, along, tone = (shader.attribute(key) for key in ("across", "along", "tone"))
    side = shader.math("ABSOLUTE", across, 0.0)
    blotch = shader.noise(45.0, detail=2)
    green = shader.mix(1.0, info["Color"], shader.ramp(blotch, 0.2, 0.8, (0.7, 1.3)), "MULTIPLY")
    green = shader.mix(1.0, green, tone, "MULTIPLY")
    if parallel:
        lines = shader.math("MULTIPLY", across, 22.0)
    else:
        lines = shader.math("MULTIPLY", shader.math("SUBTRACT", along, shader.math("MULTIPLY", side, 0.16)), 55.0)
    lines = shader.ramp(shader.math("SINE", lines, 0.0), 0.75, 1.0, (0.0, 0.35 * rib))
    veins = shader.math("MAXIMUM", shader.ramp(side, 0.04, 0.16, (rib, 0.0)), lines)
    pale = shader.mix(1.0, green, (2.1, 1.7, 2.4), "MULTIPLY")
    colour = shader.mix(veins, green, pale)
    age = shader.math("ADD", shader.math("MULTIPLY", along, 0.5), shader.math("ADD", blotch, info["Alpha"]))
    colour = shader.mix(shader.ramp(age, 1.15, 1.5), colour, (0.34, 0.26, 0.06))
    shader.set(Base_Color=colour, Roughness=0.55)
    shader.surface.inputs["Specular IOR Level"].default_value = 0.2
    return shader.material
