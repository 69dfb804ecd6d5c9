"""Meshes built in numpy: simple shapes to put together, and the hand-over of a whole object to Blender in one go.

Shapes stand on or around their own origin in metres, z up; `Mesh.moved`, `Mesh.turned` and `Mesh.scaled` place them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Vector = Sequence[float]


@dataclass(frozen=True)
class Mesh:
    """Vertices (N, 3), and faces as index arrays (M, corners): one array for each number of corners in use."""

    vertices: Array
    faces: tuple[Array, ...]

    def moved(self, by: Vector) -> Mesh:
        """Shifted by a vector."""
        return Mesh(self.vertices + np.asarray(by, np.float64), self.faces)

    def scaled(self, by: float | Vector) -> Mesh:
        """Scaled about the origin, along each axis by its own factor; a mirrored shape keeps its outside outside."""
        factors = np.broadcast_to(np.asarray(by, np.float64), 3)
        mirrored = float(np.prod(factors)) < 0
        return Mesh(self.vertices * factors, tuple(f[:, ::-1] for f in self.faces) if mirrored else self.faces)

    def turned(self, angle: float, axis: str = "z") -> Mesh:
        """Turned about an axis through the origin by ``angle`` radians, anticlockwise seen from its tip."""
        cos, sin = math.cos(angle), math.sin(angle)
        first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
        turned = self.vertices.astype(np.float64)
        turned[:, first] = cos * self.vertices[:, first] - sin * self.vertices[:, second]
        turned[:, second] = sin * self.vertices[:, first] + cos * self.vertices[:, second]
        return Mesh(turned, self.faces)


def joined(meshes: Iterable[Mesh]) -> Mesh:
    """All meshes as one."""
    parts = list(meshes)
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    by_corners: dict[int, list[Array]] = {}
    for part, start in zip(parts, starts[:-1].tolist(), strict=True):
        for faces in part.faces:
            by_corners.setdefault(faces.shape[1], []).append(faces + start)
    faces = tuple(np.concatenate(by_corners[corners]) for corners in sorted(by_corners))
    return Mesh(np.concatenate([np.zeros((0, 3)), *(part.vertices for part in parts)]), faces)


def box(size: Vector, *, taper: float = 1.0) -> Mesh:
    """A block standing on z = 0, its top ``taper`` times as large as its foot."""
    x, y, z = (float(v) for v in size)
    foot = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (x / 2, y / 2)
    vertices = np.concatenate([np.c_[foot, np.zeros(4)], np.c_[foot * taper, np.full(4, z)]])
    sides = [(i, (i + 1) % 4, 4 + (i + 1) % 4, 4 + i) for i in range(4)]
    return Mesh(vertices, (np.array([(3, 2, 1, 0), (4, 5, 6, 7), *sides]),))


def sheet(corners: Sequence[Vector]) -> Mesh:
    """One flat face through the corners, anticlockwise seen from its front."""
    return Mesh(np.asarray(corners, np.float64), (np.arange(len(corners))[None],))


def prism(outline_xy: Array, height: float) -> Mesh:
    """An outline (N, 2), anticlockwise, drawn up from z = 0 to ``height``; closed at both ends."""
    number = len(outline_xy)
    vertices = np.concatenate([np.c_[outline_xy, np.full(number, z)] for z in (0.0, height)])
    ring = np.arange(number)
    after = (ring + 1) % number
    sides = np.stack([ring, after, after + number, ring + number], -1)
    caps = np.stack([ring[::-1], ring + number])
    return Mesh(vertices, (sides, caps) if number != 4 else (np.concatenate([sides, caps]),))


def lathe(profile_rz: Sequence[tuple[float, float]], segments: int = 24) -> Mesh:
    """A profile of (radius, z) turned about the vertical; it is closed where its ends have radius 0."""
    radius, z = np.asarray(profile_rz, np.float64).T
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    x, y = radius[:, None] * np.cos(angle), radius[:, None] * np.sin(angle)
    vertices = np.stack([x, y, np.broadcast_to(z[:, None], x.shape)], -1).reshape(-1, 3)
    return Mesh(vertices, (strip(len(radius), segments)[:, ::-1],))


def cylinder(radius: float, height: float, *, top: float | None = None, segments: int = 24) -> Mesh:
    """A closed cylinder, or a cone where the ``top`` radius differs, standing on z = 0."""
    upper = radius if top is None else top
    return lathe([(0, 0), (radius, 0), (upper, height), (0, height)], segments)


def ball(size: Vector, *, rings: int = 10, segments: int = 20) -> Mesh:
    """An ellipsoid around the origin with the given diameters."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, rings)
    return lathe(list(zip(np.cos(angle).tolist(), np.sin(angle).tolist(), strict=True)), segments).scaled(
        np.asarray(size, np.float64) / 2
    )


