"""Where plants stand: crop in rows along y, weeds anywhere and in patches. Metres, origin mid-frame."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.kit.footprint import Footprint
from scenes.kit.sampling import Streams, chance

Spot = tuple[float, float]


def rows(
    streams: Streams,
    *,
    pitch: float,
    spacing: float,
    shift: float,
    jitter: float,
    gaps: float,
    reach: float,
    footprint: Footprint,
) -> dict[str, Spot]:
    """Places of crop plants by name; each row is drawn from a stream of its own. ``gaps`` is the share that is missing,
    half of it in runs.
    """
    found, ((left, right), (bottom, top)) = {}, footprint.box(reach)
    for row in range(-math.ceil(-left / pitch) - 1, math.ceil(right / pitch) + 2):
        draw, x = streams(f"row-{row}"), (row + shift) * pitch
        start, run = draw.uniform(0, spacing), 0
        for place in range(-math.ceil(-bottom / spacing) - 1, math.ceil(top / spacing) + 1):
            dx, dy = draw.normal(0, jitter, 2) * (0.35, 1.0) * spacing
            single, begins, length = chance(draw, gaps / 2), chance(draw, gaps / 6), int(draw.integers(2, 5))
            run = length if begins else max(run - 1, 0)
            spot = (round(float(x + dx), 5), round(float(start + place * spacing + dy), 5))
            if not single and not run and footprint.within(*spot, reach):
                found[f"crop-{row}-{place}"] = spot
    return found


def scattered(
    rng: np.random.Generator, *, number: int, patches: int, patchy: float, reach: float, footprint: Footprint
) -> list[tuple[Spot, int]]:
    """Places of weeds, each with the number of the patch it belongs to, -1 for none."""
    drawn_out = np.array([footprint.longer(reach), 1.0])
    middles, ends = rng.uniform(-reach, reach, (patches, 2)) * drawn_out, reach * drawn_out
    found = []
    for _ in range(number):
        patch, inside = int(rng.integers(patches)), chance(rng, patchy)
        near, far = middles[patch] + rng.normal(0, 0.16 * reach, 2), rng.uniform(-reach, reach, 2) * drawn_out
        x, y = footprint.ground(*(np.clip(near, -ends, ends) if inside else far).tolist())
        found.append(((round(x, 5), round(y, 5)), patch if inside else -1))
    return found


def shade(rng: np.random.Generator, *, frame_m: float, share: float) -> dict[str, Any] | None:
    """The shadow of a boom or a hood: a strip over the frame, its middle and half width in metres."""
    used, turn, x = chance(rng, share), float(rng.uniform(0, math.pi)), float(rng.uniform(-0.6, 0.6))
    half = float(rng.uniform(0.08, 0.7))
    return {"turn": round(turn, 5), "x": round(x * frame_m, 5), "half": round(half * frame_m, 5)} if used else None
