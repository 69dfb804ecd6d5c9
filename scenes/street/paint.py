"""Materials of a street, each made once a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scenes.kit.materials import plain
from scenes.kit.nodes import Shader, Socket

Colour = Sequence[float]


class Paint:
    """Makes materials on first use and hands out the same ones from then on; ``seed`` moves their textures."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._made: dict[Any, Any] = {}

    def plain(self, colour: Colour, *, roughness: float = 0.7, metallic: float = 0.0, glow: float = 0.0) -> Any:
        """One even colour."""
        key = ("plain", tuple(colour), roughness, metallic, glow)
        return self._once(key, lambda: _dim(plain("plain", colour, roughness=roughness, metallic=metallic, glow=glow)))

    def glass(self, colour: Colour = (0.02, 0.028, 0.035)) -> Any:
        """Opaque and glossy: it mirrors the sky."""
        return self.plain(colour, roughness=0.06)

    def mottled(
        self, colour: Colour, *, scale: float, contrast: float, bump: float = 0.0, roughness: float = 0.9
    ) -> Any:
        """Clouds and grain of one colour: asphalt, plaster, bark, leaves; ``scale`` in clouds a metre."""
        key = ("mottled", tuple(colour), scale, contrast, bump)
        return self._once(key, lambda: self._mottled(colour, scale, contrast, bump, roughness))

    def wall(self, kind: str, first: Colour, second: Colour) -> Any:
        """Upright masonry: ``brick``, ``stone``, ``panel`` or ``plaster``."""
        if kind == "plaster":
            return self.mottled(first, scale=0.5, contrast=0.25)
        return self._once((kind, tuple(first)), lambda: self._masonry(kind, first, second))

    def slabs(self, first: Colour, second: Colour, size: float) -> Any:
        """Level paving stones of ``size`` metres."""
        return self._once(("slabs", tuple(first), size), lambda: self._slabs(first, second, size))

    def tiles(self, colour: Colour) -> Any:
        """Roof tiles in courses."""
        return self._once(("tiles", tuple(colour)), lambda: self._tiles(colour))

    def _once(self, key: Any, make: Any) -> Any:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _mottled(self, colour: Colour, scale: float, contrast: float, bump: float, roughness: float) -> Any:
        shader = Shader("mottled", seed=self.seed, unit=10.0, flat=False)
        noise = shader.noise(scale, detail=3)
        light = shader.ramp(noise, 0.3, 0.7, (1 - contrast, 1 + contrast))
        shader.set(Base_Color=shader.mix(1.0, colour, light, "MULTIPLY"), Roughness=roughness)
        if bump:
            shader.bump(shader.noise(20 * scale, detail=2), bump, 0.02)
        return shader.material

    def _masonry(self, kind: str, first: Colour, second: Colour) -> Any:
        shader = Shader(kind, seed=self.seed, unit=1.0, flat=False)
        x, y, z = shader.axes(shader.place)
        at = shader.vector(shader.math("ADD", x, y), z, 0.0)
        scale, mortar, ratio = {"brick": (2.2, 0.025, 0.33), "stone": (0.9, 0.015, 0.5), "panel": (0.35, 0.01, 0.6)}[
            kind
        ]
        joint = [0.5 * (a + 0.45) if kind == "brick" else 0.6 * a for a in first]
        colour, _ = shader.bricks(at, scale, colours=(first, second, joint), mortar=mortar, ratio=ratio)
        return self._weathered(shader, colour)

    def _slabs(self, first: Colour, second: Colour, size: float) -> Any:
        shader = Shader("slabs", seed=self.seed, unit=1.0)
        joint = [0.55 * c for c in first]
        colour, _ = shader.bricks(shader.place, 0.5 / size, colours=(first, second, joint), mortar=0.012, ratio=0.8)
        return self._weathered(shader, colour)

    def _tiles(self, colour: Colour) -> Any:
        shader = Shader("tiles", seed=self.seed, unit=1.0, flat=False)
        _, y, z = shader.axes(shader.place)
        x = shader.axes(shader.place)[0]
        at = shader.vector(x, shader.math("ADD", y, z), 0.0)
        colours = (colour, [0.7 * c for c in colour], [0.45 * c for c in colour])
        tiled, _ = shader.bricks(at, 1.6, colours=colours, mortar=0.03, ratio=0.8)
        return self._weathered(shader, tiled)

    def _weathered(self, shader: Shader, colour: Socket) -> Any:
        stains = shader.ramp(shader.noise(0.35, detail=2), 0.3, 0.7, (0.72, 1.15))
        shader.set(Base_Color=shader.mix(1.0, colour, stains, "MULTIPLY"), Roughness=0.9)
        return shader.material


def _dim(material: Any) -> Any:
    """Glowing things are seen, but light nothing: hundreds of small lamps would cost more than everything else."""
    material.cycles.emission_sampling = "NONE"
    return material


def shaded(colour: Colour, factor: float) -> list[float]:
    """A lighter or darker version of a colour."""
    return [float(c) for c in np.clip(np.asarray(colour) * factor, 0.0, 0.95)]
