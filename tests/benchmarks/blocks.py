"""The scene of the rendering benchmark: twenty plain blocks, balls and cylinders on a plane under an area light.

As BlenderProc's own examples are: primitive objects, one plain material each, one light. A plan is JSON-able like any
pack's, so that every contestant builds the same scene.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scenes.kit import meshes
from scenes.kit.cameras import place_camera
from scenes.kit.labels import label
from scenes.kit.lights import place_lights
from scenes.kit.materials import plain
from scenes.kit.sensor import Photographed

OBJECTS = 20


def plan(seed: int) -> dict[str, Any]:
    """One scene; lengths in metres."""
    rng = np.random.default_rng(seed)
    return {
        "seed": seed,
        "objects": [
            {
                "shape": ("block", "ball", "cylinder")[int(rng.integers(3))],
                "at": rng.uniform(-0.4, 0.4, 2).round(4).tolist(),
                "size": round(float(rng.uniform(0.06, 0.18)), 4),
                "turn": round(float(rng.uniform(0, 3)), 4),
                "colour": rng.uniform(0.05, 0.9, 3).round(3).tolist(),
                "roughness": round(float(rng.uniform(0.2, 0.9)), 3),
                "metallic": float(rng.random() < 0.25),
            }
            for _ in range(OBJECTS)
        ],
        "camera": {"distance": 1.6, "field_deg": 40.0, "tilt_deg": 35.0, "azimuth_deg": 0.0, "roll_deg": 0.0},
        "sensor": Photographed().plan_sensor(lambda name: np.random.default_rng([seed, len(name)])),
    }


def build(planned: dict[str, Any], *, width: int, height: int) -> None:
    """Put the scene together; objects are class 1, the plane is 0."""
    half = 3.0
    square = meshes.sheet([(-half, -half, 0), (half, -half, 0), (half, half, 0), (-half, half, 0)])
    label(meshes.add("plane", [(square, plain("plane", (0.5, 0.5, 0.5)))]), 0, thing=False)
    for told in planned["objects"]:
        _add(told)
    lamp = {"kind": "area", "at": [0.6, -0.8, 1.5], "aim": [0.0, 0.0], "size": 0.5, "strength": 1.0}
    place_lights([lamp | {"colour": [1.0, 1.0, 1.0]}], {"colour": [1.0, 1.0, 1.0], "strength": 0.15})
    place_camera(planned["camera"], width=width, height=height)


def _add(told: dict[str, Any]) -> None:
    size = told["size"]
    shape = {
        "block": lambda: meshes.box((size, size, size)),
        "ball": lambda: meshes.ball((size, size, size), rings=24, segments=48).moved((0, 0, size / 2)),
        "cylinder": lambda: meshes.cylinder(size / 2, size, segments=48),
    }[told["shape"]]()
    surface = plain(told["shape"], told["colour"], roughness=told["roughness"], metallic=told["metallic"])
    thing = meshes.add(told["shape"], [(shape, surface)], smooth=told["shape"] == "ball")
    thing.set_location([*told["at"], 0.0])
    thing.set_rotation_euler([0.0, 0.0, told["turn"]])
    label(thing, 1, thing=True)
