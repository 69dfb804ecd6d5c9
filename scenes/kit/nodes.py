"""Short names for shader nodes, so that a material reads as a formula.

Every function adds one node to a material's tree and returns its output socket. Inputs are sockets or plain values.
Coordinates are object space, so that meshes built at unit size share one scale of texture.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Socket = Any
"""A ``bpy.types.NodeSocket``; bpy cannot be imported where plans are tested."""


class Shader:
    """The node tree of one material under construction.

    ``place`` is object space; ``space`` the same, moved by ``seed`` so far (many times ``unit``, the size of what is
    shown) that no two materials show the same piece of a texture. ``flat`` textures ignore height and cost half.
    """

    def __init__(self, name: str, *, seed: int, unit: float, flat: bool = True) -> None:
        import bpy

        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.surface = self.tree.nodes["Principled BSDF"]
        self.dimensions = "2D" if flat else "3D"
        self.place = self._node("TexCoord", {}).outputs["Object"]
        offset = np.random.default_rng(seed).uniform(-40, 40, 3) * unit
        self.space = self._node("Mapping", {"Vector": self.place, "Location": offset}).outputs["Vector"]

    def set(self, **inputs: Any) -> None:
        """Set or connect inputs of the surface; underscores stand for blanks: ``Base_Color``."""
        for name, value in inputs.items():
            self._feed(self.surface.inputs[name.replace("_", " ")], value)

    def _feed(self, target: Any, value: Any) -> None:
        if hasattr(value, "is_linked"):
            self.tree.links.new(value, target)
        elif isinstance(value, list | tuple) and len(value) == 3 and target.type == "RGBA":
            target.default_value = (*value, 1.0)
        else:
            target.default_value = value

    def _node(self, kind: str, inputs: dict[str | int, Any], **settings: Any) -> Any:
        node = self.tree.nodes.new(f"ShaderNode{kind}")
        for name, setting in settings.items():
            setattr(node, name, setting)
        for key, value in inputs.items():
            self._feed(node.inputs[key], value)
        return node

    def stretched(self, scale: tuple[float, float, float], turn: float = 0.0) -> Socket:
        """Object space, turned about the vertical by ``turn`` radians and scaled along the axes."""
        inputs: dict[str | int, Any] = {"Vector": self.space, "Rotation": (0, 0, turn), "Scale": scale}
        return self._node("Mapping", inputs).outputs["Vector"]

    def noise(self, scale: float, *, detail: float = 3, at: Socket | None = None, warp: float = 0) -> Socket:
        """Fractal noise around 0.5; ``detail`` octaves, ``warp`` for marbling (which triples the cost)."""
        inputs: dict[str | int, Any] = {"Vector": at or self.space, "Scale": scale, "Detail": detail}
        inputs["Distortion"] = warp
        return self._node("TexNoise", inputs, noise_dimensions=self.dimensions).outputs["Fac"]

    def cells(self, scale: float, feature: str = "F1") -> Socket:
        """Distance to the nearest random point, or to the nearest cell border."""
        inputs: dict[str | int, Any] = {"Vector": self.space, "Scale": scale}
        node = self._node("TexVoronoi", inputs, voronoi_dimensions=self.dimensions, feature=feature)
        return node.outputs["Distance"]

    def along(self, direction: tuple[float, float, float]) -> Socket:
        """How far a point of object space lies in a direction, in multiples of its length squared."""
        inputs: dict[str | int, Any] = {0: self.place, 1: direction}
        return self._node("VectorMath", inputs, operation="DOT_PRODUCT").outputs["Value"]

    def waves(self, at: Socket, scale: float, *, warp: float = 0, axis: str = "X") -> Socket:
        """Parallel bands, 0 to 1."""
        inputs: dict[str | int, Any] = {"Vector": at, "Scale": scale, "Distortion": warp, "Detail": 2.0}
        return self._node("TexWave", inputs, bands_direction=axis).outputs["Fac"]

    def attribute(self, name: str) -> Socket:
        """A number stored with the mesh's vertices."""
        return self._node("Attribute", {}, attribute_name=name).outputs["Fac"]

    def ramp(self, value: Socket, low: float, high: float, to: tuple[float, float] = (0.0, 1.0)) -> Socket:
        """Map ``low``..``high`` to ``to`` linearly, clamped."""
        inputs: dict[str | int, Any] = {0: value, 1: low, 2: high, 3: to[0], 4: to[1]}
        return self._node("MapRange", inputs).outputs["Result"]

    def math(self, operation: str, first: Any, second: Any) -> Socket:
        """A number from two numbers."""
        return self._node("Math", {0: first, 1: second}, operation=operation).outputs["Value"]

    def mix(self, share: Any, first: Any, second: Any, how: str = "MIX") -> Socket:
        """A colour: ``first`` where ``share`` is 0, ``second`` where it is 1."""
        inputs: dict[str | int, Any] = {"Fac": share, "Color1": first, "Color2": second}
        return self._node("MixRGB", inputs, blend_type=how).outputs["Color"]

    def bump(self, height: Socket, strength: float, distance: float) -> None:
        """Roughen the surface's normals; ``distance`` is in metres."""
        inputs: dict[str | int, Any] = {"Height": height, "Strength": strength, "Distance": distance}
        self.set(Normal=self._node("Bump", inputs).outputs["Normal"])
