"""A coins plan -> the Blender scene. Runs in a scene that `scenes.kit.blender.clear` has emptied."""

from __future__ import annotations

from typing import Any

import numpy as np

from scenes.coins import meshes, surfaces
from scenes.kit.cameras import place_camera
from scenes.kit.lights import place_lights
from scenes.kit.passes import CLASS_KEY

BACKGROUND, COIN = 0, 1


def build(plan: dict[str, Any], *, width: int, height: int) -> None:
    """Put everything of the plan into the scene; ``width`` and ``height`` of the image are in pixels."""
    _add_ground(plan["ground"], plan["lift"])
    for piece in plan["clutter"]:
        _add_clutter(piece)
    for coin in plan["coins"]:
        _add_coin(coin)
    place_lights(plan["lights"], plan["ambient"])
    place_camera(plan["camera"], width=width, height=height)


def _add_ground(plan: dict[str, Any], lift: float) -> None:
    half = plan["size"] / 2
    corners = np.array([(-half, -half, 0.0), (half, -half, 0.0), (half, half, 0.0), (-half, half, 0.0)])
    ground = meshes.add("ground", corners, np.arange(4)[None], smooth=False)
    ground.set_location([0, 0, -lift])
    _finish(ground, surfaces.ground_surface(plan), BACKGROUND)


def _add_coin(plan: dict[str, Any]) -> None:
    vertices, faces, heights = meshes.coin_arrays(plan)
    coin = meshes.add("coin", vertices, faces, smooth=True)
    meshes.store(coin, "relief", heights)
    coin.set_scale([plan["radius"]] * 3)
    coin.set_rotation_euler([*plan["lean"], plan["turn"]])
    coin.set_location([plan["x"], plan["y"], plan["z"]])
    _finish(coin, surfaces.coin_surface(plan), COIN)


def _add_clutter(plan: dict[str, Any]) -> None:
    pebble = plan["kind"] == "pebble"
    shape = meshes.pebble_arrays if pebble else meshes.scrap_arrays
    piece = meshes.add(plan["kind"], *shape(plan["seed"], plan["stretch"]), smooth=pebble)
    piece.set_scale([plan["size"]] * 3)
    piece.set_rotation_euler([0, 0, plan["turn"]])
    piece.set_location([plan["x"], plan["y"], 0])
    _finish(piece, surfaces.plain_surface(plan), BACKGROUND)


def _finish(obj: Any, material: Any, class_id: int) -> None:
    obj.blender_obj.data.materials.append(material)
    obj.set_cp(CLASS_KEY, class_id)
