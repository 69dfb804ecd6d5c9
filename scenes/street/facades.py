"""Meshes of buildings: pierced walls with panes behind them, frames, shop fronts, roofs, chimneys.

A building stands on z = 0 with its front on the line y = 0, facing -y, its middle at x = 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scenes.kit import meshes
from scenes.kit.labels import label
from scenes.kit.meshes import Mesh, joined, sheet
from scenes.street.classes import BUILDING
from scenes.street.paint import Paint, shaded
from scenes.street.path import Path
from scenes.street.solids import boxes, panes, pierced

Parts = list[tuple[Mesh, Any]]
Hole = tuple[float, float, float, float]

_REVEAL = 0.14
_FADED = (0.45, 0.42, 0.38)
_LAMP = (1.0, 0.72, 0.38)


def place(plans: list[dict[str, Any]], path: Path, paint: Paint, *, dark: bool) -> None:
    """Put the buildings into the scene; ``dark`` lights some windows."""
    for plan in plans:
        building = meshes.add("building", parts(plan, paint, dark=dark))
        (x, y), turn = path.pose(plan["s"], plan["t"], plan["turn"])
        building.set_location([x, y, 0.1])
        building.set_rotation_euler([0, 0, turn])
        label(building, BUILDING, thing=False)


def parts(plan: dict[str, Any], paint: Paint, *, dark: bool) -> Parts:
    """All meshes of one building with their materials."""
    rng = np.random.default_rng(plan["seed"])
    width, height = plan["width"], plan["floors"] * plan["storey"]
    wall = paint.wall(plan["wall"], plan["first"], plan["second"])
    holes, door = _holes(plan)
    front, glazing = pierced(width, height, holes, _REVEAL)
    found: Parts = [(front.moved((-width / 2, 0, 0)), wall)]
    found += _glazed(glazing.moved((-width / 2, 0, 0)), rng, paint, dark=dark)
    frame = paint.plain(plan["frames"], roughness=0.5)
    found.append((_frames(holes, plan["bars"]).moved((-width / 2, 0, 0)), frame))
    found += _flanks(plan, height, wall, rng, paint, dark=dark)
    found += _trim(plan, height, paint)
    found += _shop(plan, rng, paint) if plan["style"] == "shop" else _door(door, rng, plan, paint)
    return found + _roof(plan, height, wall, paint)


def _holes(plan: dict[str, Any]) -> tuple[list[Hole], float]:
    """Windows of the front, and the left edge of the door in coordinates from the front's left end."""
    width, storey = plan["width"], plan["storey"]
    bays = max(1, round(width / plan["bay"]))
    pitch, share, tall = width / bays, *plan["window"]
    large = plan["style"] in ("office", "hall")
    half = pitch * (share + (0.2 if large else 0.0)) / 2
    first = 1 if plan["style"] in ("shop",) else 0
    holes = [
        (
            (bay + 0.5) * pitch - half,
            (floor + 0.28) * storey,
            (bay + 0.5) * pitch + half,
            (floor + 0.28 + tall) * storey,
        )
        for floor in range(first, plan["floors"])
        for bay in range(bays)
    ]
    door = (plan["seed"] % bays + 0.5) * pitch - 0.5
    if plan["style"] == "shop":
        return holes + _shop_holes(plan, door), door
    return [hole for hole in holes if hole[1] > storey or hole[2] < door - 0.1 or hole[0] > door + 1.1], door


def _shop_holes(plan: dict[str, Any], door: float) -> list[Hole]:
    """Show windows on both sides of the door, and the door's own glass."""
    top, end = plan["storey"] - 0.85, plan["width"] - 0.3
    wide = [(0.3, 0.5, door - 0.15, top), (door + 1.15, 0.5, end, top)]
    return [hole for hole in wide if hole[2] - hole[0] > 0.5] + [(door + 0.12, 0.25, door + 0.88, top - 0.2)]


def _glazed(glazing: Mesh, rng: np.random.Generator, paint: Paint, *, dark: bool) -> Parts:
    """Panes of dark glass, some with curtains, some lit."""
    corners = glazing.vertices.reshape(-1, 4, 3)
    kinds = rng.random(len(corners))
    lit = kinds < (0.15 if dark else 0.02)
    faded = (kinds > 0.8) & ~lit
    found: Parts = [(panes(corners[~lit & ~faded]), paint.glass())]
    if lit.any():
        found.append((panes(corners[lit]), paint.plain(_LAMP, roughness=0.3, glow=0.55)))
    if faded.any():
        found.append((panes(corners[faded]), paint.plain(_FADED, roughness=0.15)))
    return found


