"""Trees with and without leaves, and hedges: where they stand and their meshes.

A tree grows level by level: every twig of a level carries some of the next, thinner and shorter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from scenes.kit import meshes
from scenes.kit.labels import label
from scenes.kit.meshes import Mesh, joined, lump
from scenes.kit.sampling import Span, Streams, chance, seed_of, settle, uniform, whole
from scenes.kit.sensor import Component
from scenes.street.classes import TREE
from scenes.street.paint import Paint
from scenes.street.path import AHEAD, BEHIND, Path
from scenes.street.placing import multiplied
from scenes.street.road import SIDES, back, building_line, is_open
from scenes.street.solids import panes, rods

Array = npt.NDArray[Any]

_DENSITY = {"terrace": 0.15, "suburb": 0.6, "green": 1.2, "open": 0.5}
"""Trees of a side, relative to the greenest."""

_LEAVES = 9
"""Leaves around the end of a twig."""

_SPECIES = 3
"""Different trees in a picture; all others are turned and scaled copies."""


@dataclass(frozen=True, kw_only=True)
class Trees(Component):
    """``count`` trees on the greenest side, fewer elsewhere; ``far`` ones behind everything; hedges by share."""

    count: Span = (4, 18)
    far: Span = (4, 16)
    bare_share: float = 0.5
    height_m: Span = (6.0, 17.0)
    hedge_share: float = 0.4
    spans: ClassVar = {"count": (0, 80), "far": (0, 80), "height_m": (1.0, 40.0)}

    def __post_init__(self) -> None:
        settle(self, spans=self.spans, shares=("bare_share", "hedge_share"))

    def plan(self, streams: Streams, road: dict[str, Any], emphasis: float) -> dict[str, Any]:
        """Draw species, trees and hedges."""
        found: dict[str, Any] = {"species": [], "trees": [], "hedges": []}
        if not self.enabled:
            return found
        winter = chance(streams("season"), self.bare_share)
        found["species"] = [self._species(streams(f"species-{index}"), winter) for index in range(_SPECIES)]
        for name, sign in SIDES.items():
            density = _DENSITY[road[name]["place"]] * emphasis
            for index in range(multiplied(streams(f"trees-{name}"), self.count, density)):
                tree = self._beside(streams(f"tree-{name}-{index}"), road[name], sign)
                if not is_open(road[name], tree["s"], margin=3.0):
                    found["trees"].append(tree)
            found["hedges"] += self._hedges(streams, name, road[name], sign, emphasis)
        for index in range(multiplied(streams("far-trees"), self.far, emphasis)):
            found["trees"].append(self._far(streams(f"far-tree-{index}")))
        return found

    def _species(self, rng: np.random.Generator, winter: bool) -> dict[str, Any]:
        dry = rng.uniform(0, 1)
        return {
            "seed": seed_of(rng),
            "bare": chance(rng, 0.85 if winter else 0.1),
            "spread": uniform(rng, (0.5, 0.95)),
            "upright": uniform(rng, (0.05, 0.4)),
            "clear": uniform(rng, (0.16, 0.32)),
            "leaf": uniform(rng, (0.008, 0.015)),
            "green": [
                round(float(c), 4)
                for c in np.array([0.05 + 0.08 * dry, 0.10 + 0.03 * dry, 0.025]) * rng.uniform(0.6, 1.3)
            ],
            "bark": [round(float(c), 4) for c in np.array([0.09, 0.075, 0.06]) * rng.uniform(0.5, 1.6)],
        }

    def _beside(self, rng: np.random.Generator, side: dict[str, Any], sign: float) -> dict[str, Any]:
        """In the pavement of a terrace, else behind the pavement, before or behind the buildings."""
        s, terrace = rng.uniform(6.0, 120.0), side["place"] == "terrace"
        room, depth = building_line(side) - back(side), rng.uniform(0.0, 1.0) ** 1.5
        behind, inset = chance(rng, 0.3), uniform(rng, (0.6, 1.0))
        away = back(side) + 1.2 + depth * max(room - 2.0, 1.0)
        away = building_line(side) + 14.0 + 10 * depth if behind else side["kerb"] + inset if terrace else away
        return self._one(rng, s, sign * away)

    def _far(self, rng: np.random.Generator) -> dict[str, Any]:
        return self._one(rng, rng.uniform(AHEAD - 30, AHEAD + 60), rng.normal(0, 30.0)) | {
            "size": uniform(rng, (9.0, 19.0))
        }

    def _one(self, rng: np.random.Generator, s: float, t: float) -> dict[str, Any]:
        return {
            "species": int(rng.integers(_SPECIES)),
            "s": round(float(s), 4),
            "t": round(float(t), 4),
            "turn": uniform(rng, (0, 2 * math.pi)),
            "size": uniform(rng, self.height_m),
        }

    def _hedges(
        self, streams: Streams, name: str, side: dict[str, Any], sign: float, emphasis: float
    ) -> list[dict[str, Any]]:
        found, s, number = [], BEHIND + 14.0, 0
        share = min(1.0, self.hedge_share * emphasis) if side["place"] != "terrace" else 0.0
        while s < 100.0:
            rng = streams(f"hedge-{name}-{number}")
            there, length = chance(rng, share), uniform(rng, (4.0, 16.0))
            hedge = {
                "length": length,
                "height": uniform(rng, (0.9, 2.6)),
                "seed": seed_of(rng),
                "species": whole(rng, (0, 2)),
            }
            middle, number, s = s + length / 2, number + 1, s + length + uniform(rng, (0.5, 4.0))
            if there and not any(is_open(side, end, 3.0) for end in (middle - length / 2, middle, middle + length / 2)):
                found.append(hedge | {"s": round(middle, 4), "t": round(sign * (back(side) + 0.9), 4), "turn": 0.0})
        return found


def place(plan: dict[str, Any], path: Path, paint: Paint) -> None:
    """Put trees and hedges into the scene; copies of a species share one mesh."""
    made: dict[int, Any] = {}
    for tree in plan["trees"]:
        number = tree["species"]
        species = plan["species"][number]
        if number in made:
            thing = made[number].duplicate()
        else:
            thing = made[number] = meshes.add("tree", tree_parts(species, paint))
        _stand(thing, tree, path)
        thing.set_scale([tree["size"]] * 3)
    for hedge in plan["hedges"]:
        species = plan["species"][hedge["species"]]
        leaves = paint.mottled(species["green"], scale=4.0, contrast=0.55, bump=0.8)
        _stand(meshes.add("hedge", [(_hedge(hedge), leaves)]), hedge, path)


def _stand(thing: Any, plan: dict[str, Any], path: Path) -> None:
    (x, y), turn = path.pose(plan["s"], plan["t"], plan["turn"])
    thing.set_location([x, y, 0.05])
    thing.set_rotation_euler([0, 0, turn])
    label(thing, TREE, thing=False)


def tree_parts(species: dict[str, Any], paint: Paint) -> list[tuple[Mesh, Any]]:
    """A tree about 1 high: wood and, unless bare, leaves."""
    rng = np.random.default_rng(species["seed"])
    levels = _grow(rng, species)
    thick = 1.0 if not species["bare"] else 1.3
    wood = joined(
        rods(start, end, radius * thick, 0.72 * radius * thick, segments=6 if len(start) < 10 else 3)
        for start, end, radius in levels
    )
    parts = [(wood, paint.mottled(species["bark"], scale=6.0, contrast=0.3))]
    if not species["bare"]:
        first, second = (paint.plain([c * f for c in species["green"]], roughness=0.7) for f in (0.75, 1.25))
        leaves = _leaves(rng, levels, species["leaf"])
        half = len(leaves) // 2
        parts += [(panes(leaves[:half]), first), (panes(leaves[half:]), second)]
    return parts


def _grow(rng: np.random.Generator, species: dict[str, Any]) -> list[tuple[Array, Array, Array]]:
    """(starts, ends, radii) of every level, the trunk's first."""
    clear = species["clear"]
    top = np.array([[rng.normal(0, 0.02), rng.normal(0, 0.02), clear + 0.22]])
    levels = [(np.zeros((1, 3)), top, np.array([0.024]))]
    children = (8, 5, 5, 4, 3) if species["bare"] else (8, 5, 5, 2)
    for number, (count, length) in enumerate(zip(children, (0.36, 0.2, 0.12, 0.075, 0.05), strict=False)):
        start, end, radius = levels[-1]
        share = rng.uniform(0.35 if number else clear / (clear + 0.22), 1.0, (len(start), count))
        share[:, 0] = 1.0
        at = start[:, None] + (end - start)[:, None] * share[..., None]
        ahead = (end - start) / np.maximum(np.linalg.norm(end - start, axis=1, keepdims=True), 1e-9)
        aside = rng.normal(0, 1, (len(start), count, 3))
        direction = ahead[:, None] * (1 - 0.5 * species["spread"]) + aside * species["spread"] * 0.62
        direction[..., 2] += species["upright"]
        direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
        reach = length * rng.uniform(0.6, 1.2, (len(start), count, 1))
        thin = np.maximum(np.repeat(radius * 0.56, count), 0.0011)
        levels.append((at.reshape(-1, 3), (at + direction * reach).reshape(-1, 3), thin))
    return levels


