"""A second route to the masks, for auditing: every surface glows in its own number, and the colours are read back.

It shares nothing with the object index and the drawn labels but the scene. Materials are rewired for good, so that
this is the last render of a frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scenes.kit.labels import DRAWN
from scenes.kit.passes import Camera, Planes


def differing(camera: Camera, planes: Planes) -> int:
    """Render the glowing scene; returns how many pixels differ from ``planes`` in object index or drawn label.

    ``planes`` must be those of a one-sample render.
    """
    _make_glow()
    light = np.rint(camera.shoot(samples=1, bounces=False).light).astype(np.int64)
    return int(np.count_nonzero((light[..., 0] != planes.object_ids) | (light[..., 1] != planes.drawn)))


def _make_glow() -> None:
    import bpy

    world = bpy.context.scene.world
    if world is not None and world.use_nodes:
        world.node_tree.nodes.clear()
    for obj in bpy.context.scene.objects:
        if obj.type == "MESH" and not any(slot.material for slot in obj.material_slots):
            obj.data.materials.append(bpy.data.materials.new("plain"))
    for material in bpy.data.materials:
        material.use_nodes = True
        _rewire(material.node_tree)


def _rewire(tree: Any) -> None:
    """The surface becomes an emission of (object index, drawn label, 0)."""
    drawn = tree.nodes.get(DRAWN)
    link = drawn.inputs["Value"].links[0] if drawn is not None and drawn.inputs["Value"].is_linked else None
    colour = tree.nodes.new("ShaderNodeCombineXYZ")
    glow = tree.nodes.new("ShaderNodeEmission")
    info = tree.nodes.new("ShaderNodeObjectInfo")
    tree.links.new(info.outputs["Object Index"], colour.inputs["X"])
    if link is not None:
        tree.links.new(link.from_socket, colour.inputs["Y"])
    tree.links.new(colour.outputs["Vector"], glow.inputs["Color"])
    outputs = [node for node in tree.nodes if node.bl_idname == "ShaderNodeOutputMaterial"]
    output = outputs[0] if outputs else tree.nodes.new("ShaderNodeOutputMaterial")
    for kind in ("Volume", "Displacement"):
        for old in list(output.inputs[kind].links):
            tree.links.remove(old)
    tree.links.new(glow.outputs["Emission"], output.inputs["Surface"])
