"""The light of a room: a world with a bright ceiling, a dim floor and a few windows or lamps, for metal to mirror.

An even world makes polished things look grey and flat; the windows are what one sees in them. Strengths are relative,
as in `scenes.kit.lights`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.kit.sampling import Span, Streams, log_uniform, tint, uniform, whole

Socket = Any


def plan_room(streams: Streams, *, level: Span, warmth: float, windows: Span = (1, 3)) -> dict[str, Any]:
    """Draw a room's light; ``level`` is its mean strength against a key light of 1, drawn by ratio."""
    rng = streams("room")
    return {
        "strength": log_uniform(rng, level),
        "ceiling": tint(rng, (0.9, 1.3), (0.0, warmth)),
        "floor": tint(rng, (0.1, 0.6), (0.0, 2 * warmth)),
        "windows": [_window(rng, warmth) for _ in range(whole(rng, windows))],
    }


def _window(rng: np.random.Generator, warmth: float) -> dict[str, Any]:
    """A bright oblong around a direction; half its width and height as tangents."""
    return {
        "azimuth_deg": uniform(rng, (0, 360)),
        "elevation_deg": uniform(rng, (15, 80)),
        "half": [log_uniform(rng, (0.2, 0.7)), log_uniform(rng, (0.15, 0.5))],
        "strength": log_uniform(rng, (2.0, 7.0)),
        "colour": tint(rng, (1.0, 1.0), (0.0, warmth)),
    }


def place_room(plan: dict[str, Any]) -> None:
    """Paint the world."""
    import bpy

    world = bpy.context.scene.world
    world.use_nodes = True
    world.cycles.sampling_method = "NONE"
    world.node_tree.nodes.clear()
    _Painter(world.node_tree).paint(plan)


class _Painter:
    """Node tree of the world."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        self.direction = tree.nodes.new("ShaderNodeTexCoord").outputs["Generated"]

    def paint(self, plan: dict[str, Any]) -> None:
        up = self._dot((0.0, 0.0, 1.0))
        colour = self._mix(self._ramp(up, -0.3, 0.9), plan["floor"], plan["ceiling"])
        for window in plan["windows"]:
            glass = [channel * window["strength"] for channel in window["colour"]]
            colour = self._mix(self._inside(window), colour, glass)
        background, output = (self.tree.nodes.new(f"ShaderNode{kind}") for kind in ("Background", "OutputWorld"))
        background.inputs["Strength"].default_value = plan["strength"]
        self.tree.links.new(colour, background.inputs["Color"])
        self.tree.links.new(background.outputs["Background"], output.inputs["Surface"])

    def _inside(self, window: dict[str, Any]) -> Socket:
        """1 in the window, soft at its edges."""
        azimuth, elevation = (math.radians(window[f"{name}_deg"]) for name in ("azimuth", "elevation"))
        cos, sin = math.cos(azimuth), math.sin(azimuth)
        low, high = math.cos(elevation), math.sin(elevation)
        away = self._math("MAXIMUM", self._dot((cos * low, sin * low, high)), 1e-3)
        sides = (self._dot((-sin, cos, 0.0)), self._dot((-cos * high, -sin * high, low)))
        edges = []
        for side, half in zip(sides, window["half"], strict=True):
            offset = self._math("DIVIDE", self._math("ABSOLUTE", side, 0.0), away)
            edges.append(self._ramp(offset, 1.1 * half, 0.95 * half))
        return self._math("MULTIPLY", *edges)

    def _dot(self, axis: tuple[float, float, float]) -> Socket:
        node = self.tree.nodes.new("ShaderNodeVectorMath")
        node.operation = "DOT_PRODUCT"
        self.tree.links.new(self.direction, node.inputs[0])
        node.inputs[1].default_value = axis
        return node.outputs["Value"]

    def _ramp(self, value: Socket, low: float, high: float) -> Socket:
        node = self.tree.nodes.new("ShaderNodeMapRange")
        self._feed(node, value, low, high)
        return node.outputs["Result"]

    def _math(self, operation: str, *values: Any) -> Socket:
        node = self.tree.nodes.new("ShaderNodeMath")
        node.operation = operation
        self._feed(node, *values)
        return node.outputs["Value"]

    def _mix(self, share: Socket, first: Any, second: Any) -> Socket:
        node = self.tree.nodes.new("ShaderNodeMixRGB")
        self._feed(node, share, first, second)
        return node.outputs["Color"]

    def _feed(self, node: Any, *values: Any) -> None:
        for value, target in zip(values, node.inputs, strict=False):
            if hasattr(value, "is_linked"):
                self.tree.links.new(value, target)
            else:
                target.default_value = (*value, 1.0) if isinstance(value, list) else value
