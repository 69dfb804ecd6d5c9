"""An assets plan -> the Blender scene. Runs in a scene that `scenes.kit.blender.clear` has emptied."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.assets import layout, textures
from scenes.assets.importing import UnusableError, load, points
from scenes.assets.pictures import drop_missing
from scenes.assets.plan import FOLDER
from scenes.kit import backgrounds, distractors, files, meshes
from scenes.kit.cameras import place_view
from scenes.kit.labels import label
from scenes.kit.lights import place_lights
from scenes.kit.materials import material
from scenes.kit.nodes import Shader
from scenes.kit.physics import Body, drop, thinned
from scenes.kit.room import place_room
from scenes.kit.strip import Strip, strip_of

BACKGROUND = 0

Array = npt.NDArray[np.float64]

Box = tuple[Array, Array]
"""Lowest and highest corner of a thing."""

_NO_AMBIENT = {"colour": [0.0, 0.0, 0.0], "strength": 0.0}
"""The room lights the shadows instead."""


@dataclass
class _Thing:
    """One asset on its way into the scene: a mesh around its own middle in metres, its points, and its pose."""

    plan: dict[str, Any]
    mesh: Any
    at: Array
    pose: Array

    @property
    def seen(self) -> Array:
        """Its points in the world."""
        return np.asarray(self.at @ self.pose[:3, :3].T + self.pose[:3, 3])


def build(plan: dict[str, Any], *, width: int, height: int) -> list[str]:
    """Put the whole plan into the scene, picture sides in pixels; returns what was left out or changed, and why."""
    sources, notes = _sources(plan["assets"])
    things = [_thing(asset, sources[asset["file"]]) for asset in plan["assets"] if asset["file"] in sources]
    view = _View(plan["camera"], width=width, height=height)
    strip = layout.strip_on(width / height, plan["camera"], hover=plan["hover"])
    if plan["hover"]:
        _hover(things, plan["density"], strip, view)
    else:
        _lay(things, plan["density"], strip)
    for thing in things:
        _add(thing)
    boxes = [(thing.seen.min(0), thing.seen.max(0)) for thing in things]
    frame, middle = view.frame(boxes)
    if not plan["hover"]:
        _add_ground(plan, frame)
        _scatter(plan["distractors"], frame, middle, boxes)
    _light(plan, frame, middle)
    view.place(frame, middle)
    return notes


def _sources(assets: list[dict[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """Each file's mesh, loaded once; files that cannot be used, and pictures that files lack, are named."""
    sources: dict[str, Any] = {}
    notes = []
    for name in dict.fromkeys(asset["file"] for asset in assets):
        try:
            mesh = sources[name] = load(files.locate(FOLDER, name))
            notes += [f"{name}: picture {missing} is missing; a plain colour instead" for missing in drop_missing(mesh)]
        except UnusableError as error:
            notes.append(f"{name}: {error}; left out")
    return sources, notes


def _thing(plan: dict[str, Any], source: Any) -> _Thing:
    """A copy of the file's mesh, rescaled about the middle of its box, turned as its pose says."""
    mesh, at = source.copy(), points(source)
    low, high = at.min(0), at.max(0)
    scale = plan["scale"] or plan["size_m"] / float((high - low).max())
    at = (at - (low + high) / 2) * scale
    mesh.vertices.foreach_set("co", at.astype(np.float32).ravel())
    mesh.update()
    pose = np.eye(4)
    pose[:3, :3] = _rotation(plan, high - low)
    return _Thing(plan, mesh, at, pose)


def _rotation(plan: dict[str, Any], extent: Array) -> Array:
    """Upright and flat things are turned about the vertical by chance, others as told, or anyhow."""
    pose, (x, y, z) = plan["pose"], plan["turn"]
    if pose == "any":
        return _euler(x, y, z)
    if not isinstance(pose, str):
        return _euler(*map(math.radians, pose))
    return _euler(0, 0, z) @ _euler(*(layout.levelled(extent) if pose == "flat" else (0, 0, 0)))


def _euler(*angles: float) -> Array:
    from mathutils import Euler

    return np.array(Euler(angles).to_matrix())