def _frames(holes: list[Hole], bars: int) -> Mesh:
    """A frame around every pane, with glazing bars."""
    if not holes:
        return boxes(np.zeros((0, 3)), np.zeros((0, 3)))
    x0, z0, x1, z1 = np.asarray(holes, float).T
    middle_x, middle_z, wide, tall = (x0 + x1) / 2, (z0 + z1) / 2, x1 - x0, z1 - z0
    thin, deep, y = np.full_like(x0, 0.06), np.full_like(x0, 0.05), np.full_like(x0, _REVEAL - 0.03)
    upright = [x0 + 0.03, x1 - 0.03] + ([middle_x] if bars & 1 else [])
    level = [z0 + 0.03, z1 - 0.03] + ([middle_z] if bars & 2 else [])
    rows = [(np.stack([x, y, middle_z], -1), np.stack([thin, deep, tall], -1)) for x in upright]
    rows += [(np.stack([middle_x, y, z], -1), np.stack([wide, deep, thin], -1)) for z in level]
    sills = (
        np.stack([middle_x, np.full_like(x0, -0.04), z0 - 0.05], -1),
        np.stack([wide + 0.2, deep * 3, thin * 1.6], -1),
    )
    middles, sizes = zip(*rows, sills, strict=True)
    return boxes(np.concatenate(middles), np.concatenate(sizes))


def _flanks(
    plan: dict[str, Any], height: float, wall: Any, rng: np.random.Generator, paint: Paint, *, dark: bool
) -> Parts:
    """Side walls with a column or two of windows, and the back."""
    depth, half = plan["depth"], plan["width"] / 2
    columns = [depth * share for share in ((0.3, 0.7) if plan["seed"] % 3 else ())]
    storey = plan["storey"]
    holes = [
        (x - 0.5, (floor + 0.3) * storey, x + 0.5, (floor + 0.75) * storey)
        for floor in range(plan["floors"])
        for x in columns
    ]
    side, glazing = pierced(depth, height, holes, _REVEAL)
    right = [mesh.turned(np.pi / 2).moved((half, 0, 0)) for mesh in (side, glazing, _frames(holes, plan["bars"]))]
    left = [mesh.turned(-np.pi / 2).moved((-half, depth, 0)) for mesh in (side, glazing, _frames(holes, plan["bars"]))]
    back = sheet([(half, depth, 0), (-half, depth, 0), (-half, depth, height), (half, depth, height)])
    found: Parts = [(joined([right[0], left[0], back]), wall)]
    if holes:
        found += _glazed(joined([right[1], left[1]]), rng, paint, dark=dark)
        found.append((joined([right[2], left[2]]), paint.plain(plan["frames"], roughness=0.5)))
    return found


def _trim(plan: dict[str, Any], height: float, paint: Paint) -> Parts:
    """Eaves, string courses, drainpipe."""
    width = plan["width"]
    rows = [((0, -0.1, height - 0.08), (width + 0.1, 0.3, 0.16))]
    if plan["band"]:
        rows += [((0, -0.04, floor * plan["storey"]), (width, 0.1, 0.18)) for floor in range(1, plan["floors"])]
    middles, sizes = zip(*rows, strict=True)
    pipe = boxes([(width / 2 - 0.15, -0.06, height / 2)], [(0.09, 0.09, height)])
    return [(boxes(middles, sizes), paint.plain(shaded(plan["first"], 1.25))), (pipe, paint.plain((0.03, 0.03, 0.03)))]


def _door(left: float, rng: np.random.Generator, plan: dict[str, Any], paint: Paint) -> Parts:
    x = left + 0.5 - plan["width"] / 2
    colour = [(0.25, 0.02, 0.02), (0.02, 0.06, 0.2), (0.02, 0.12, 0.06), (0.02, 0.02, 0.02), (0.5, 0.48, 0.44)]
    leaf = paint.plain(colour[int(rng.integers(5))], roughness=0.35)
    light = boxes([(x, -0.035, 1.75)], [(0.5, 0.02, 0.4)])
    frame = boxes(
        [(x - 0.55, -0.03, 1.1), (x + 0.55, -0.03, 1.1), (x, -0.1, 2.2)], [(0.1, 0.08, 2.2)] * 2 + [(1.3, 0.3, 0.12)]
    )
    return [
        (boxes([(x, -0.01, 1.05)], [(1.0, 0.04, 2.1)]), leaf),
        (light, paint.glass()),
        (frame, paint.plain(plan["frames"], roughness=0.5)),
    ]


