"""Bins: open boxes of wood, plastic or sheet metal that parts fall into."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from scenes.kit import meshes
from scenes.kit.footprint import Footprint
from scenes.kit.meshes import Mesh
from scenes.kit.sampling import Span, Streams, chance, pick, settle, uniform, whole
from scenes.kit.sensor import Component
from scenes.tabletop import finishes
from scenes.tabletop.solids import Array, box_hull

KINDS = ("wood", "plastic", "metal")

FENCE = 3.0
"""Height of the unseen walls that keep falling parts above their bin, metres."""

_GAP = 0.02
"""Between bins that stand beside each other, metres."""


@dataclass(frozen=True, kw_only=True)
class Bin(Component):
    """A bin in a ``share`` of the pictures, with a ``count`` of parts and a tilt of the camera of its own."""

    share: float = 0.5
    count: Span = (14, 32)
    kinds: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 1.0))
    length: Span = (0.85, 1.25)
    height_mm: Span = (35.0, 85.0)
    tilt_deg: Span = (0.0, 32.0)
    spans: ClassVar = {"count": (0, 60), "length": (0.3, 3.0), "height_mm": (10, 400), "tilt_deg": (0, 70)}
    shares: ClassVar = ("share",)

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, weights={"kinds": KINDS})

    def plan(self, streams: Streams, *, frame_m: float) -> dict[str, Any] | None:
        """Draw a bin around the origin, its longer side along x; lengths in metres, inside measures."""
        rng = streams("bin")
        used, kind, length = chance(rng, self.share), pick(rng, self.kinds), uniform(rng, self.length) * frame_m
        size = [length, length * uniform(rng, (0.62, 0.85)), uniform(rng, self.height_mm) / 1000]
        thick = {"wood": (0.007, 0.014), "plastic": (0.003, 0.005), "metal": (0.0015, 0.0025)}[kind]
        finish = {
            "wood": finishes.wood,
            "plastic": finishes.plastic,
            "metal": finishes.sheet,
        }[kind]
        drawn = {
            "kind": kind,
            "size": [round(v, 6) for v in size],
            "wall": uniform(rng, thick),
            "count": whole(rng, self.count),
            "tilt_deg": uniform(rng, self.tilt_deg),
            "surface": finish(rng),
        }
        return drawn if self.enabled and used else None


def beside(plan: dict[str, Any], footprint: Footprint, *, frame_m: float) -> dict[str, list[list[float]]]:
    """``beside``: middles of like bins in rows with the first, all along a wide or tall picture; nothing for others.

    A longer bin would be no bin any more, and parts beside one would lie where nobody keeps parts.
    """
    if not footprint.extra:
        return {}
    pitches = [side + 2 * plan["wall"] + _GAP for side in plan["size"][:2]]
    ends = zip(footprint.box(0.5 * frame_m), pitches, strict=True)
    columns, rows = (range(math.floor(low / pitch), math.ceil(high / pitch) + 1) for (low, high), pitch in ends)
    cells = [(column * pitches[0], row * pitches[1]) for column in columns for row in rows if (column, row) != (0, 0)]
    seen = {cell: tuple(map(abs, footprint.picture(*cell))) for cell in cells}
    near = [cell for cell, at in seen.items() if at[0] < footprint.extra + 1.1 * frame_m and at[1] < 0.5 * frame_m]
    most = round(2.4 * footprint.longer(2 / 3 * frame_m)) - 1
    return {"beside": [[round(v, 6) for v in cell] for cell in sorted(near, key=lambda cell: seen[cell])[:most]]}


def solid(plan: dict[str, Any]) -> tuple[Mesh, list[Array]]:
    """(mesh, obstacles): floor on z = 0, walls, a rim; the obstacles' walls go on upwards unseen."""
    (x, y, high), wall = plan["size"], plan["wall"]
    floor = meshes.box((x + wall, y + wall, wall))
    sides = [
        ((x + 2 * wall, wall), (0.0, (y + wall) / 2)),
        ((x + 2 * wall, wall), (0.0, -(y + wall) / 2)),
        ((wall, y), ((x + wall) / 2, 0.0)),
        ((wall, y), (-(x + wall) / 2, 0.0)),
    ]
    walls = [mesh for size, at in sides for mesh in _wall(plan["kind"], size, at, high)]
    thick = 0.2
    obstacles = [box_hull((-x, -y, wall - thick), (x, y, wall))]
    for (a, b), at in sides:
        out = [
            (thick - wall) / 2 * (1 if v > 0 else -1) * (side < 2 * wall) for v, side in zip(at, (a, b), strict=True)
        ]
        half = (max(a, thick) / 2, max(b, thick) / 2)
        middle = (at[0] + out[0], at[1] + out[1])
        low, upper = (tuple(m + sign * h for m, h in zip(middle, half, strict=True)) for sign in (-1, 1))
        obstacles.append(box_hull((*low, -thick), (*upper, FENCE)))
    return meshes.joined([floor, *walls]), obstacles


def _wall(kind: str, size: tuple[float, float], at: tuple[float, float], high: float) -> list[Mesh]:
    """Boards with gaps of wood; elsewhere one sheet with a rim."""
    if kind == "wood":
        boards = 2 if high < 0.08 else 3
        board = high / boards
        return [meshes.box((*size, 0.94 * board)).moved((*at, place * board + 0.03 * board)) for place in range(boards)]
    rim = 0.006 if kind == "plastic" else 0.003
    grown = (2 * rim, 2 * rim) if size[0] > size[1] else (2 * rim, -2 * rim)
    wide = (size[0] + grown[0], size[1] + grown[1], 1.5 * rim)
    return [meshes.box((*size, high - rim)).moved((*at, 0.0)), meshes.box(wide).moved((*at, high - 1.5 * rim))]
