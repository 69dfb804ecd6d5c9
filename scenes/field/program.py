"""A field plan -> the Blender scene. Runs in a scene that `scenes.kit.blender.clear` has emptied."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.field import litter
from scenes.field.materials import leaf_material, litter_material, soil_material
from scenes.field.plants import BLADED, foliage
from scenes.field.relief import Relief
from scenes.field.species import CROPS, WEEDS
from scenes.kit import meshes
from scenes.kit.cameras import place_camera
from scenes.kit.footprint import Footprint, footprint_of
from scenes.kit.labels import label
from scenes.kit.materials import plain
from scenes.kit.sky import place_sky

SOIL, CROP, WEED = 0, 1, 2


def build(plan: dict[str, Any], *, width: int, height: int) -> None:
    """Put everything of the plan into the scene; ``width`` and ``height`` of the image are in pixels."""
    footprint = footprint_of(width / height, plan["camera"], frame=plan["frame_m"])
    relief = Relief(plan["soil"], seen=footprint.box(0.75 * plan["frame_m"]))
    _add_ground(plan, relief, footprint)
    surfaces: dict[str, Any] = {}
    for class_id, plants in ((CROP, plan["crops"]), (WEED, plan["weeds"])):
        for plant in plants:
            _add_plant(plant, class_id, relief, surfaces)
    place_sky(plan["sky"])
    if plan["shade"] is not None:
        _add_shade(plan)
    place_camera(plan["camera"], width=width, height=height)


def _add_ground(plan: dict[str, Any], relief: Relief, footprint: Footprint) -> None:
    ground = meshes.add("ground", [(relief.mesh(), soil_material(plan["soil"], relief))], smooth=True)
    label(ground, SOIL, thing=False)
    lies, reach = plan["litter"], 0.8 * plan["frame_m"]
    for name, make, colour in (("straw", litter.straw, "straw_colour"), ("stones", litter.stones, "stone_colour")):
        if lies[name]:
            lying = make(lies, relief, reach, footprint)
            obj = meshes.add(name, [(lying, litter_material(name, lies[colour]))], smooth=name == "stones")
            label(obj, SOIL, thing=False)


def _add_plant(plan: dict[str, Any], class_id: int, relief: Relief, surfaces: dict[str, Any]) -> None:
    kind, grown = plan["kind"], foliage(plan)
    if kind not in surfaces:
        surfaces[kind] = leaf_material(kind, rib=(CROPS | WEEDS)[kind].rib, parallel=kind in BLADED)
    plant = meshes.add(kind, [(grown.mesh, surfaces[kind])], smooth=True)
    for name in ("across", "along", "tone"):
        meshes.store(plant, name, getattr(grown, name))
    plant.blender_obj.color = (*plan["colour"], plan["yellowing"])
    plant.set_location([plan["x"], plan["y"], relief.at(plan["x"], plan["y"])])
    label(plant, class_id, thing=True)


def _add_shade(plan: dict[str, Any]) -> None:
    """A board above the camera, towards the sun, whose shadow falls where planned; out of the camera's sight."""
    shade, sky = plan["shade"], plan["sky"]
    azimuth, elevation = math.radians(sky["azimuth_deg"]), math.radians(sky["elevation_deg"])
    high = 1.5 * plan["camera"]["distance"]
    away = high / math.tan(elevation)
    across = np.array([math.cos(shade["turn"]), math.sin(shade["turn"])])
    along = np.array([-across[1], across[0]]) * 4 * plan["frame_m"]
    middle = shade["x"] * across + away * np.array([math.cos(azimuth), math.sin(azimuth)])
    corners = [middle + way * shade["half"] * across + end * along for way, end in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    board = meshes.add("shade", [(meshes.sheet([(*corner, high) for corner in corners]), plain("shade", (0.1,) * 3))])
    label(board, SOIL, thing=False)
