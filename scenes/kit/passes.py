"""Renders of one built scene, each by one call of Cycles, and the planes that come back.

Cycles writes object index, depth and drawn labels at the pixel centre of its first sample. Index and depth keep that
value whatever the number of samples; drawn labels and normals are averaged over samples and are exact with one sample
only. Normals are written by a material of their own that every surface wears for the purpose: Cycles' own normals
follow the bumps that materials feign, which are nowhere in the depth.

Depth of field or motion blur would blur all of them: the kit offers neither.

The compositor stores whole floats in one file for colours and one for the planes; BlenderProc's own output goes
through the animation system and knows one set of outputs a scene, while a frame here may take several renders.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.kit.labels import DRAWN

Plane = npt.NDArray[Any]

NOWHERE = 1e9
"""Cycles' depth of a ray that hits nothing is larger than this, in metres."""

_NORMAL = "true_normal"
"""Name of the render pass that carries normals."""


@dataclass(frozen=True, kw_only=True)
class Planes:
    """What one render shows; all (H, W, …).

    ``light`` is linear premultiplied RGBA, ``object_ids`` 0 where no object is, ``depth`` metres along the viewing
    axis and infinite where nothing is, ``drawn`` the number of the drawn thing (exact with one sample). ``normals`` are
    those of the meshes' faces, neither smoothed nor bumped: unit vectors in world space that face the camera, 0 where
    nothing is, and everywhere unless the render was a ``bare`` one (exact with one sample).
    """

    light: Plane
    object_ids: Plane
    depth: Plane
    drawn: Plane
    normals: Plane


class Camera:
    """Renders the current scene as often as asked, through one compositor tree. Make one when the scene is built."""

    def __init__(self, scratch: Path) -> None:
        import bpy

        self.scratch = scratch
        bpy.context.scene.frame_set(bpy.context.scene.frame_start)
        _number_objects()
        _enable_passes()
        self._targets = _wire(scratch)

    def shoot(self, *, samples: int, bounces: bool = True, denoise: bool = False) -> Planes:
        """Render once. Without ``bounces`` only what rays hit first is found, which is all that masks need."""
        import bpy

        scene = bpy.context.scene
        scene.cycles.samples = samples
        scene.cycles.max_bounces = BOUNCES["max_bounces"] if bounces else 0
        scene.cycles.use_denoising = bpy.context.view_layer.cycles.use_denoising = denoise
        bpy.ops.render.render()
        return self._read()

    def shoot_bare(self, *, samples: int) -> Planes:
        """Render the surfaces alone, cheaply: all wear one glowing material, which tells their normals."""
        import bpy

        layer = bpy.context.view_layer
        layer.material_override = _bare()
        try:
            return self.shoot(samples=samples, bounces=False)
        finally:
            bpy.data.materials.remove(layer.material_override)

    def _read(self) -> Planes:
        import bpy

        ending = f"{bpy.context.scene.frame_current:04d}.exr"
        light, planes, normals = (_load(self.scratch / f"{name}{ending}") for name in self._targets)
        depth = planes[..., 1].astype(np.float32)
        return Planes(
            light=light.astype(np.float32),
            object_ids=np.rint(planes[..., 0]).astype(np.int64),
            depth=np.where(depth > NOWHERE, np.float32(np.inf), depth),
            drawn=np.rint(planes[..., 2]).astype(np.int64),
            normals=normals[..., :3].astype(np.float32),
        )


BOUNCES = {
    "max_bounces": 3,
    "diffuse_bounces": 2,
    "glossy_bounces": 2,
    "ao_bounces_render": 0,
    "transmission_bounces": 0,
    "transparent_max_bounces": 4,
    "volume_bounces": 0,
}
"""Light paths end early: more bounces cost time and change masks in nothing."""


def _number_objects() -> None:
    """Give every mesh object its index, in scene order."""
    import bpy

    for number, obj in enumerate(mesh_objects(), start=1):
        obj.pass_index = number
    bpy.context.view_layer.update()


def mesh_objects() -> list[Any]:
    """The scene's mesh objects (bpy) in the order of their index."""
    import bpy

    return [obj for obj in bpy.context.scene.objects if obj.type == "MESH"]


def _enable_passes() -> None:
    import bpy

    layer = bpy.context.view_layer
    layer.use_pass_object_index = layer.use_pass_z = True
    for name, kind in ((DRAWN, "VALUE"), (_NORMAL, "COLOR")):
        if name not in layer.aovs:
            aov = layer.aovs.add()
            aov.name, aov.type = name, kind


def _bare() -> Any:
    """A glowing material that writes the true normal of the face it is on."""
    import bpy

    material = bpy.data.materials.new("bare")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    surface, output = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(surface.outputs["Emission"], output.inputs["Surface"])
    told = tree.nodes.new("ShaderNodeOutputAOV")
    told.aov_name = _NORMAL
    tree.links.new(tree.nodes.new("ShaderNodeNewGeometry").outputs["True Normal"], told.inputs["Color"])
    return material


def _wire(scratch: Path) -> tuple[str, str, str]:
    """Render layers -> three files: light, planes (index, depth, drawn), normals; returns their prefixes."""
    import bpy

    tree = bpy.context.scene.node_tree
    layers = tree.nodes["Render Layers"]
    planes = tree.nodes.new("CompositorNodeCombineColor")
    for target, source in zip(("Red", "Green", "Blue"), ("IndexOB", "Depth", DRAWN), strict=True):
        tree.links.new(layers.outputs[source], planes.inputs[target])
    sockets = {"light": layers.outputs["Image"], "planes": planes.outputs["Image"], "normals": layers.outputs[_NORMAL]}
    for name, socket in sockets.items():
        _file(tree, scratch, name, socket)
    return "light", "planes", "normals"


def _file(tree: Any, scratch: Path, name: str, socket: Any) -> None:
    """One OpenEXR file of whole floats: half floats would round depth, and ids beyond 2048."""
    node = tree.nodes.new("CompositorNodeOutputFile")
    node.base_path = str(scratch)
    node.format.file_format, node.format.color_depth, node.format.exr_codec = "OPEN_EXR", "32", "NONE"
    node.format.color_mode = "RGBA"
    node.file_slots[0].path = name
    tree.links.new(socket, node.inputs[0])


def _load(path: Path) -> Plane:
    """(H, W, 4) RGBA; the file is removed, so that a render that wrote none cannot show an older one."""
    import cv2

    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise RuntimeError(f"{path.name}: Cycles wrote no readable file")
    path.unlink()
    return np.asarray(pixels[..., [2, 1, 0, 3]])