def _shop(plan: dict[str, Any], rng: np.random.Generator, paint: Paint) -> Parts:
    """Fascia with letters, pilasters, and an awning over some fronts."""
    width, top = plan["width"], plan["storey"]
    colour = plan["fascia"]
    board = boxes([(0, -0.12, top - 0.42), (0, -0.2, top - 0.08)], [(width - 0.1, 0.24, 0.62), (width, 0.4, 0.1)])
    posts = boxes([(x, -0.06, top / 2 - 0.3) for x in (0.15 - width / 2, width / 2 - 0.15)], (0.3, 0.14, top - 0.6))
    plinth = boxes([(0, -0.03, 0.2)], [(width - 0.2, 0.07, 0.4)])
    number = int(rng.integers(5, 12))
    size = min(0.3, 0.7 * width / number)
    x = (np.arange(number) - (number - 1) / 2) * size * 1.15
    tall = rng.uniform(0.22, 0.36, number)
    letters = boxes(
        np.stack([x, np.full(number, -0.25), np.full(number, top - 0.42)], -1),
        np.stack([size * rng.uniform(0.3, 0.85, number), np.full(number, 0.03), tall], -1),
    )
    bright = sum(colour) > 0.75
    text = paint.plain((0.03, 0.03, 0.05) if bright else (0.75, 0.73, 0.66))
    found: Parts = [(joined([board, posts, plinth]), paint.plain(colour, roughness=0.4)), (letters, text)]
    if plan["awning"]:
        half, low = width / 2 - 0.2, top - 0.75
        cloth = sheet([(-half, -1.4, low - 0.5), (half, -1.4, low - 0.5), (half, -0.05, low), (-half, -0.05, low)])
        found.append((cloth, paint.plain(shaded(colour, 1.3))))
    return found


def _roof(plan: dict[str, Any], height: float, wall: Any, paint: Paint) -> Parts:
    """Roof planes, gable ends, chimneys."""
    half, depth, kind = plan["width"] / 2, plan["depth"], plan["roof"]
    tiles = paint.tiles(plan["tiles"])
    if kind == "flat":
        edge = boxes(
            [(0, 0.1, height + 0.3), (half - 0.1, depth / 2, height + 0.3), (0.1 - half, depth / 2, height + 0.3)],
            [(2 * half, 0.2, 0.6), (0.2, depth, 0.6), (0.2, depth, 0.6)],
        )
        top = boxes([(0, depth / 2, height + 0.05)], [(2 * half - 0.1, depth - 0.1, 0.1)])
        return [(edge, wall), (top, paint.plain((0.12, 0.12, 0.12)))]
    over = 0.3
    if kind == "cross_gable":
        rise = half * plan["pitch"]
        ridge, foot = height + rise, height - over * plan["pitch"]
        slopes = [
            [
                (sign * (half + over), -over, foot),
                (sign * (half + over), depth, foot),
                (0, depth, ridge),
                (0, -over, ridge),
            ]
            for sign in (-1, 1)
        ]
        ends = [sheet([(-half, y, height), (half, y, height), (0, y, ridge)]) for y in (0.0, depth)]
    else:
        rise = depth / 2 * plan["pitch"]
        ridge, foot = height + rise, height - over * plan["pitch"]
        inset = min(half, depth / 2) * 0.9 if kind == "hip" else 0.0
        slopes = [
            [(-half, y, foot), (half, y, foot), (half - inset, depth / 2, ridge), (inset - half, depth / 2, ridge)]
            for y in (-over, depth + over)
        ]
        ends = [
            sheet([(sign * half, 0, height), (sign * half, depth, height), (sign * (half - inset), depth / 2, ridge)])
            for sign in (-1, 1)
        ]
    end_cover = tiles if kind == "hip" else wall
    return [(panes(slopes), tiles), (joined(ends), end_cover), *_chimneys(plan, ridge, wall, paint)]


def _chimneys(plan: dict[str, Any], ridge: float, wall: Any, paint: Paint) -> Parts:
    if not plan["chimneys"]:
        return []
    half, y = plan["width"] / 2 - 0.6 if plan["roof"] == "gable" else 0.5, plan["depth"] * 0.5
    xs = [half, -half][: plan["chimneys"]]
    stacks = boxes([(x, y, ridge + 0.1) for x in xs], (0.9, 0.6, 2.2))
    pots = boxes([(x + dx, y, ridge + 1.4) for x in xs for dx in (-0.22, 0.22)], (0.22, 0.22, 0.45))
    return [(stacks, wall), (pots, paint.plain((0.35, 0.15, 0.08)))]
