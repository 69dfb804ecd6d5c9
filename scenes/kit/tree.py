"""Short names for shader nodes, so that a material or a sky reads as a formula.

Every function adds one node to a tree and returns its output socket. Inputs are sockets or plain values.
"""

from __future__ import annotations

from typing import Any

Socket = Any
"""A ``bpy.types.NodeSocket``; bpy cannot be imported where plans are tested."""


class Nodes:
    """A node tree under construction, of a material or of the world."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree

    def node(self, kind: str, inputs: dict[str | int, Any], **settings: Any) -> Any:
        """Add a ``ShaderNode<kind>``, its inputs set or connected, for what has no short name here."""
        node = self.tree.nodes.new(f"ShaderNode{kind}")
        for name, setting in settings.items():
            setattr(node, name, setting)
        for key, value in inputs.items():
            self._feed(node.inputs[key], value)
        return node

    def _feed(self, target: Any, value: Any) -> None:
        if hasattr(value, "is_linked"):
            self.tree.links.new(value, target)
        elif isinstance(value, list | tuple) and len(value) == 3 and target.type == "RGBA":
            target.default_value = (*value, 1.0)
        else:
            target.default_value = value

    def math(self, operation: str, first: Any, second: Any) -> Socket:
        """A number from two numbers."""
        return self.node("Math", {0: first, 1: second}, operation=operation).outputs["Value"]

    def ramp(self, value: Socket, low: float, high: float, to: tuple[float, float] = (0.0, 1.0)) -> Socket:
        """Map ``low``..``high`` to ``to`` linearly, clamped."""
        inputs: dict[str | int, Any] = {0: value, 1: low, 2: high, 3: to[0], 4: to[1]}
        return self.node("MapRange", inputs).outputs["Result"]

    def mix(self, share: Any, first: Any, second: Any, how: str = "MIX") -> Socket:
        """A colour: ``first`` where ``share`` is 0, ``second`` where it is 1."""
        inputs: dict[str | int, Any] = {"Fac": share, "Color1": first, "Color2": second}
        return self.node("MixRGB", inputs, blend_type=how).outputs["Color"]

    def axes(self, value: Socket) -> tuple[Socket, Socket, Socket]:
        """The three numbers of a vector."""
        outputs = self.node("SeparateXYZ", {"Vector": value}).outputs
        return outputs["X"], outputs["Y"], outputs["Z"]

    def vector(self, x: Any, y: Any, z: Any) -> Socket:
        """A vector from three numbers."""
        return self.node("CombineXYZ", {"X": x, "Y": y, "Z": z}).outputs["Vector"]

    def dot(self, first: Any, second: Any) -> Socket:
        """The dot product of two vectors."""
        return self.node("VectorMath", {0: first, 1: second}, operation="DOT_PRODUCT").outputs["Value"]