def _lay(things: list[_Thing], density: float, strip: Strip) -> None:
    """Put the things on z = 0 beside each other; those that may lie anyhow fall until they rest."""
    radii = [_across(thing.at @ thing.pose[:3, :3].T, thing.plan["pose"]) for thing in things]
    tries = [thing.plan["spots"] for thing in things]
    spots = layout.apart(radii, tries, density=density, strip=strip) if things else []
    for thing, (x, y) in zip(things, spots, strict=True):
        thing.pose[:3, 3] = (x, y, -float((thing.at @ thing.pose[2, :3]).min()))
    loose = [thing for thing in things if thing.plan["pose"] == "any"]
    if loose:
        _fall(loose, [thing for thing in things if thing.plan["pose"] != "any"])


def _across(turned: Array, pose: Any) -> float:
    """Radius of the circle that a thing needs on the ground; one that may yet fall over needs it for all its sides."""
    needed = turned if pose == "any" else turned[:, :2]
    return float(np.linalg.norm(needed, axis=1).max())


def _fall(loose: list[_Thing], fixed: list[_Thing]) -> None:
    size = float(np.median([np.ptp(thing.at, axis=0).max() for thing in loose]))
    far = 1000 * size
    ground = np.array([(x, y, z) for x in (-far, far) for y in (-far, far) for z in (-size, 0.0)])
    bodies = []
    for thing in loose:
        hull = thinned(thing.at)
        start = thing.pose[:3, 3] + (0, 0, 0.02 * size)
        bodies.append(Body(hulls=(hull,), centre=np.zeros(3), at=start.tolist(), turn=thing.plan["turn"]))
    poses = drop(bodies, [ground, *(thinned(thing.seen) for thing in fixed)], unit=size / 2)
    for thing, pose in zip(loose, poses, strict=True):
        thing.pose = np.asarray(pose, np.float64)


def _hover(things: list[_Thing], density: float, strip: Strip, view: _View) -> None:
    """Spread the things over a plane that faces the camera, some nearer than others."""
    radii = [float(np.linalg.norm(thing.at, axis=1).max()) for thing in things]
    tries = [thing.plan["spots"] for thing in things]
    spots = layout.apart(radii, tries, density=density, strip=strip) if things else []
    for thing, radius, (x, y) in zip(things, radii, spots, strict=True):
        thing.pose[:3, 3] = view.across * x + view.up * y - view.forward * thing.plan["nearness"] * radius


class _View:
    """A camera on a sphere around what it looks at; the picture's sides are in pixels."""

    def __init__(self, plan: dict[str, Any], *, width: int, height: int) -> None:
        self.plan, self.size = plan, (width, height)
        azimuth, elevation = (math.radians(plan[f"{name}_deg"]) for name in ("azimuth", "elevation"))
        cos, sin, low, high = math.cos(azimuth), math.sin(azimuth), math.cos(elevation), math.sin(elevation)
        self.forward = -np.array([cos * low, sin * low, high])
        self.across, self.up = np.array([-sin, cos, 0.0]), np.array([-cos * high, -sin * high, low])
        is_long = strip_of(width / height, plan).extra > 0
        self.roll = math.radians(plan["roll_deg"]) if is_long else 0.0

    def frame(self, boxes: list[Box]) -> tuple[float, Array]:
        """How many metres the picture's shorter side spans, and the middle of what it shows. In wide pictures assets
        are measured along the picture's own sides: even a small roll makes a long strip high.
        """
        corners = [layout.corners(low, high) for low, high in boxes]
        seen = np.concatenate(corners or [np.array([[-0.5] * 3, [0.5] * 3])])
        cos, sin = math.cos(self.roll), math.sin(self.roll)
        axes = np.stack([cos * self.across + sin * self.up, cos * self.up - sin * self.across, self.forward])
        low, high = (bound(seen @ axes.T, 0) for bound in (np.min, np.max))
        shares = np.array(self.size) / min(self.size)
        return float(((high - low)[:2] / shares).max()) / self.plan["fill"], (low + high) / 2 @ axes

    def place(self, frame: float, middle: Array) -> None:
        """Look at ``middle``, past it by a little, from so far that ``frame`` metres fill the shorter side."""
        import bpy

        plan, towards = self.plan, math.radians(self.plan["towards_deg"])
        aside = 0.5 * frame * plan["off_middle"]
        target = middle + aside * (math.cos(towards) * self.across + math.sin(towards) * self.up)
        distance = frame / 2 / math.tan(math.radians(plan["field_deg"]) / 2)
        pose = {
            "at": (target - distance * self.forward).tolist(),
            "yaw_deg": plan["azimuth_deg"] + 90,
            "pitch_deg": -plan["elevation_deg"],
            "roll_deg": plan["roll_deg"],
            "field_deg": plan["field_deg"],
        }
        place_view(pose, width=self.size[0], height=self.size[1])
        lens = bpy.context.scene.camera.data
        lens.clip_start, lens.clip_end = 0.01 * distance, 200 * distance


