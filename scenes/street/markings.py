"""Lines, arrows and crossings painted on the road. They are road, as far as classes go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scenes.kit import meshes
from scenes.kit.labels import label
from scenes.kit.meshes import Mesh, joined, surface
from scenes.kit.sampling import Streams, chance, pick, settle, uniform
from scenes.kit.sensor import Component
from scenes.street.classes import ROAD
from scenes.street.paint import Paint
from scenes.street.path import AHEAD, BEHIND, Path
from scenes.street.road import SIDES

CENTRES = ("dashes", "warning", "solid", "hatched", "none")
EDGES = ("none", "single", "double", "dashes")

_WHITE, _YELLOW = (0.72, 0.72, 0.68), (0.66, 0.46, 0.08)


@dataclass(frozen=True, kw_only=True)
class Markings(Component):
    """Centre and edge lines by weight; shares of streets with a crossing, an arrow, give-way lines at side streets."""

    centres: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(CENTRES, 1.0))
    edges: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(EDGES, 1.0))
    crossing_share: float = 0.25
    arrow_share: float = 0.25
    give_way_share: float = 0.8
    shares: ClassVar = ("crossing_share", "arrow_share", "give_way_share")

    def __post_init__(self) -> None:
        settle(self, shares=self.shares, weights={"centres": CENTRES, "edges": EDGES})

    def plan(self, streams: Streams) -> dict[str, Any] | None:
        """Draw the markings of a street."""
        rng = streams("markings")
        drawn = {
            "centre": pick(rng, self.centres),
            "edges": {side: pick(rng, self.edges) for side in SIDES},
            "dash": uniform(rng, (2.0, 4.0)),
            "gap": uniform(rng, (2.0, 6.0)),
            "phase": uniform(rng, (0.0, 6.0)),
            "width": uniform(rng, (0.09, 0.16)),
            "wear": uniform(rng, (0.35, 1.0)),
        }
        crossing, at = chance(rng, self.crossing_share), uniform(rng, (9.0, 50.0))
        arrow, place = chance(rng, self.arrow_share), uniform(rng, (7.0, 25.0))
        drawn |= {"zebra": chance(rng, 0.6), "give_way": chance(rng, self.give_way_share)}
        drawn |= {"crossing": at if crossing else None, "arrow": place if arrow else None}
        return drawn if self.enabled else None


def place(plan: dict[str, Any] | None, road: dict[str, Any], path: Path, paint: Paint) -> None:
    """Paint them onto the road."""
    if plan is None:
        return
    white = [*_centre(plan, road, path), *_crossing(plan, road, path), *_arrow(plan, road, path)]
    white += _give_ways(plan, road, path)
    yellow: list[Mesh] = []
    for name, sign in SIDES.items():
        (white if plan["edges"][name] == "dashes" else yellow).extend(_edge(plan, road[name], name, sign, path))
    parts = []
    for found, colour in ((white, _WHITE), (yellow, _YELLOW)):
        if found:
            tone = [round(c * plan["wear"], 4) for c in colour]
            parts.append((joined(found), paint.mottled(tone, scale=3.0, contrast=0.3)))
    if parts:
        label(meshes.add("markings", parts), ROAD, thing=False)


def _line(path: Path, first: float, last: float, t: float, width: float) -> Mesh:
    s = np.linspace(first, last, max(2, int((last - first) / 3) + 1))[:, None]
    return surface(path.grid(s, np.array([[t - width / 2, t + width / 2]]), 0.004))


def _dashes(path: Path, t: float, plan: dict[str, Any], *, dash: float, gap: float) -> list[Mesh]:
    starts = np.arange(BEHIND + plan["phase"], AHEAD - dash, dash + gap).tolist()
    return [_line(path, start, start + dash, t, plan["width"]) for start in starts]


def _centre(plan: dict[str, Any], road: dict[str, Any], path: Path) -> list[Mesh]:
    kind, dash, gap = plan["centre"], plan["dash"], plan["gap"]
    lanes = [sign * road["lane"] for sign in (-1, 1)] if road["lanes"] == 2 else []
    found = [line for t in lanes for line in _dashes(path, t, plan, dash=dash, gap=gap)]
    if kind == "dashes":
        return found + _dashes(path, 0.0, plan, dash=dash, gap=gap)
    if kind == "warning":
        return found + _dashes(path, 0.0, plan, dash=dash + 1.5, gap=0.5 * gap)
    if kind == "solid":
        return found + [_line(path, BEHIND, AHEAD, t, plan["width"]) for t in (-0.12, 0.12)]
    return found + (_hatched(plan, path) if kind == "hatched" else [])


def _hatched(plan: dict[str, Any], path: Path) -> list[Mesh]:
    """Two broken lines with slanting bars between them."""
    half, found = 0.55, []
    for t in (-half, half):
        found += _dashes(path, t, plan, dash=plan["dash"], gap=1.0)
    for start in np.arange(BEHIND + plan["phase"], AHEAD, 3.5).tolist():
        s, t = np.array([[start, start + 0.25], [start + 1.1, start + 1.35]]), np.array([[-half], [half]])
        found.append(surface(path.grid(s, t, 0.0045)))
    return found


def _edge(plan: dict[str, Any], side: dict[str, Any], name: str, sign: float, path: Path) -> list[Mesh]:
    kind, stops = plan["edges"][name], [side["openings"], BEHIND, AHEAD]
    if kind == "none":
        return []
    away = side["kerb"] - (side["parking"] or 0.0)
    if kind == "dashes" or side["parking"]:
        return _dashes(path, sign * away, plan, dash=1.0, gap=1.2)
    edges = [stops[1], *(edge for first, last in stops[0] for edge in (first - 3, last + 3)), stops[2]]
    offsets = (0.25,) if kind == "single" else (0.25, 0.45)
    runs = [run for run in zip(edges[::2], edges[1::2], strict=True) if run[1] > run[0]]
    return [_line(path, *run, sign * (away - offset), 0.08) for offset in offsets for run in runs]


def _crossing(plan: dict[str, Any], road: dict[str, Any], path: Path) -> list[Mesh]:
    """Zebra stripes, or two rows of studs, with the stop line before them."""
    if plan["crossing"] is None:
        return []
    at, first, last = plan["crossing"], -road["left"]["kerb"], road["right"]["kerb"]
    step = 1.2 if plan["zebra"] else 0.6
    across = np.arange(first + 0.4, last - 0.3, step).tolist()
    rows = [(at, at + 3.0)] if plan["zebra"] else [(at, at + 0.15), (at + 2.8, at + 2.95)]
    found = [_line(path, *row, t + step / 4, step / 2) for t in across for row in rows]
    return [*found, surface(path.grid(np.array([[at - 1.6], [at - 1.3]]), np.array([[first + 0.2, -0.1]]), 0.0045))]


def _arrow(plan: dict[str, Any], road: dict[str, Any], path: Path) -> list[Mesh]:
    """A straight arrow in the own lane."""
    if plan["arrow"] is None:
        return []
    at, t = plan["arrow"], road["own"]
    head = (
        np.array([[at + 2.5, at + 2.5], [at + 4.0, at + 4.0]]),
        np.array([[t - 0.45, t + 0.45], [t - 0.02, t + 0.02]]),
    )
    return [_line(path, at, at + 2.6, t, 0.18), surface(path.grid(*head, 0.0045))]


def _give_ways(plan: dict[str, Any], road: dict[str, Any], path: Path) -> list[Mesh]:
    """Two broken lines across the mouth of every side street."""
    found = []
    for name, sign in SIDES.items():
        for first, last in road[name]["openings"] if plan["give_way"] else []:
            for offset in (0.3, 0.7):
                for s in np.arange(first, last - 0.5, 1.0).tolist():
                    found.append(_line(path, s, s + 0.6, sign * (road[name]["kerb"] + offset), 0.2))
    return found
