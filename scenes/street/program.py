"""A street plan -> the Blender scene. Runs in a scene that `scenes.kit.blender.clear` has emptied."""

from __future__ import annotations

from typing import Any

from scenes.kit.cameras import place_view
from scenes.kit.sky import place_sky
from scenes.street import cars, clutter, facades, fences, ground, markings, people, poles, signs, trees
from scenes.street.paint import Paint
from scenes.street.path import path_of


def build(plan: dict[str, Any], *, width: int, height: int) -> None:
    """Put everything of the plan into the scene; ``width`` and ``height`` of the image are in pixels."""
    path, paint = path_of(plan["road"]), Paint(plan["textures"])
    ground.place(plan["road"], path, paint)
    markings.place(plan["markings"], plan["road"], path, paint)
    facades.place(plan["buildings"], path, paint, dark=plan["sky"]["kind"] == "dusk")
    fences.place(plan["fences"], path, paint)
    trees.place(plan["trees"], path, paint)
    poles.place(plan["poles"], path, paint)
    signs.place(plan["signs"], path, paint)
    clutter.place(plan["clutter"], path, paint)
    cars.place_cars(plan["cars"], path, paint)
    people.place_pedestrians(plan["pedestrians"], path, paint)
    people.place_bicyclists(plan["bicyclists"], path, paint)
    place_sky(plan["sky"])
    place_view(plan["camera"], width=width, height=height)
