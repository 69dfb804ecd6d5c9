"""Fences, railings, garden walls and guard rails along the pavements, and the barriers of road works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scenes.kit import meshes
from scenes.kit.labels import label
from scenes.kit.meshes import Mesh, joined, surface
from scenes.kit.sampling import Span, Streams, chance, pick, settle, uniform
from scenes.kit.sensor import Component
from scenes.street.classes import FENCE
from scenes.street.paint import Paint
from scenes.street.path import BEHIND, Path
from scenes.street.road import KERB, SIDES, back, is_open
from scenes.street.solids import rods

KINDS = ("railing", "wall", "boards", "guard_rail")

_BRICKS = ((0.30, 0.11, 0.07), (0.42, 0.34, 0.22), (0.25, 0.14, 0.10), (0.36, 0.33, 0.28))
_WOODS = ((0.20, 0.12, 0.07), (0.28, 0.21, 0.14), (0.16, 0.13, 0.11))
_METALS = ((0.02, 0.02, 0.022), (0.35, 0.36, 0.36), (0.02, 0.07, 0.04), (0.55, 0.55, 0.53))
_UNTIL = 110.0


@dataclass(frozen=True, kw_only=True)
class Fences(Component):
    """Stretches of fence behind the pavements and, fewer, of guard rail along the kerbs."""

    kinds: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 1.0))
    length_m: Span = (6.0, 22.0)
    share: float = 0.55
    kerb_share: float = 0.12
    spans: ClassVar = {"length_m": (2.0, 100.0)}

    def __post_init__(self) -> None:
        settle(self, spans=self.spans, shares=("share", "kerb_share"), weights={"kinds": KINDS})

    def plan(self, streams: Streams, road: dict[str, Any], emphasis: float) -> list[dict[str, Any]]:
        """Draw all stretches. Terraces leave no room for any behind the pavement."""
        found = []
        for name, sign in SIDES.items() if self.enabled else ():
            side, share = road[name], self.share * (0.05 if road[name]["place"] == "terrace" else 1.0)
            found += self._row(streams, f"fence-{name}", side, sign * (back(side) + 0.12), share * emphasis)
            found += self._row(streams, f"rail-{name}", side, sign * (side["kerb"] + 0.3), self.kerb_share * emphasis)
        return found

    def _row(self, streams: Streams, stream: str, side: dict[str, Any], t: float, share: float) -> list[dict[str, Any]]:
        found, s, number = [], BEHIND + 12.0, 0
        while s < _UNTIL:
            rng = streams(f"{stream}-{number}")
            there, length = chance(rng, min(1.0, share)), uniform(rng, self.length_m)
            kind = pick(rng, self.kinds) if stream.startswith("fence") else "guard_rail"
            look = {"kind": kind, "height": uniform(rng, (0.8, 1.15) if kind != "boards" else (1.1, 1.9))}
            look["colour"] = _colour(rng, kind)
            edges = [s, s + length - uniform(rng, (0.0, 2.5))]
            s, number = s + length, number + 1
            if there and not any(is_open(side, place, margin=2.5) for place in (*edges, sum(edges) / 2)):
                found.append(look | {"from": round(edges[0], 4), "to": round(edges[1], 4), "t": round(t, 4)})
        return found


def _colour(rng: np.random.Generator, kind: str) -> list[float]:
    hues = {"wall": _BRICKS, "boards": _WOODS}.get(kind, _METALS)
    return [round(float(c), 4) for c in np.array(hues[int(rng.integers(len(hues)))]) * rng.uniform(0.8, 1.2)]


def place(plans: list[dict[str, Any]], path: Path, paint: Paint) -> None:
    """Put all stretches into the scene."""
    for plan in plans:
        made = {"wall": _wall, "boards": _boards}.get(plan["kind"], _railing)
        label(meshes.add("fence", made(plan, path, paint)), FENCE, thing=False)


def slab(path: Path, plan: dict[str, Any], low: float, high: float, half: float) -> Mesh:
    """An upright band along the street, ``half`` a thickness to either side of its line."""
    s = np.linspace(plan["from"], plan["to"], max(2, int((plan["to"] - plan["from"]) / 1.5)))[:, None]
    t = plan["t"] + np.array([[half, half, -half, -half]])
    sides = surface(path.grid(s, t, np.array([[low, high, high, low]])))
    ends = [
        path.grid(np.full((2, 1), float(end)), t[:, [0, 3]], np.array([[low], [high]])) for end in (s[0, 0], s[-1, 0])
    ]
    return joined([sides, *(surface(end) for end in ends)])


def _wall(plan: dict[str, Any], path: Path, paint: Paint) -> list[tuple[Mesh, Any]]:
    coping = slab(path, plan, plan["height"], plan["height"] + 0.08, 0.16)
    brick = paint.wall("brick", plan["colour"], [0.8 * c for c in plan["colour"]])
    return [(slab(path, plan, 0.0, plan["height"], 0.11), brick), (coping, paint.plain((0.36, 0.34, 0.3)))]


def _boards(plan: dict[str, Any], path: Path, paint: Paint) -> list[tuple[Mesh, Any]]:
    """Upright boards with gaps too narrow to see through, on posts."""
    steps = np.arange(plan["from"], plan["to"], 0.15)
    found = [slab(path, plan, 0.12, plan["height"] - 0.1, 0.015)]
    found.append(_uprights(path, plan, steps, 0.12, plan["height"], 0.05))
    found.append(_uprights(path, plan, np.arange(plan["from"], plan["to"], 1.8), 0.0, plan["height"] + 0.08, 0.07))
    return [(joined(found), paint.mottled(plan["colour"], scale=2.5, contrast=0.35))]


def _railing(plan: dict[str, Any], path: Path, paint: Paint) -> list[tuple[Mesh, Any]]:
    """Thin bars between two rails."""
    top, gap = plan["height"], 0.13 if plan["kind"] == "railing" else 0.2
    bars = _uprights(path, plan, np.arange(plan["from"], plan["to"], gap), 0.12, top, 0.016)
    posts = _uprights(path, plan, np.arange(plan["from"], plan["to"], 2.0), 0.0, top + 0.06, 0.035)
    rails = [slab(path, plan, z - 0.025, z + 0.025, 0.025) for z in (0.18, top - 0.03)]
    return [(joined([bars, posts, *rails]), paint.plain(plan["colour"], roughness=0.5))]


def _uprights(path: Path, plan: dict[str, Any], s: Any, low: float, high: float, radius: float) -> Mesh:
    x, y = path.at(s, plan["t"])
    foot, top = (np.stack([x, y, np.full_like(x, z + KERB)], -1) for z in (low, high))
    return rods(foot, top, np.full(len(s), radius), np.full(len(s), radius))
