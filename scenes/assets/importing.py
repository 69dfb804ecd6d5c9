"""One mesh file -> one Blender mesh: everything in it joined, in its pose, with its own materials made opaque."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.assets.opaque import make_opaque

_SHOWN = ("MESH", "CURVE", "SURFACE", "FONT", "META")
"""Kinds of objects that have a surface."""

_UV, _SHARP = "UVMap", 0.6


class UnusableError(Exception):
    """A file that cannot be shown; the message says why."""


def load(path: Path) -> Any:
    """A mesh of its own (bpy), z up: +y of .obj and .glb files, +z of others. UnusableError says what is wrong."""
    import bpy

    before = set(bpy.data.objects)
    try:
        _read(path)
        bpy.context.view_layer.update()
        mesh = _joined([obj for obj in bpy.data.objects if obj not in before], path.stem)
    except (RuntimeError, OSError, ValueError, KeyError, TypeError, IndexError) as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[-1].removeprefix("Error: ")
        raise UnusableError(f"Blender cannot read it: {said.replace(str(path), path.name)}") from error
    finally:
        for obj in [obj for obj in bpy.data.objects if obj not in before]:
            bpy.data.objects.remove(obj)
    _check(mesh)
    if path.suffix.lower() in (".stl", ".ply"):  # files without normals: smooth but for sharp edges
        mesh.shade_smooth()
        mesh.set_sharp_from_angle(angle=_SHARP)
    for material in mesh.materials:
        if material is not None:
            make_opaque(material)
    return mesh


def points(mesh: Any) -> npt.NDArray[np.float64]:
    """Its vertices (N, 3)."""
    values = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", values)
    return values.reshape(-1, 3).astype(np.float64)


def _read(path: Path) -> None:
    import bpy

    ending, name = path.suffix.lower(), str(path)
    if ending == ".obj":
        if re.search(rb"(?im)^v\s.*\b(nan|inf)", path.read_bytes()):  # Blender would read zeros
            raise UnusableError("vertices that are not finite")
        bpy.ops.wm.obj_import(filepath=name)
    elif ending == ".ply":
        bpy.ops.wm.ply_import(filepath=name)
    elif ending == ".stl":
        bpy.ops.wm.stl_import(filepath=name)
    elif ending == ".glb":
        bpy.ops.import_scene.gltf(filepath=name, loglevel=logging.CRITICAL)
    else:
        _append(name)


def _append(name: str) -> None:
    """All objects of a .blend file; its scripts do not run."""
    import bpy

    with bpy.data.libraries.load(name, link=False) as (there, here):
        here.objects = there.objects
    for obj in here.objects:
        if obj is not None:
            bpy.context.scene.collection.objects.link(obj)


def _joined(objects: list[Any], name: str) -> Any:
    """One mesh of all surfaces, modifiers and poses applied."""
    import bmesh
    import bpy

    graph = bpy.context.evaluated_depsgraph_get()
    whole, materials = bmesh.new(), []
    for obj in sorted(objects, key=lambda obj: obj.name):
        if obj.type in _SHOWN and not obj.hide_render:
            part = bpy.data.meshes.new_from_object(obj.evaluated_get(graph))
            part.transform(obj.matrix_world)
            _unify(part)
            _add(whole, part, materials)
            bpy.data.meshes.remove(part)
    mesh = bpy.data.meshes.new(name)
    whole.to_mesh(mesh)
    whole.free()
    for material in materials:
        mesh.materials.append(material)
    return mesh


def _unify(part: Any) -> None:
    """One name for the map that textures use, so that it is one map after joining."""
    if part.uv_layers.active is not None:
        part.uv_layers.active.name = _UV


def _add(whole: Any, part: Any, materials: list[Any]) -> None:
    """Append a mesh, its faces keeping their materials."""
    first = len(whole.faces)
    whole.from_mesh(part)
    slots = []
    for material in part.materials or [None]:
        if material not in materials:
            materials.append(material)
        slots.append(materials.index(material))
    whole.faces.ensure_lookup_table()
    for face in whole.faces[first:]:
        face.material_index = slots[min(face.material_index, len(slots) - 1)]


def _check(mesh: Any) -> None:
    if not len(mesh.polygons):
        raise UnusableError("no faces")
    at = points(mesh)
    if not np.isfinite(at).all():
        raise UnusableError("vertices that are not finite")
    if np.ptp(at, axis=0).max() <= 0:
        raise UnusableError("no extent")
