"""Meshes of everything that lies on the ground: road, kerbs, pavements, verges, forecourts, side streets."""

from __future__ import annotations

from typing import Any

import numpy as np

from scenes.kit import meshes
from scenes.kit.labels import label
from scenes.kit.meshes import Mesh, joined, surface
from scenes.street.classes import PAVEMENT, ROAD, TREE
from scenes.street.paint import Paint, shaded
from scenes.street.path import AHEAD, BEHIND, Path
from scenes.street.road import KERB, SIDES, back, blocks, building_line

CORNER = 4.0
"""Radius of the kerb at a corner, metres."""

_REACH = 45.0
"""How far side streets reach, metres."""


def place(road: dict[str, Any], path: Path, paint: Paint) -> None:
    """Put the ground into the scene."""
    asphalt = paint.mottled(road["asphalt"], scale=0.25, contrast=0.22)
    grass = paint.mottled(road["grass"], scale=1.2, contrast=0.5)
    paving = paint.slabs(road["paving"], shaded(road["paving"], 0.85), road["slab"])
    kerb = paint.plain(shaded(road["paving"], 1.2), roughness=0.9)
    far = 600.0
    field = meshes.sheet([(-far, -far, -0.06), (far, -far, -0.06), (far, far, -0.06), (-far, far, -0.06)])
    _add("field", [(field, grass)], TREE)
    _add("road", [(_carriageway(road, path), asphalt)], ROAD)
    _add_patches(road, path, paint)
    for name, sign in SIDES.items():
        side = road[name]
        pavement = [(kerb_line(side, sign, path), kerb), (_pavement(side, sign, path), paving)]
        _add("pavement", pavement, PAVEMENT)
        if side["verge"]:
            _add("verge", [(_band(side, sign, path, side["kerb"] + 0.13, side["kerb"] + side["verge"]), grass)], TREE)
        surface_of = {"paving": (paving, PAVEMENT), "grass": (grass, TREE), "asphalt": (asphalt, ROAD)}
        material, class_id = surface_of[side["front"]]
        depth = 2.0 if side["front"] == "paving" else 0.5
        front = _band(side, sign, path, back(side), building_line(side) + depth)
        _add("front", [(front, material)], class_id)


def _add(name: str, parts: list[tuple[Mesh, Any]], class_id: int) -> None:
    label(meshes.add(name, parts), class_id, thing=False)


def _add_patches(road: dict[str, Any], path: Path, paint: Paint) -> None:
    """Repairs and iron covers, flush with the road."""
    for patch in road["patches"]:
        s, t = np.meshgrid([-0.5, 0.5], [-0.5, 0.5], indexing="ij")
        s, t = s * patch["length"], t * patch["width"]
        grid = path.grid(patch["s"] + s - t * patch["turn"], patch["t"] + t + s * patch["turn"], 0.002)
        tone = (0.035, 0.034, 0.033) if patch["cover"] else shaded(road["asphalt"], patch["tone"])
        _add("patch", [(surface(grid), paint.mottled(tone, scale=1.5, contrast=0.25))], ROAD)


def _carriageway(road: dict[str, Any], path: Path) -> Mesh:
    s = np.arange(BEHIND, AHEAD + 1, 2.0)[:, None]
    parts = [surface(path.grid(s, np.array([[-road["left"]["kerb"], 0.0, road["right"]["kerb"]]]), 0.0))]
    for name, sign in SIDES.items():
        side = road[name]
        for first, last in side["openings"]:
            mouth = np.linspace(first - CORNER, last + CORNER, 9)[:, None]
            street = np.linspace(first - 0.5, last + 0.5, 9)[:, None]
            near, far = side["kerb"] - 0.5, side["kerb"] + CORNER
            parts.append(surface(path.grid(mouth, sign * np.array([[near, far]]), -0.006)))
            parts.append(surface(path.grid(street, sign * np.array([[far - 1, far + _REACH]]), -0.004)))
    return joined(parts)


def kerb_line(side: dict[str, Any], sign: float, path: Path) -> Mesh:
    """Kerb stones of every block, around its corners too."""
    parts = []
    for first, last in blocks(side):
        s, inner = _edge(side, first, last)
        across = inner[:, None] + np.array([[0.0, 0.02, 0.15]])
        parts.append(surface(path.grid(s[:, None], sign * across, np.array([[-0.02, KERB, KERB + 0.005]]))))
    return joined(parts)


def _pavement(side: dict[str, Any], sign: float, path: Path) -> Mesh:
    """Paving behind the kerb, and beside every side street."""
    parts = []
    for first, last in blocks(side):
        s, inner = _edge(side, first, last)
        start = np.maximum(inner + 0.15, side["kerb"] + side["verge"])
        across = np.stack([start, np.maximum(start, back(side))], -1)
        parts.append(surface(path.grid(s[:, None], sign * across, KERB + 0.005)))
        for edge, inward in ((first, 1.0), (last, -1.0)):
            if BEHIND < edge < AHEAD:
                rows = edge + inward * np.array([[0.0], [0.02], [1.7]])
                far = np.array([[side["kerb"] + CORNER - 0.5, side["kerb"] + CORNER + _REACH]])
                parts.append(surface(path.grid(rows, sign * far, np.array([[-0.02], [KERB], [KERB + 0.004]]))))
    return joined(parts)


def _band(side: dict[str, Any], sign: float, path: Path, near: float, far: float) -> Mesh:
    """A strip of ground along every block."""
    parts = []
    for first, last in blocks(side):
        s = np.arange(first + 1.5 * (first > BEHIND), last - 1.5 * (last < AHEAD) + 0.1, 2.0)
        s = np.append(s, last - 1.5 * (last < AHEAD))[:, None]
        parts.append(surface(path.grid(s, sign * np.array([[near, far]]), KERB + 0.002)))
    return joined(parts)


def _edge(side: dict[str, Any], first: float, last: float) -> tuple[Any, Any]:
    """Places along a block, and how far its kerb is from the centre line at each: rounded where a street opens."""
    near = np.array([0.0, 0.05, 0.2, 0.5, 1.0, 1.7, 2.7, CORNER])
    s = np.unique(np.concatenate([np.arange(first, last, 2.0), [last], first + near, last - near]))
    s = s[(s >= first) & (s <= last)]
    away = np.minimum(np.where(first > BEHIND, s - first, CORNER), np.where(last < AHEAD, last - s, CORNER))
    rest = np.clip(CORNER - away, 0, CORNER)
    bow = CORNER - np.sqrt(np.maximum(CORNER**2 - rest**2, 0.0))
    return s, np.minimum(side["kerb"] + bow, max(back(side), side["kerb"] + CORNER))
