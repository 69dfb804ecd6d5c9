"""Defects as numbers: kind, place, size, contrast. Lengths are in frame sides, origin mid-frame."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.kit.footprint import Footprint
from scenes.kit.sampling import Span, chance, log_uniform, pick, seed_of, uniform, whole
from scenes.surface.part import WAYS, sides

KINDS = ("scratch", "crack", "blowhole", "chip", "stain", "fray")
"""Kinds of defect in the order of their class ids, from 1."""

AFFINITY: dict[str, dict[str, float]] = {
    "tile": {},
    "metal": {"fray": 0.4, "chip": 0.6},
    "concrete": {"scratch": 0.5, "fray": 0.3},
    "fabric": {"fray": 3.0, "stain": 1.5, "crack": 0.15, "blowhole": 0.15, "chip": 0.15, "scratch": 0.3},
}
"""How much more or less often a material has a kind of defect; 1 where it is silent."""

AT_EDGE = {"scratch": 0.1, "crack": 0.5, "blowhole": 0.05, "chip": 0.65, "stain": 0.15, "fray": 0.4}
"""Share of each kind that starts at an edge of the part, or of the picture where the part has none in it."""

FORMS: dict[str, dict[str, float]] = {
    "scratch": {"single": 1.0, "several": 0.7, "bundle": 0.4},
    "crack": {"plain": 1.0, "branching": 1.0},
    "blowhole": {"single": 1.0, "cluster": 0.5},
    "chip": {"facets": 1.0, "shell": 1.0},
    "stain": {"blotch": 1.0, "ring": 0.4, "run": 0.4, "band": 0.5},
    "fray": {"band": 1.0, "patch": 1.5},
}
"""How often each form of a kind comes, relative to the others."""

_INSET = 0.04
"""How far from the part's edges defects keep that do not lie on one."""

_ON_FABRIC = {"fray": {"threads": 1.0}}


def plan_defect(
    rng: np.random.Generator,
    *,
    kind: str,
    material: str,
    size: Span,
    contrast: Span,
    edges: dict[str, float],
    reach: float,
    footprint: Footprint,
) -> dict[str, Any]:
    """Draw one defect. ``size`` is its length or diameter, ``edges`` say where the part ends."""
    forms = (FORMS | _ON_FABRIC if material == "fabric" else FORMS)[kind]
    length, strength, form = log_uniform(rng, size), uniform(rng, contrast), pick(rng, forms)
    place = _place(rng, kind, edges, reach, footprint)
    tint = 1 + rng.uniform(-0.45, 0.45) * np.array([1.0, 0.25, -0.8]) if kind == "stain" else np.ones(3)
    plan = {
        "kind": kind,
        "form": form,
        **place,
        "size": length,
        "width": log_uniform(rng, (0.7, 1.5)),
        "bright": chance(rng, {"scratch": 0.6, "chip": 0.2, "stain": 0.3, "fray": 0.3}.get(kind, 0.0)),
        "contrast": strength,
        "tint": [round(float(c), 4) for c in tint],
        "seed": seed_of(rng),
    }
    return plan | {"pits": _pits(rng, length, form) if kind == "blowhole" else []}


def _place(
    rng: np.random.Generator, kind: str, edges: dict[str, float], reach: float, footprint: Footprint
) -> dict[str, Any]:
    """Somewhere on the part, or on its edge with ``turn`` leading inwards."""
    along, across = (uniform(rng, (-reach, reach)) for _ in range(2))
    x, y = (round(v, 6) for v in footprint.ground(along * footprint.longer(reach), across))
    ends = sides(dict.fromkeys(WAYS, 1.0), footprint) | edges
    x = min(max(x, ends["left"] + _INSET), ends["right"] - _INSET)
    y = min(max(y, ends["bottom"] + _INSET), ends["top"] - _INSET)
    turn, lean, side = uniform(rng, (0, 2 * math.pi)), uniform(rng, (-0.6, 0.6)), int(rng.integers(4))
    if not chance(rng, AT_EDGE[kind]):
        return {"x": x, "y": y, "turn": turn, "at_edge": False}
    names = sorted(edges) or ("bottom", "left", "right", "top")
    name = names[side % len(names)]
    inwards = {"left": 0.0, "right": math.pi, "bottom": math.pi / 2, "top": -math.pi / 2}[name]
    border = edges.get(name, sides({name: 0.49}, footprint)[name])
    x, y = (border, y) if name in ("left", "right") else (x, border)
    return {"x": x, "y": y, "turn": round(inwards + lean, 6), "at_edge": True}


def _pits(rng: np.random.Generator, size: float, form: str) -> list[dict[str, float]]:
    """One pit, or a cluster of smaller ones; each is an instance of its own."""
    number = whole(rng, (3, 9)) if form == "cluster" else 1
    spread = size * 1.3 * math.sqrt(number) if number > 1 else 0.0
    pits = []
    for _ in range(number):
        dx, dy = rng.normal(0, spread / 2, 2)
        share = log_uniform(rng, (0.45, 0.9)) if number > 1 else 1.0
        pit = {"dx": dx, "dy": dy, "size": max(size * share, 0.012), "oval": rng.uniform(0.55, 1.0)}
        pits.append({key: round(float(value), 5) for key, value in pit.items()})
    return pits
