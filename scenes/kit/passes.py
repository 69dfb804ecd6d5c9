"""One Cycles pass that yields colour, object index and depth together.

Cycles writes the object index and the depth at the pixel centre of its first sample, so they are exact and cost
nothing. Depth of field or motion blur would make them noisy: the kit offers neither.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

CLASS_KEY = "category_id"
"""Custom property that carries an object's class id; objects without it are background."""


def render(*, depth: bool) -> dict[str, npt.NDArray[Any]]:
    """Render the finished scene.

    Returns ``colours`` (H, W, 3 linear float32), ``object_ids`` (H, W int64, 0 where no object is) and, on demand,
    ``depth`` (H, W float32 metres along the viewing axis).
    """
    import blenderproc as bproc

    bproc.renderer.enable_segmentation_output(map_by="instance", default_values={CLASS_KEY: 0})
    if depth:
        bproc.renderer.enable_depth_output(activate_antialiasing=False)
    _store_full_floats()
    raw = bproc.renderer.render(verbose=True)
    planes = {"colours": raw["colors"][0].astype(np.float32), "object_ids": np.squeeze(raw["instance_segmaps"][0])}
    if depth:
        planes["depth"] = raw["depth"][0].astype(np.float32)
    return planes


def class_and_instance(object_ids: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any], dict[int, int]]:
    """Class ids (uint8), instance ids (uint16, 0 for none) and the table {instance id: class id}.

    Instances are the visible objects of a class other than background, numbered from 1 in scene order.
    """
    classes = _classes_by_object()
    visible = [index for index in np.unique(object_ids).tolist() if classes[index] > 0]
    number = {index: place for place, index in enumerate(visible, start=1)}
    lookup = np.zeros((2, max(classes) + 1), np.uint16)
    for index, class_id in classes.items():
        lookup[:, index] = class_id, number.get(index, 0)
    table = {number[index]: classes[index] for index in visible}
    return lookup[0][object_ids].astype(np.uint8), lookup[1][object_ids], table


def _classes_by_object() -> dict[int, int]:
    import bpy

    meshes = [obj for obj in bpy.context.scene.objects if obj.type == "MESH"]
    return {0: 0} | {obj.pass_index: int(obj.get(CLASS_KEY, 0)) for obj in meshes}


def _store_full_floats() -> None:
    """Half floats, Blender's default here, would round depth and object ids beyond 2048."""
    import bpy

    for node in bpy.context.scene.node_tree.nodes:
        if node.bl_idname == "CompositorNodeOutputFile":
            node.format.color_depth = "32"
