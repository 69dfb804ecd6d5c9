"""How coins and table look: colours, tarnish, relief. Each function draws from the one stream it is given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.coins.relief import MOTIFS
from scenes.kit.materials import plan_material
from scenes.kit.sampling import Span, chance, log_uniform, pick, seed_of, uniform

METALS: dict[str, tuple[float, float, float]] = {
    "silver": (0.72, 0.70, 0.66),
    "lead": (0.40, 0.41, 0.43),
    "copper": (0.64, 0.32, 0.20),
    "bronze": (0.50, 0.37, 0.20),
    "brass": (0.66, 0.52, 0.25),
    "iron": (0.30, 0.26, 0.23),
}
"""Linear reflectance of the clean metals."""

GROUNDS = ("cloth", "wood", "stone", "paper", "terrazzo", "backdrop")


def hoard(rng: np.random.Generator, *, metals: dict[str, float], cast_share: float) -> dict[str, Any]:
    """What the coins of one picture have in common; single coins vary around it."""
    return {
        "metal": pick(rng, metals),
        "mixed": chance(rng, 0.3),
        "cast": chance(rng, cast_share),
        "tarnish": uniform(rng, (0.0, 1.0)),
        "lightness": log_uniform(rng, (0.35, 1.25)),
    }


def coin(
    rng: np.random.Generator,
    *,
    common: dict[str, Any],
    metals: dict[str, float],
    relief: Span,
    irregularity: Span,
    wear: Span,
) -> dict[str, Any]:
    """One coin's look. A ``cast`` coin reflects like plaster, as greyscale museum photographs show them."""
    own = pick(rng, metals)
    base = np.array(METALS[own if common["mixed"] else common["metal"]]) * common["lightness"]
    tarnish = base * rng.uniform(0.15, 0.8) * rng.uniform(0.75, 1.15, 3)
    return {
        "base": [round(float(c), 4) for c in np.clip(base * rng.uniform(0.75, 1.3), 0.01, 0.95)],
        "tarnish": [round(float(c), 4) for c in np.clip(tarnish, 0.005, 0.9)],
        "tarnish_share": round(float(np.clip(common["tarnish"] + rng.normal(0, 0.25), 0, 1)), 4),
        "metallic": uniform(rng, (0.0, 0.25)) if common["cast"] else uniform(rng, (0.55, 1.0)),
        "roughness": uniform(rng, (0.5, 0.9)) if common["cast"] else uniform(rng, (0.28, 0.7)),
        "patch_scale": log_uniform(rng, (0.7, 3.0)),
        "cavity": uniform(rng, (0.1, 0.9)),
        "pitting": uniform(rng, (0.0, 0.6)),
        "seed": seed_of(rng),
        "motif": pick(rng, MOTIFS),
        "border": pick(rng, {"none": 1.0, "rim": 1.0, "dots": 1.0, "letters": 1.2}),
        "relief": uniform(rng, relief),
        "irregularity": uniform(rng, irregularity),
        "wear": uniform(rng, wear),
        "turn": uniform(rng, (0, 2 * math.pi)),
        "lean": [round(float(v), 4) for v in rng.normal(0, 0.02, 2)],
        "thickness": uniform(rng, (0.07, 0.16)),
    }


def ground(rng: np.random.Generator, *, kinds: dict[str, float], lightness: Span, unevenness: Span) -> dict[str, Any]:
    """The table: a procedural material, two colours, a texture scale, and large-scale blotches."""
    return plan_material(rng, kinds=kinds, lightness=lightness) | {
        "blotches": uniform(rng, unevenness),
        "slope": [round(float(v), 4) for v in rng.normal(0, 0.5, 2)],
        "glow": log_uniform(rng, (0.15, 1.5)),
    }
