"""Dropping things until they lie still: Blender's rigid bodies (Bullet), run before anything else is in the scene.

Things are simulated as convex parts at a size that suits Bullet and slowly enough for its time steps; the same bodies
come to rest in the same poses in every process. Nothing of the simulation stays in the scene.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_SUBSTEPS, _LOOK_EVERY, _STILL = 6, 12, 0.02
_MARGIN = 0.006
"""Gap that Bullet keeps around convex parts, in simulated units."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """A thing to drop: points (N, 3) of each convex part and centre of mass in its own space, metres; then where the
    centre starts, and how it is turned (Euler angles x, y, z in radians).
    """

    hulls: tuple[Array, ...]
    centre: Array
    at: Sequence[float]
    turn: Sequence[float]
    mass: float = 1.0
    friction: float = 0.5


def drop(bodies: Sequence[Body], obstacles: Sequence[Array], *, unit: float, frames: int = 240) -> list[Array]:
    """Poses (4 x 4, world from object) in which the bodies come to rest upon the obstacles (hulls that do not move).

    ``unit`` is a typical size of a body, in metres; ``frames`` how many 24ths of a slow second are simulated at most.
    """
    import bpy

    scene = bpy.context.scene
    bpy.ops.rigidbody.world_add()
    scene.rigidbody_world.substeps_per_frame = _SUBSTEPS
    scene.rigidbody_world.point_cache.frame_end = frames + 1
    scene.rigidbody_world.collection = bpy.data.collections.new("dropped")
    solid = [_hull(points / unit, moving=False) for points in obstacles]
    moving = [_body(body, unit) for body in bodies]
    matrices = _settle(moving, frames)
    _remove([*solid, *moving])
    return [_own(matrix, body, unit) for matrix, body in zip(matrices, bodies, strict=True)]


def thinned(points: Array, number: int = 60) -> Array:
    """A few of many points, enough for a hull: the outermost in directions spread evenly about its bounding box."""
    step = np.arange(number) + 0.5
    z, turn = 1 - 2 * step / number, step * math.pi * (3 - math.sqrt(5))
    flat = np.sqrt(1 - z**2)
    directions = np.concatenate([np.stack([flat * np.cos(turn), flat * np.sin(turn), z], -1), np.eye(3), -np.eye(3)])
    whole = (points - points.mean(0)) / np.maximum(np.ptp(points, axis=0), 1e-9)
    return np.asarray(points[np.unique((whole @ directions.T).argmax(0))])


def _settle(moving: list[Any], frames: int) -> list[Array]:
    """Step until nothing has moved since the last look."""
    import bpy

    before = np.full((len(moving), 4, 4), np.inf)
    for frame in range(1, frames + 2):
        bpy.context.scene.frame_set(frame)
        if frame % _LOOK_EVERY == 0 or frame > frames:
            graph = bpy.context.evaluated_depsgraph_get()
            now = np.array([obj.evaluated_get(graph).matrix_world for obj in moving]).reshape(-1, 4, 4)
            if np.abs(now - before).max(initial=0.0) < _STILL:
                break
            before = now
    return list(now)


def _body(body: Body, unit: float) -> Any:
    """One moving body; several convex parts hang below a compound one."""
    parts = [(points - body.centre) / unit for points in body.hulls]
    parent = _hull(parts[0] if len(parts) == 1 else np.concatenate(parts), moving=True)
    if len(parts) > 1:
        for part in parts:
            _hull(part, moving=True).parent = parent
        parent.rigid_body.collision_shape = "COMPOUND"
    parent.location = [value / unit for value in body.at]
    parent.rotation_euler = body.turn
    rigid = parent.rigid_body
    rigid.mass, rigid.friction = body.mass, body.friction
    rigid.linear_damping, rigid.angular_damping = 0.1, 0.6
    return parent


def _hull(points: Array, *, moving: bool) -> Any:
    import bpy

    data = bpy.data.meshes.new("hull")
    data.from_pydata(points.tolist(), [], [])
    obj = bpy.data.objects.new("hull", data)
    scene = bpy.context.scene
    scene.collection.objects.link(obj)
    scene.rigidbody_world.collection.objects.link(obj)
    rigid = obj.rigid_body
    rigid.type, rigid.collision_shape = "ACTIVE" if moving else "PASSIVE", "CONVEX_HULL"
    rigid.use_margin, rigid.collision_margin = True, _MARGIN
    rigid.friction, rigid.restitution = 0.5, 0.0
    return obj


def _remove(objects: list[Any]) -> None:
    import bpy

    scene = bpy.context.scene
    collection = scene.rigidbody_world.collection
    bpy.ops.rigidbody.world_remove()
    bpy.data.collections.remove(collection)
    for obj in [child for parent in objects for child in (*parent.children, parent)]:
        bpy.data.meshes.remove(obj.data)
    scene.frame_set(scene.frame_start)


def _own(matrix: Array, body: Body, unit: float) -> Array:
    """From the pose of the centre of mass in simulated units to that of the object's own space in metres."""
    pose = matrix.copy()
    pose[:3, 3] = matrix[:3, 3] * unit - matrix[:3, :3] @ body.centre
    return pose