def _leaves(rng: np.random.Generator, levels: list[tuple[Array, Array, Array]], size: float) -> Array:
    """Small squares (N, 4, 3) around the thinnest twigs."""
    ends = np.concatenate([end for _, end, _ in levels[-2:]])
    middle = np.repeat(ends, _LEAVES, axis=0) + rng.normal(0, 0.03, (_LEAVES * len(ends), 3))
    across, along = (rng.normal(0, 1, middle.shape) for _ in range(2))
    across, along = (
        v / np.linalg.norm(v, axis=1, keepdims=True) * size * rng.uniform(0.6, 1.3, (len(v), 1))
        for v in (across, along)
    )
    return np.stack(
        [middle - across - along, middle + across - along, middle + across + along, middle - across + along], 1
    )


def _hedge(plan: dict[str, Any]) -> Mesh:
    """A clipped hedge with an uneven surface, along +y."""
    bush = lump(plan["seed"], (1.0, plan["length"], plan["height"] * 2), roughness=0.06, rings=12, segments=24)
    points = bush.vertices.copy()
    box = np.array([0.45, plan["length"] / 2, plan["height"]])
    points = np.clip(points * (1.5, 1.15, 1.3), -box * (1, 1, 0), box)
    rough = np.random.default_rng(plan["seed"]).normal(0, 0.035, points.shape)
    return Mesh(points + rough, bush.faces)
