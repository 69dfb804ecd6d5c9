"""A tabletop plan -> the Blender scene. Runs in a scene that `scenes.kit.blender.clear` has emptied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scenes.kit import backgrounds, distractors, meshes
from scenes.kit.cameras import place_camera
from scenes.kit.labels import label
from scenes.kit.lights import place_lights
from scenes.kit.materials import material
from scenes.kit.physics import Body, drop
from scenes.kit.room import place_room
from scenes.tabletop import bins
from scenes.tabletop.parts import PARTS, solid
from scenes.tabletop.solids import Array, Solid, box_hull

BACKGROUND = 0

_NO_AMBIENT = {"colour": [0.0, 0.0, 0.0], "strength": 0.0}
"""The room lights the shadows instead."""

_UNIT, _DENSITY = 0.02, 0.05
"""Metres that are simulated as one unit; a part's mass grows with its size, but less than its volume."""

_SHARP = 0.6
"""Radians between faces beyond which an edge is not shaded smoothly."""


def build(plan: dict[str, Any], *, width: int, height: int) -> None:
    """Drop everything, then put it into the scene where it came to rest; ``width`` and ``height`` are in pixels."""
    solids = [solid(part) for part in plan["parts"]]
    others = [_clutter(piece) for piece in plan["distractors"]]
    container, obstacles = (None, [_table(plan["frame"])]) if plan["bin"] is None else bins.solid(plan["bin"])
    places = [(0.0, 0.0), *((plan["bin"] or {}).get("beside", ()))]
    bodies = [_body(form, thing) for form, thing in zip([*solids, *others], _things(plan), strict=True)]
    poses = _dropped(bodies, [thing.get("bin", 0) for thing in _things(plan)], obstacles, places)
    _add_ground(plan)
    if container is not None:
        bins_ = meshes.joined([container.moved((*place, 0.0)) for place in places])
        label(meshes.add("bin", [(bins_, _surface(plan["bin"]["surface"], 0.1))]), BACKGROUND, thing=False)
    for part, form, pose in zip(plan["parts"], solids, poses[: len(solids)], strict=True):
        _add(part["name"], form, part["surfaces"], pose, class_id=PARTS.index(part["class"]) + 1)
    for piece, form, pose in zip(plan["distractors"], others, poses[len(solids) :], strict=True):
        _add(piece["shape"], form, {"body": piece["material"]}, pose, class_id=BACKGROUND)
    place_lights(plan["lights"], _NO_AMBIENT)
    place_room(plan["room"])
    place_camera(plan["camera"], width=width, height=height)


def _dropped(
    bodies: list[Body], bins_: list[int], obstacles: list[Array], places: list[Sequence[float]]
) -> list[Array]:
    """Poses at rest: each body falls into its own bin as if that stood at the origin, which is then moved to its place.

    So walls may go on upwards and outwards unseen, and what lies in one bin never hangs on what falls into another.
    """
    poses: dict[int, Array] = {}
    for number, place in enumerate(places):
        mine = [index for index, own in enumerate(bins_) if own == number]
        for index, pose in zip(mine, drop([bodies[index] for index in mine], obstacles, unit=_UNIT), strict=True):
            pose[:2, 3] += place
            poses[index] = pose
    return [poses[index] for index in range(len(bodies))]


def _things(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [*plan["parts"], *plan["distractors"]]


def _clutter(piece: dict[str, Any]) -> Solid:
    mesh = distractors.shape(piece)
    return Solid(((mesh, "body"),), (mesh.vertices,))


def _table(frame: float) -> Array:
    return box_hull((-20 * frame, -20 * frame, -frame), (20 * frame, 20 * frame, 0.0))


def _body(form: Solid, thing: dict[str, Any]) -> Body:
    extent = np.concatenate(form.hulls)
    mass = max(float(np.prod(np.ptp(extent, axis=0) / _UNIT)), 0.01) ** 0.5
    return Body(hulls=form.hulls, centre=form.centre, at=thing["at"], turn=thing["fall_turn"], mass=mass)


def _add_ground(plan: dict[str, Any]) -> None:
    half, frame, photograph = plan["ground"]["size"] / 2, plan["frame"], plan["photograph"]
    square = meshes.sheet([(-half, -half, 0.0), (half, -half, 0.0), (half, half, 0.0), (-half, half, 0.0)])
    if photograph is None:
        surface = material(plan["ground"], unit=frame)
    else:
        surface = backgrounds.ground(photograph, side=2 * frame)
    label(meshes.add("table", [(square, surface)]), BACKGROUND, thing=False)


def _surface(plan: dict[str, Any], unit: float) -> Any:
    return material(plan, unit=unit, flat=False)


def _add(name: str, form: Solid, surfaces: dict[str, Any], pose: Array, *, class_id: int) -> None:
    size = float(np.ptp(np.concatenate(form.hulls), axis=0).max())
    used = {key: _surface(surfaces[key], size) for _, key in form.parts}
    obj = meshes.add(name, [(mesh, used[key]) for mesh, key in form.parts], smooth=True)
    obj.get_mesh().set_sharp_from_angle(angle=_SHARP)
    obj.set_local2world_mat(pose)
    label(obj, class_id, thing=class_id != BACKGROUND)
