"""A folder of the user's own meshes for tests: one in each format, and broken ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import trimesh

HEADER = "file,class,size_m,scale,pose,weight,count,colour"

WHOLE = {"cube.obj": "cube", "deep/ball.ply": "ball", "can.glb": "can", "ring.stl": "ring", "lamp.blend": "lamp"}
"""Files that can be shown, and their classes."""

BROKEN = {
    "no faces": "points.obj",
    "no extent": "dot.obj",
    "not finite": "nan.obj",
    "not a blend file": "garbage.blend",
    "Bad glTF": "garbage.glb",
    "failed importing": "garbage.ply",
    "no faces; left": "garbage.stl",
}
"""Files that exist and cannot be shown, by the words that say why."""

_LAMP = """
import bpy, sys
for old in list(bpy.data.objects):
    bpy.data.objects.remove(old)
bpy.ops.mesh.primitive_cylinder_add(radius=0.2, depth=2)
bpy.context.object.modifiers.new("twice", "ARRAY").count = 2
bpy.ops.mesh.primitive_cone_add(radius1=0.8, depth=1, location=(0, 0, 1))
bpy.ops.object.camera_add()
glass = bpy.data.materials.new("glass")
glass.use_nodes = True
tree = glass.node_tree
clear = tree.nodes.new("ShaderNodeBsdfTransparent")
tree.links.new(clear.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
tree.links.new(tree.nodes.new("ShaderNodeVolumeAbsorption").outputs[0], tree.nodes["Material Output"].inputs["Volume"])
tree.nodes.new("ShaderNodeOutputMaterial").is_active_output = False
bpy.data.objects["Cone"].data.materials.append(glass)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
"""


def write_table(folder: Path, *rows: str, header: str = HEADER) -> Path:
    """``assets.csv`` with these rows; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "assets.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder


def write_meshes(folder: Path) -> None:
    """Every file of `WHOLE` but the .blend; the cube's picture is missing."""
    (folder / "deep").mkdir(parents=True)
    cube = trimesh.creation.box((2, 1, 1)).export(file_type="obj")
    (folder / "cube.obj").write_text("mtllib cube.mtl\nusemtl paint\n" + cube)
    (folder / "cube.mtl").write_text("newmtl paint\nKd 0.8 0.1 0.1\nmap_Kd gone.png\n")
    ball = trimesh.creation.icosphere(subdivisions=2)
    ball.visual.vertex_colors = np.full((len(ball.vertices), 4), (20, 160, 60, 255), np.uint8)
    ball.export(folder / "deep/ball.ply")
    can = trimesh.creation.cylinder(1.0, 3.0)
    glass = trimesh.visual.material.PBRMaterial(baseColorFactor=[0.2, 0.4, 0.9, 0.2], alphaMode="BLEND")
    can.visual = trimesh.visual.TextureVisuals(uv=np.zeros((len(can.vertices), 2)), material=glass)
    trimesh.Scene([can]).export(folder / "can.glb")
    trimesh.creation.annulus(10.0, 20.0, 6.0).export(folder / "ring.stl")


def write_blend(path: Path) -> None:
    """A lamp of two objects, one with a modifier, one of a glass with a volume; and a camera."""
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    subprocess.run([sys.executable, "-c", _LAMP, str(path)], check=True, capture_output=True, env=environment)


def write_broken(folder: Path) -> None:
    """Every file of `BROKEN`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "points.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\n")
    (folder / "dot.obj").write_text("v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n")
    (folder / "nan.obj").write_text("v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    (folder / "garbage.blend").write_bytes(b"BLENDER rubbish" * 9)
    (folder / "garbage.glb").write_bytes(b"no glTF at all")
    (folder / "garbage.ply").write_bytes(b"ply\nformat ascii 1.0\nelement vertex 3\nend_header\nx")
    (folder / "garbage.stl").write_bytes(bytes(range(256)))
