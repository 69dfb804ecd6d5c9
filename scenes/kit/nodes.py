"""Materials as formulas: textures in object space, so that meshes built at unit size share one scale of texture.

Every function adds one node to a material's tree and returns its output socket (see `scenes.kit.tree`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scenes.kit.labels import DRAWN
from scenes.kit.tree import Nodes, Socket


class Shader(Nodes):
    """The node tree of one material under construction.

    ``place`` is object space; ``space`` the same, moved by ``seed`` so far (many times ``unit``, the size of what is
    shown) that no two materials show the same piece of a texture. ``flat`` textures ignore height and cost half.
    """

    def __init__(self, name: str, *, seed: int, unit: float, flat: bool = True) -> None:
        import bpy

        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        super().__init__(self.material.node_tree)
        self.surface = self.tree.nodes["Principled BSDF"]
        self.dimensions = "2D" if flat else "3D"
        self._drawn: Socket = None
        self.place = self.node("TexCoord", {}).outputs["Object"]
        offset = np.random.default_rng(seed).uniform(-40, 40, 3) * unit
        self.space = self.node("Mapping", {"Vector": self.place, "Location": offset}).outputs["Vector"]

    def set(self, **inputs: Any) -> None:
        """Set or connect inputs of the surface; underscores stand for blanks: ``Base_Color``."""
        for name, value in inputs.items():
            self._feed(self.surface.inputs[name.replace("_", " ")], value)

    def stretched(self, scale: tuple[float, float, float], turn: float = 0.0) -> Socket:
        """Object space, turned about the vertical by ``turn`` radians and scaled along the axes."""
        inputs: dict[str | int, Any] = {"Vector": self.space, "Rotation": (0, 0, turn), "Scale": scale}
        return self.node("Mapping", inputs).outputs["Vector"]

    def noise(self, scale: float, *, detail: float = 3, at: Socket | None = None, warp: float = 0) -> Socket:
        """Fractal noise around 0.5; ``detail`` octaves, ``warp`` for marbling (which triples the cost)."""
        inputs: dict[str | int, Any] = {"Vector": at or self.space, "Scale": scale, "Detail": detail}
        inputs["Distortion"] = warp
        return self.node("TexNoise", inputs, noise_dimensions=self.dimensions).outputs["Fac"]

    def cells(self, scale: float, feature: str = "F1") -> Socket:
        """Distance to the nearest random point, or to the nearest cell border."""
        inputs: dict[str | int, Any] = {"Vector": self.space, "Scale": scale}
        node = self.node("TexVoronoi", inputs, voronoi_dimensions=self.dimensions, feature=feature)
        return node.outputs["Distance"]

    def cell_colours(self, scale: float, *, spread: float = 1.0) -> Socket:
        """One random colour a cell of a Voronoi pattern; its channels are numbers, even from 0 to 1."""
        inputs: dict[str | int, Any] = {"Vector": self.space, "Scale": scale, "Randomness": spread}
        return self.node("TexVoronoi", inputs, voronoi_dimensions=self.dimensions).outputs["Color"]

    def bricks(
        self, at: Socket, scale: float, *, colours: tuple[Any, Any, Any], mortar: float = 0.02, ratio: float = 0.5
    ) -> tuple[Socket, Socket]:
        """A wall of two colours of brick and one of mortar: (colour, 1 in the joints). ``ratio`` is height by width."""
        inputs: dict[str | int, Any] = {"Vector": at, "Scale": scale, "Mortar Size": mortar, "Row Height": ratio / 2}
        inputs |= {"Color1": colours[0], "Color2": colours[1], "Mortar": colours[2], "Brick Width": 0.5}
        node = self.node("TexBrick", inputs)
        return node.outputs["Color"], node.outputs["Fac"]

    def picture(self, image: Any, at: Socket) -> Socket:
        """The colours of an image (bpy), repeated over the plane of the first two coordinates, one unit wide."""
        return self.node("TexImage", {"Vector": at}, image=image, extension="MIRROR").outputs["Color"]

    def planes(self, planes: list[Any], at: Socket, *, between: str = "Linear", beyond: str = "REPEAT") -> Any:
        """Four numpy planes (rows, columns) as one picture of floats; returns the node, whose outputs are Color (the
        first three) and Alpha. ``between`` texels it interpolates, ``beyond`` its borders it repeats or is clipped.
        """
        import bpy

        image = bpy.data.images.new("planes", *planes[0].shape[::-1], alpha=True, float_buffer=True)
        image.colorspace_settings.name, image.alpha_mode = "Non-Color", "CHANNEL_PACKED"
        image.pixels.foreach_set(np.stack(planes, -1).astype(np.float32).ravel())
        return self.node("TexImage", {"Vector": at}, image=image, interpolation=between, extension=beyond)

    def draw(self, number: int, where: Socket) -> None:
        """Label the pixels at which ``where`` exceeds 0.5 as drawn thing ``number``; later ones cover earlier ones.

        Use the very socket that drives the material, and declare the number with `scenes.kit.labels.drawn`.
        """
        inside = self.math("GREATER_THAN", where, 0.5)
        below = self._drawn if self._drawn is not None else 0.0
        kept = self.math("MULTIPLY", below, self.math("SUBTRACT", 1.0, inside))
        self._drawn = self.math("ADD", kept, self.math("MULTIPLY", inside, float(number)))
        node = self.tree.nodes.get(DRAWN) or self.node("OutputAOV", {}, name=DRAWN, aov_name=DRAWN)
        self.tree.links.new(self._drawn, node.inputs["Value"])

    def along(self, direction: tuple[float, float, float]) -> Socket:
        """How far a point of object space lies in a direction, in multiples of its length squared."""
        return self.dot(self.place, direction)

    def waves(self, at: Socket, scale: float, *, warp: float = 0, axis: str = "X") -> Socket:
        """Parallel bands, 0 to 1."""
        inputs: dict[str | int, Any] = {"Vector": at, "Scale": scale, "Distortion": warp, "Detail": 2.0}
        return self.node("TexWave", inputs, bands_direction=axis).outputs["Fac"]

    def attribute(self, name: str) -> Socket:
        """A number stored with the mesh's vertices."""
        return self.node("Attribute", {}, attribute_name=name).outputs["Fac"]

    def bump(self, height: Socket, strength: float, distance: float) -> None:
        """Roughen the surface's normals; ``distance`` is in metres."""
        inputs: dict[str | int, Any] = {"Height": height, "Strength": strength, "Distance": distance}
        self.set(Normal=self.node("Bump", inputs).outputs["Normal"])
