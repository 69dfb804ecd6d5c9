"""What a pixel is called: labels on objects, and labels that a material draws within one object.

Every object of a scene is labelled, background too. A *thing* is an individual that gets an instance id of its own;
what is not a thing (sky, road, soil) has a class only. Where a defect, a stain or a marking is part of a surface's
material, the node that drives its colour also drives a label (`drawn`), so that mask and picture cannot differ.
"""

from __future__ import annotations

from typing import Any

CLASS_KEY, THING_KEY = "class_id", "is_thing"
DRAWN = "drawn"
"""Name of the render pass that carries drawn labels: 0 for none, else the number of the drawn thing."""

TABLE_KEY = "drawn_classes"


def label(obj: Any, class_id: int, *, thing: bool) -> None:
    """Give a BlenderProc object its class."""
    obj.set_cp(CLASS_KEY, class_id)
    obj.set_cp(THING_KEY, thing)


def drawn(table: dict[int, int]) -> None:
    """Declare what the materials of this scene draw: number (from 1) -> class id. See `Shader.draw`."""
    import bpy

    bpy.context.scene[TABLE_KEY] = {str(number): class_id for number, class_id in table.items()}


def drawn_table() -> dict[int, int]:
    """What `drawn` declared for this scene; empty where materials draw nothing."""
    import bpy

    return {int(number): class_id for number, class_id in bpy.context.scene.get(TABLE_KEY, {}).items()}
