"""Makes a file's own materials fit for exact masks: opaque, without volume or displacement, one output each."""

from __future__ import annotations

from typing import Any

_SEE_THROUGH = ("ShaderNodeBsdfTransparent", "ShaderNodeBsdfRefraction", "ShaderNodeBsdfGlass", "ShaderNodeHoldout")


def make_opaque(material: Any) -> None:
    """Close whatever light or sight passes through."""
    if not material.use_nodes:
        return
    tree = material.node_tree
    kept = tree.get_output_node("CYCLES")
    for node in list(tree.nodes):
        if node.bl_idname == "ShaderNodeOutputMaterial" and node != kept:
            tree.nodes.remove(node)
    if kept is not None:
        for name in ("Volume", "Displacement"):
            _cut(tree, kept.inputs[name])
    _close(tree, set())


def _close(tree: Any, seen: set[str]) -> None:
    """The tree, and the groups inside it."""
    seen.add(tree.name)
    for node in list(tree.nodes):
        if node.bl_idname == "ShaderNodeBsdfPrincipled":
            for name, value in (("Alpha", 1.0), ("Transmission Weight", 0.0)):
                _cut(tree, node.inputs[name])
                node.inputs[name].default_value = value
        elif node.bl_idname == "ShaderNodeMixShader":
            _choose_opaque(tree, node)
        elif node.bl_idname == "ShaderNodeGroup" and node.node_tree and node.node_tree.name not in seen:
            _close(node.node_tree, seen)
    for node in [node for node in tree.nodes if node.bl_idname in _SEE_THROUGH]:
        _replace(tree, node)


def _choose_opaque(tree: Any, mix: Any) -> None:
    """Of a mixture with transparency, all of the other."""
    sources = [socket.links[0].from_node.bl_idname if socket.is_linked else "" for socket in mix.inputs[1:3]]
    clear = [source in _SEE_THROUGH[:1] + _SEE_THROUGH[3:] for source in sources]
    if any(clear) and not all(clear):
        _cut(tree, mix.inputs[0])
        mix.inputs[0].default_value = 1.0 if clear[0] else 0.0


def _replace(tree: Any, node: Any) -> None:
    """Glass becomes something opaque and glossy of its colour."""
    solid = tree.nodes.new("ShaderNodeBsdfPrincipled")
    solid.inputs["Roughness"].default_value = 0.1
    if "Color" in node.inputs:
        colour = node.inputs["Color"]
        solid.inputs["Base Color"].default_value = colour.default_value
        if colour.is_linked:
            tree.links.new(colour.links[0].from_socket, solid.inputs["Base Color"])
    for link in list(node.outputs[0].links):
        tree.links.new(solid.outputs["BSDF"], link.to_socket)
    tree.nodes.remove(node)


def _cut(tree: Any, socket: Any) -> None:
    for link in list(socket.links):
        tree.links.remove(link)
