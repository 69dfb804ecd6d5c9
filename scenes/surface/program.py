"""A surface plan -> the Blender scene. Runs in a scene that `scenes.kit.blender.clear` has emptied."""

from __future__ import annotations

from typing import Any

from scenes.kit import labels, meshes
from scenes.kit.cameras import place_camera
from scenes.kit.footprint import footprint_of
from scenes.kit.lights import place_lights
from scenes.kit.materials import plain
from scenes.surface import drawing, marks
from scenes.surface.canvas import Canvas
from scenes.surface.materials import part_material
from scenes.surface.part import DEPTH, part_mesh

BACKGROUND = 0


def build(plan: dict[str, Any], *, width: int, height: int) -> None:
    """Put everything of the plan into the scene; ``width`` and ``height`` of the image are in pixels."""
    footprint = footprint_of(width / height, plan["camera"], frame=1.0)
    frame_m, canvas = plan["frame_m"], Canvas(seen=footprint.box(0.7))
    marks.draw(canvas, plan["marks"])
    classes = drawing.draw(canvas, plan["defects"])
    surface = part_material(plan["material"], canvas, classes, frame_m=frame_m)
    part = meshes.add("part", [(part_mesh(plan["part"], seen=footprint.box(1.0)), surface)], smooth=True)
    part.set_scale([frame_m] * 3)
    labels.label(part, BACKGROUND, thing=False)
    labels.drawn(classes)
    _add_table(plan["table"], frame_m)
    place_lights(plan["lighting"]["lights"], plan["lighting"]["ambient"])
    place_camera(plan["camera"], width=width, height=height)


def _add_table(plan: dict[str, Any], frame_m: float) -> None:
    """What lies under the part, seen where the part ends."""
    half, low = 20 * frame_m, -0.9 * DEPTH * frame_m
    square = meshes.sheet([(-half, -half, low), (half, -half, low), (half, half, low), (-half, half, low)])
    table = meshes.add("table", [(square, plain("table", plan["colour"], roughness=plan["roughness"]))])
    labels.label(table, BACKGROUND, thing=False)
