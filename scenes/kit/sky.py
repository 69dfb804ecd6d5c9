"""Skies from a formula, with the light that goes with them: a clear day, an overcast one, dusk.

The world is a gradient from horizon to zenith with a glow around the sun and clouds by noise, so that it lights the
scene the way a photographed panorama would, at no cost in files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scenes.kit.sampling import Span, Streams, log_uniform, pick, seed_of, settle, uniform

KINDS = ("sun", "overcast", "dusk")

_HUES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "sun": ((0.62, 0.74, 0.9), (0.16, 0.34, 0.78)),
    "overcast": ((0.86, 0.88, 0.9), (0.7, 0.74, 0.8)),
    "dusk": ((0.95, 0.55, 0.32), (0.13, 0.18, 0.36)),
}
"""Linear colours at the horizon and at the zenith."""


@dataclass(frozen=True, kw_only=True)
class Sky:
    """An outdoor sky. ``level`` is the sky's brightness, ``sun`` the sun's strength relative to it on a clear day."""

    kinds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 1.0))
    elevation_deg: Span = (15.0, 65.0)
    sun: Span = (1.5, 6.0)
    clouds: Span = (0.0, 0.8)
    variety: float = 0.15

    spans: ClassVar = {"elevation_deg": (1.0, 90.0), "sun": (0.1, 30.0), "clouds": (0.0, 1.0)}

    def __post_init__(self) -> None:
        settle(self, spans=self.spans, shares=("variety",), weights={"kinds": KINDS})

    def plan(self, streams: Streams) -> dict[str, Any]:
        """Draw a sky and the sun in it."""
        rng = streams("sky")
        kind, elevation = pick(rng, self.kinds), uniform(rng, self.elevation_deg)
        sun, clouds = log_uniform(rng, self.sun), uniform(rng, self.clouds)
        tints = rng.uniform(1 - self.variety, 1 + self.variety, (2, 3))
        horizon, zenith = (np.clip(np.array(hue) * t, 0, 1) for hue, t in zip(_HUES[kind], tints, strict=True))
        return {
            "kind": kind,
            "azimuth_deg": uniform(rng, (0, 360)),
            "elevation_deg": elevation if kind != "dusk" else round(2 + elevation / 8, 4),
            "sun": {"sun": sun, "overcast": 0.05 * sun, "dusk": 0.3 * sun}[kind],
            "softness_deg": uniform(rng, (0.5, 2.0)) if kind != "overcast" else uniform(rng, (20, 60)),
            "clouds": clouds,
            "cloud_size": log_uniform(rng, (0.8, 3.0)),
            "horizon": [round(float(c), 4) for c in horizon],
            "zenith": [round(float(c), 4) for c in zenith],
            "seed": seed_of(rng),
        }


def place_sky(plan: dict[str, Any]) -> None:
    """Put world and sun into the scene."""
    import blenderproc as bproc

    _paint_world(plan)
    light = bproc.types.Light("SUN")
    light.set_rotation_mat(bproc.camera.rotation_from_forward_vec(-_towards_sun(plan)))
    light.set_color(_sunlight(plan))
    light.set_energy(plan["sun"] * math.pi / 2)
    light.blender_obj.data.angle = math.radians(plan["softness_deg"])


def _towards_sun(plan: dict[str, Any]) -> Any:
    azimuth, elevation = math.radians(plan["azimuth_deg"]), math.radians(plan["elevation_deg"])
    flat = math.cos(elevation)
    return np.array([flat * math.cos(azimuth), flat * math.sin(azimuth), math.sin(elevation)])


def _sunlight(plan: dict[str, Any]) -> list[float]:
    """Warmer towards the horizon."""
    low = math.exp(-plan["elevation_deg"] / 12)
    return [1.0, 1.0 - 0.45 * low, 0.92 - 0.72 * low]


def _paint_world(plan: dict[str, Any]) -> None:
    import bpy

    world = bpy.context.scene.world
    world.use_nodes = True
    world.cycles.sampling_method = "NONE"
    _Painter(world.node_tree, plan).paint()


class _Painter:
    """Node tree of the world; directions are unit vectors from the camera outwards."""

    def __init__(self, tree: Any, plan: dict[str, Any]) -> None:
        self.tree, self.plan = tree, plan
        tree.nodes.clear()
        self.direction = tree.nodes.new("ShaderNodeTexCoord").outputs["Generated"]

    def paint(self) -> None:
        _, _, height = self._axes(self.direction)
        up = self._math("POWER", self._math("MAXIMUM", height, 0.0), 0.55)
        sky = self._mix(up, self.plan["horizon"], self.plan["zenith"])
        sky = self._mix(self._clouds(height), sky, self._cloud_colour())
        sky = self._mix(self._glow(), sky, [2.2, 1.9, 1.5])
        background, output = (self.tree.nodes.new(f"ShaderNode{kind}") for kind in ("Background", "OutputWorld"))
        self.tree.links.new(sky, background.inputs["Color"])
        self.tree.links.new(background.outputs["Background"], output.inputs["Surface"])

    def _cloud_colour(self) -> list[float]:
        grey = {"sun": 1.05, "overcast": 0.55, "dusk": 0.35}[self.plan["kind"]]
        return [grey * (0.5 + 0.5 * c) for c in (1.0, 0.98, 0.96)]

    def _clouds(self, height: Any) -> Any:
        """Noise on a plane far above, thinning towards the horizon."""
        flat = self._math("ADD", self._math("MAXIMUM", height, 0.0), 0.12)
        x, y, _ = self._axes(self.direction)
        place = self.tree.nodes.new("ShaderNodeCombineXYZ")
        for name, value in (("X", x), ("Y", y)):
            self.tree.links.new(self._math("DIVIDE", value, flat), place.inputs[name])
        place.inputs["Z"].default_value = self.plan["seed"] % 1000
        noise = self.tree.nodes.new("ShaderNodeTexNoise")
        noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = 1.0 / self.plan["cloud_size"], 5.0
        self.tree.links.new(place.outputs["Vector"], noise.inputs["Vector"])
        level = 0.75 - 0.4 * self.plan["clouds"]
        return self._range(noise.outputs["Fac"], level - 0.08, level + 0.12, 0.0, min(1.0, 2 * self.plan["clouds"]))

    def _glow(self) -> Any:
        """Brightness around the sun."""
        node = self.tree.nodes.new("ShaderNodeVectorMath")
        node.operation = "DOT_PRODUCT"
        self.tree.links.new(self.direction, node.inputs[0])
        node.inputs[1].default_value = _towards_sun(self.plan)
        near = self._math("POWER", self._math("MAXIMUM", node.outputs["Value"], 0.0), 24.0)
        return self._math("MULTIPLY", near, {"sun": 0.6, "overcast": 0.1, "dusk": 0.8}[self.plan["kind"]])

    def _axes(self, value: Any) -> tuple[Any, Any, Any]:
        node = self.tree.nodes.new("ShaderNodeSeparateXYZ")
        self.tree.links.new(value, node.inputs["Vector"])
        return node.outputs["X"], node.outputs["Y"], node.outputs["Z"]

    def _math(self, operation: str, *values: Any) -> Any:
        node = self.tree.nodes.new("ShaderNodeMath")
        node.operation = operation
        for value, target in zip(values, node.inputs, strict=False):
            self._feed(value, target)
        return node.outputs["Value"]

    def _range(self, value: Any, *bounds: float) -> Any:
        node = self.tree.nodes.new("ShaderNodeMapRange")
        for source, target in zip((value, *bounds), node.inputs, strict=False):
            self._feed(source, target)
        return node.outputs["Result"]

    def _mix(self, share: Any, first: Any, second: Any) -> Any:
        node = self.tree.nodes.new("ShaderNodeMixRGB")
        for source, target in zip((share, first, second), node.inputs, strict=True):
            self._feed(source, target)
        return node.outputs["Color"]

    def _feed(self, value: Any, target: Any) -> None:
        if hasattr(value, "is_linked"):
            self.tree.links.new(value, target)
        else:
            target.default_value = (*value, 1.0) if isinstance(value, list) else value
