"""A coins plan -> the Blender scene. Runs in a scene that `scenes.kit.blender.clear` has emptied."""

from __future__ import annotations

from typing import Any

from scenes.coins.meshes import coin_mesh
from scenes.coins.surfaces import coin_surface, ground_surface
from scenes.kit import backgrounds, distractors, meshes
from scenes.kit.cameras import place_camera
from scenes.kit.labels import label
from scenes.kit.lights import place_lights

BACKGROUND, COIN = 0, 1


def build(plan: dict[str, Any], *, width: int, height: int) -> None:
    """Put everything of the plan into the scene; ``width`` and ``height`` of the image are in pixels."""
    _add_ground(plan)
    distractors.place(plan["distractors"], class_id=BACKGROUND)
    for coin in plan["coins"]:
        _add_coin(coin)
    place_lights(plan["lights"], plan["ambient"])
    place_camera(plan["camera"], width=width, height=height)


def _add_ground(plan: dict[str, Any]) -> None:
    half, frame = plan["ground"]["size"] / 2, plan["ground"]["frame"]
    square = meshes.sheet([(-half, -half, 0.0), (half, -half, 0.0), (half, half, 0.0), (-half, half, 0.0)])
    photograph = plan["photograph"]
    surface = ground_surface(plan["ground"]) if photograph is None else backgrounds.ground(photograph, side=frame)
    ground = meshes.add("ground", [(square, surface)])
    ground.set_location([0, 0, -plan["lift"]])
    label(ground, BACKGROUND, thing=False)


def _add_coin(plan: dict[str, Any]) -> None:
    mesh, heights = coin_mesh(plan)
    coin = meshes.add("coin", [(mesh, coin_surface(plan))], smooth=True)
    meshes.store(coin, "relief", heights)
    coin.set_scale([plan["radius"]] * 3)
    coin.set_rotation_euler([*plan["lean"], plan["turn"]])
    coin.set_location([plan["x"], plan["y"], plan["z"]])
    label(coin, COIN, thing=True)