def lump(seed: int, size: Vector, *, roughness: float = 0.1, rings: int = 10, segments: int = 24) -> Mesh:
    """An uneven ellipsoid: a pebble, a clod, a bush."""
    rng, mesh = np.random.default_rng(seed), ball((2, 2, 2), rings=rings, segments=segments)
    points = mesh.vertices
    for _ in range(4):
        points = points * (1 + roughness * np.sin(points @ rng.normal(0, 3, 3) + rng.uniform(0, 6)))[:, None]
    return Mesh(points, mesh.faces).scaled(np.asarray(size, np.float64) / 2)


def tube(points: Sequence[Vector], radius: float | Sequence[float], *, segments: int = 8) -> Mesh:
    """A pipe along a line of points, closed at both ends; the radius may change from point to point."""
    path = np.asarray(points, np.float64)
    radii = np.broadcast_to(np.asarray(radius, np.float64), (len(path),))
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
    side = _sides(along)
    up = np.cross(along, side)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    ring = np.cos(angle)[None, :, None] * side[:, None] + np.sin(angle)[None, :, None] * up[:, None]
    body = path[:, None] + radii[:, None, None] * ring
    ends = [np.repeat(path[place][None, None], segments, 1) for place in (0, -1)]
    vertices = np.concatenate([ends[0], body, ends[1]]).reshape(-1, 3)
    return Mesh(vertices, (strip(len(path) + 2, segments)[:, ::-1],))


def _sides(along: Array) -> Array:
    """Unit vectors (N, 3) across the directions, each turned as little as can be against the one before."""
    found: list[Array] = []
    for direction in along:
        before = found[-1] if found else np.zeros(3)
        across = before - direction * (before @ direction)
        if np.linalg.norm(across) < 1e-3:  # the first one, or a sharp corner
            across = np.cross((0.0, 0.0, 1.0) if abs(direction[2]) < 0.9 else (1.0, 0.0, 0.0), direction)
        found.append(across / max(float(np.linalg.norm(across)), 1e-12))
    return np.array(found)


def surface(points_xyz: Array) -> Mesh:
    """A height field or any other grid of points (rows, columns, 3)."""
    rows, columns = points_xyz.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1).reshape(-1, 4)
    return Mesh(points_xyz.reshape(-1, 3).astype(np.float64), (quads,))


def strip(rings: int, segments: int) -> Array:
    """Faces (M, 4) between neighbouring rings of a closed strip whose vertices are numbered ring by ring."""
    ring, segment = np.meshgrid(np.arange(rings - 1), np.arange(segments), indexing="ij")
    after = (segment + 1) % segments
    corners = [ring * segments + segment, (ring + 1) * segments + segment]
    corners += [(ring + 1) * segments + after, ring * segments + after]
    return np.stack(corners, -1).reshape(-1, 4)


def add(name: str, parts: Sequence[tuple[Mesh, Any]], *, smooth: bool = False) -> Any:
    """Put (mesh, material) parts into the scene as one object; returns the BlenderProc object.

    Label it with `scenes.kit.labels.label`: an object without a label fails the frame.
    """
    import blenderproc as bproc
    import bpy

    data = bpy.data.meshes.new(name)
    whole = joined(mesh for mesh, _ in parts)
    _fill(data, whole)
    slots: list[Any] = []
    for _, material in parts:
        if material not in slots:
            slots.append(material)
            data.materials.append(material)
    data.polygons.foreach_set("material_index", _slots(parts, slots))
    data.polygons.foreach_set("use_smooth", np.full(len(data.polygons), smooth))
    data.update()
    obj = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(obj)
    return bproc.types.MeshObject(obj)


def store(obj: Any, name: str, values: Array) -> None:
    """Keep one number with every vertex of an object, for its material to read."""
    attribute = obj.get_mesh().attributes.new(name, "FLOAT", "POINT")
    attribute.data.foreach_set("value", values.astype(np.float32))


def _fill(data: Any, mesh: Mesh) -> None:
    """Hand over whole arrays."""
    corners = np.concatenate([faces.ravel() for faces in mesh.faces]).astype(np.int32)
    sizes = np.concatenate([np.full(len(faces), faces.shape[1], np.int32) for faces in mesh.faces])
    data.vertices.add(len(mesh.vertices))
    data.vertices.foreach_set("co", mesh.vertices.astype(np.float32).ravel())
    data.loops.add(len(corners))
    data.loops.foreach_set("vertex_index", corners)
    data.polygons.add(len(sizes))
    data.polygons.foreach_set("loop_start", (np.cumsum(sizes) - sizes).astype(np.int32))
    data.update(calc_edges=True)


def _slots(parts: Sequence[tuple[Mesh, Any]], slots: list[Any]) -> Array:
    """Material slot of each face, in the order in which `joined` sorts faces: by corners, then by part."""
    corners = sorted({faces.shape[1] for mesh, _ in parts for faces in mesh.faces})
    runs = [
        np.full(len(faces), slots.index(material), np.int32)
        for number in corners
        for mesh, material in parts
        for faces in mesh.faces
        if faces.shape[1] == number
    ]
    return np.concatenate(runs)
