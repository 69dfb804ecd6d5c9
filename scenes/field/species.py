"""Plants as numbers: which there are, how large they grow, how they are coloured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenes.kit.sampling import Span, pick, seed_of, uniform


@dataclass(frozen=True)
class Species:
    """``reach`` is how far a seedling and a grown plant spread, radius in metres; ``colour`` linear reflectance of a
    leaf; ``rib`` how much lighter its midrib is.
    """

    reach: Span
    colour: tuple[float, float, float]
    rib: float


CROPS: dict[str, Species] = {
    "maize": Species((0.035, 0.34), (0.062, 0.135, 0.026), 0.9),
    "beet": Species((0.025, 0.21), (0.038, 0.115, 0.024), 0.6),
    "bean": Species((0.025, 0.17), (0.050, 0.13, 0.030), 0.35),
}

WEEDS: dict[str, Species] = {
    "rosette": Species((0.010, 0.13), (0.056, 0.12, 0.030), 0.5),
    "grass": Species((0.015, 0.16), (0.072, 0.14, 0.034), 0.3),
    "thistle": Species((0.012, 0.17), (0.065, 0.11, 0.052), 1.1),
    "vine": Species((0.015, 0.30), (0.066, 0.125, 0.028), 0.5),
    "clover": Species((0.010, 0.12), (0.038, 0.11, 0.028), 0.2),
}


def plan_season(rng: np.random.Generator) -> dict[str, Any]:
    """What all plants of a picture have in common: how green they are, and how dry."""
    tint = np.exp(rng.normal(0, [0.16, 0.10, 0.2]))
    return {"tint": [round(float(c), 4) for c in tint], "yellowing": uniform(rng, (0.0, 0.5))}


def plan_plant(
    rng: np.random.Generator, *, kind: str, table: dict[str, Species], growth: float, season: dict[str, Any]
) -> dict[str, Any]:
    """Draw one plant: its stage (``growth``, 0 cotyledons to 1 eight leaves), size, colour and how far it leans."""
    one = table[kind]
    stage = float(np.clip(growth + rng.normal(0, 0.08), 0, 1))
    reach = one.reach[0] * (one.reach[1] / one.reach[0]) ** stage * math.exp(rng.normal(0, 0.12))
    colour = np.array(one.colour) * season["tint"] * np.exp(rng.normal(0, 0.09, 3)) * math.exp(rng.normal(0, 0.12))
    return {
        "kind": kind,
        "growth": round(stage, 4),
        "reach": round(reach, 5),
        "turn": uniform(rng, (0, 2 * math.pi)),
        "lean": [round(float(v), 4) for v in rng.normal(0, 0.08, 2)],
        "colour": [round(float(c), 4) for c in np.clip(colour, 0.005, 0.6)],
        "yellowing": round(season["yellowing"] * float(rng.uniform(0, 1)) ** 2, 4),
        "seed": seed_of(rng),
    }


def pick_kind(rng: np.random.Generator, weights: dict[str, float], main: str | None, purity: float) -> str:
    """The picture's main species in a ``purity`` share of cases, else any."""
    other, pure = pick(rng, weights), bool(rng.random() < purity)
    return main if pure and main is not None else other
