"""Things that are none of the classes: without them a model learns that whatever stands out is a find."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scenes.kit import meshes
from scenes.kit.labels import label
from scenes.kit.materials import TEXTURES, material, plan_material
from scenes.kit.meshes import Mesh
from scenes.kit.sampling import Span, Streams, log_uniform, pick, seed_of, settle, uniform, whole
from scenes.kit.sensor import Component
from scenes.kit.strip import Strip, turned

SHAPES = ("block", "rod", "ball", "cone", "pebble", "ring", "scrap")

_NO_STRIP = Strip()


@dataclass(frozen=True, kw_only=True)
class Distractors(Component):
    """``count`` things of ``size`` (diameter, in shares of the frame's shorter side), anywhere in the frame.

    ``shapes`` says how often each comes: leave out those that look like a class.
    """

    count: Span = (0, 4)
    size: Span = (0.02, 0.12)
    shapes: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(SHAPES, 1.0))
    spans: ClassVar = {"count": (0, 60), "size": (0.001, 2.0)}

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, weights={"shapes": SHAPES})

    def plan(
        self, streams: Streams, *, frame_m: float, reach: float = 0.6, strip: Strip = _NO_STRIP
    ) -> list[dict[str, Any]]:
        """Draw them within ``reach`` (in shorter sides) around the frame's middle, or around the strip of a wide one,
        which has as many more; lengths in metres.
        """
        if not self.enabled:
            return []
        draw = streams("distractors")
        number = int(whole(draw, self.count) * strip.longer(reach) + draw.random())
        return [self._one(streams(f"distractor-{index}"), frame_m, reach, strip) for index in range(number)]

    def _one(self, rng: np.random.Generator, frame_m: float, reach: float, strip: Strip) -> dict[str, Any]:
        along, across = rng.uniform(-reach, reach, 2).tolist()
        x, y = (round(v * frame_m, 6) for v in turned(along * strip.longer(reach), across, strip.turn))
        return {
            "shape": pick(rng, self.shapes),
            "x": x,
            "y": y,
            "size": round(log_uniform(rng, self.size) * frame_m, 6),
            "stretch": uniform(rng, (0.35, 1.0)),
            "turn": uniform(rng, (0, 2 * math.pi)),
            "seed": seed_of(rng),
            "material": plan_material(rng, kinds=dict.fromkeys(TEXTURES, 1.0), lightness=(0.03, 0.85)),
        }


def place(plans: list[dict[str, Any]], *, class_id: int, ground: float = 0.0) -> None:
    """Put the things on the level ``ground``, labelled as stuff of the background's class."""
    for plan in plans:
        surface = material(plan["material"], unit=plan["size"], flat=False)
        thing = meshes.add(plan["shape"], [(shape(plan), surface)], smooth=plan["shape"] in ("ball", "pebble", "ring"))
        thing.set_location([plan["x"], plan["y"], ground])
        thing.set_rotation_euler([0, 0, plan["turn"]])
        label(thing, class_id, thing=False)


def shape(plan: dict[str, Any]) -> Mesh:
    """The thing's mesh, lying on z = 0."""
    size, thin = plan["size"], plan["size"] * plan["stretch"]
    lying = {
        "block": lambda: meshes.box((size, thin, thin * 0.6)),
        "rod": lambda: meshes.cylinder(thin / 6, size, segments=16).turned(math.pi / 2, "x").moved((0, 0, thin / 6)),
        "ball": lambda: meshes.ball((thin, thin, thin)).moved((0, 0, thin / 2)),
        "cone": lambda: meshes.cylinder(thin / 2, size * 0.7, top=thin / 20),
        "pebble": lambda: meshes.lump(plan["seed"], (size, thin, thin * 0.6)).moved((0, 0, thin * 0.2)),
        "ring": lambda: _ring(size / 2, thin / 10),
        "scrap": lambda: _scrap(plan["seed"], size / 2, thin / 2),
    }
    return lying[plan["shape"]]()


def _ring(radius: float, thickness: float) -> Mesh:
    angle = np.linspace(0, 2 * np.pi, 33)
    inner = radius - thickness
    return meshes.tube([(inner * math.cos(a), inner * math.sin(a), thickness) for a in angle.tolist()], thickness)


def _scrap(seed: int, length: float, width: float) -> Mesh:
    """A torn, slightly tilted piece of paper."""
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 7))
    radius = rng.uniform(0.6, 1.2, 7)
    z = width * (0.06 + 0.04 * np.sin(angle + rng.uniform(0, 6)))
    return meshes.sheet(np.stack([length * radius * np.cos(angle), width * radius * np.sin(angle), z], -1).tolist())
