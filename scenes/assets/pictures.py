"""Pictures that a file's materials refer to and that are not there: Blender would show them as glaring pink."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def drop_missing(mesh: Any) -> list[str]:
    """Take missing pictures out of the mesh's materials, so that plain colours show; returns their names."""
    found: list[str] = []
    for material in mesh.materials:
        if material is not None and material.use_nodes:
            found += _drop(material.node_tree, set())
    return sorted(set(found))


def _drop(tree: Any, seen: set[str]) -> list[str]:
    """In the tree, and the groups inside it."""
    seen.add(tree.name)
    found: list[str] = []
    for node in list(tree.nodes):
        if node.bl_idname == "ShaderNodeTexImage" and node.image is not None and _is_missing(node.image):
            found.append(Path(node.image.filepath.replace("\\", "/")).name)
            tree.nodes.remove(node)
        elif node.bl_idname == "ShaderNodeGroup" and node.node_tree and node.node_tree.name not in seen:
            found += _drop(node.node_tree, seen)
    return found


def _is_missing(image: Any) -> bool:
    import bpy

    if image.source != "FILE" or image.packed_file is not None:
        return False
    return not Path(bpy.path.abspath(image.filepath, library=image.library)).is_file()
