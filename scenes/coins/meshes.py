"""Meshes built in numpy and handed to Blender in one go."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.coins import relief

RINGS, SEGMENTS = 40, 128
"""Vertices of a coin's face along the radius and around it: finer than pixels at the sizes the pack renders."""


def coin_arrays(plan: dict[str, Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Vertices (N, 3), quads (M, 4) and relief (N,) of a coin of radius 1 that stands on z = 0.

    Ring 0 is the middle, all its vertices in one point; the face's rings follow, then the rounded shoulder, the wall
    and the foot.
    """
    angle = np.linspace(0, 2 * np.pi, SEGMENTS, endpoint=False)
    edge = relief.outline(angle, plan["seed"], plan["irregularity"])
    share = np.concatenate([np.linspace(0, 0.965, RINGS), [0.99, 1.0, 0.995]])
    radius = share[:, None] * edge[None, :]
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    height = relief.face(plan["motif"], plan["seed"], x, y, border=plan["border"], wear=plan["wear"])
    z = plan["thickness"] + plan["relief"] * 0.5 * height
    z[-3] -= 0.15 * plan["thickness"]
    z[-2] = 0.5 * plan["thickness"]
    z[-1] = 0.0
    vertices = np.stack([x, y, z], -1).reshape(-1, 3)
    return vertices, _quads(len(share), SEGMENTS), height.ravel()


def pebble_arrays(seed: int, stretch: float) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Vertices and quads of a lumpy half-sunk ball of radius 1."""
    rng = np.random.default_rng(seed)
    around, up = np.meshgrid(np.linspace(0, 2 * np.pi, 24, endpoint=False), np.linspace(1.5, -0.4, 10))
    points = np.stack([np.cos(up) * np.cos(around), stretch * np.cos(up) * np.sin(around), 0.6 * np.sin(up)], -1)
    for _ in range(4):
        points *= 1 + 0.1 * np.sin(points @ rng.normal(0, 3, 3) + rng.uniform(0, 6))[..., None]
    return points.reshape(-1, 3), _quads(10, 24)


def scrap_arrays(seed: int, stretch: float) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Vertices and one face of a torn, slightly tilted piece of paper."""
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 7))
    radius = rng.uniform(0.6, 1.2, 7)
    z = 0.06 + 0.04 * np.sin(angle + rng.uniform(0, 6))
    return np.stack([radius * np.cos(angle), stretch * radius * np.sin(angle), z], -1), np.arange(7)[None]


def add(name: str, vertices: npt.NDArray[Any], faces: npt.NDArray[Any], *, smooth: bool) -> Any:
    """Put a mesh into the scene as a BlenderProc object."""
    import blenderproc as bproc
    import bpy

    mesh = bpy.data.meshes.new(name)
    _fill(mesh, vertices, faces)
    mesh.shade_smooth() if smooth else mesh.shade_flat()
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    return bproc.types.MeshObject(obj)


def _fill(mesh: Any, vertices: npt.NDArray[Any], faces: npt.NDArray[Any]) -> None:
    """Hand over whole arrays; all faces have the same number of corners."""
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", vertices.astype(np.float32).ravel())
    mesh.loops.add(faces.size)
    mesh.loops.foreach_set("vertex_index", faces.astype(np.int32).ravel())
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, faces.shape[1], dtype=np.int32))
    mesh.update(calc_edges=True)


def store(obj: Any, name: str, values: npt.NDArray[Any]) -> None:
    """Keep one number with every vertex, for the material to read."""
    attribute = obj.get_mesh().attributes.new(name, "FLOAT", "POINT")
    attribute.data.foreach_set("value", values.astype(np.float32))


def _quads(rings: int, segments: int) -> npt.NDArray[Any]:
    """Faces between neighbouring rings of a closed strip."""
    ring, segment = np.meshgrid(np.arange(rings - 1), np.arange(segments), indexing="ij")
    after = (segment + 1) % segments
    corners = [ring * segments + segment, (ring + 1) * segments + segment]
    corners += [(ring + 1) * segments + after, ring * segments + after]
    return np.stack(corners, -1).reshape(-1, 4)