def _add(thing: _Thing) -> None:
    """The object, with its file's materials where there are any."""
    import blenderproc as bproc
    import bpy

    plan, mesh = thing.plan, thing.mesh
    size = float(np.ptp(thing.at, axis=0).max())
    _dress(mesh, plan, size)
    raw = bpy.data.objects.new(plan["name"], mesh)
    bpy.context.scene.collection.objects.link(raw)
    obj = bproc.types.MeshObject(raw)
    obj.set_local2world_mat(thing.pose)
    label(obj, plan["class_id"], thing=True)


def _dress(mesh: Any, plan: dict[str, Any], size: float) -> None:
    """A photograph over everything if one is planned; else the planned material where the file brings none."""
    if plan["texture"] is not None:
        over = textures.surface(plan["texture"], size=size)
        for slot in range(max(len(mesh.materials), 1)):
            _set(mesh, slot, over)
        return
    bare = [
        slot for slot in range(max(len(mesh.materials), 1)) if slot >= len(mesh.materials) or not mesh.materials[slot]
    ]
    if bare:
        painted = [attribute.name for attribute in mesh.color_attributes]
        plain = _painted(painted[0], plan) if painted else material(plan["material"], unit=size, flat=False)
        for slot in bare:
            _set(mesh, slot, plain)


def _set(mesh: Any, slot: int, surface: Any) -> None:
    if slot < len(mesh.materials):
        mesh.materials[slot] = surface
    else:
        mesh.materials.append(surface)


def _painted(attribute: str, plan: dict[str, Any]) -> Any:
    """A material that shows the colours of a file's vertices."""
    shader = Shader("painted", seed=0, unit=1.0)
    colour = shader.node("Attribute", {}, attribute_name=attribute).outputs["Color"]
    shader.set(Base_Color=colour, Roughness=plan["material"]["roughness"])
    return shader.material


def _add_ground(plan: dict[str, Any], frame: float) -> None:
    half = 30 * frame
    square = meshes.sheet([(-half, -half, 0.0), (half, -half, 0.0), (half, half, 0.0), (-half, half, 0.0)])
    if plan["photograph"] is None:
        surface = material(plan["ground"], unit=frame)
    else:
        surface = backgrounds.ground(plan["photograph"], side=2 * frame)
    label(meshes.add("ground", [(square, surface)]), BACKGROUND, thing=False)


def _scatter(plans: list[dict[str, Any]], frame: float, middle: Array, boxes: list[Box]) -> None:
    """Distractors around the middle, those left out that would stand in an asset."""
    moved = [
        piece
        | {"x": middle[0] + frame * piece["x"], "y": middle[1] + frame * piece["y"], "size": frame * piece["size"]}
        for piece in plans
    ]
    distractors.place([piece for piece in moved if _is_clear(piece, boxes)], class_id=BACKGROUND)


def _is_clear(piece: dict[str, Any], boxes: list[Box]) -> bool:
    at = np.array([piece["x"], piece["y"]])
    away = [np.linalg.norm(np.maximum(np.maximum(low[:2] - at, at - high[:2]), 0.0)) for low, high in boxes]
    return bool(min(away, default=math.inf) > 0.7 * piece["size"])


def _light(plan: dict[str, Any], frame: float, middle: Array) -> None:
    """Lamps at multiples of the frame around the middle, and the room."""
    lamps = []
    for lamp in plan["lights"]:
        at = [frame * value for value in lamp["at"]]
        lamps.append(lamp | {"at": at, "aim": [frame * v for v in lamp["aim"]], "size": frame * lamp["size"]})
    place_lights(lamps, _NO_AMBIENT)
    place_room(plan["room"])
    _shift_lamps(middle)


def _shift_lamps(by: Array) -> None:
    import bpy
    from mathutils import Vector

    for lamp in [obj for obj in bpy.context.scene.objects if obj.type == "LIGHT"]:
        lamp.location += Vector(by)
