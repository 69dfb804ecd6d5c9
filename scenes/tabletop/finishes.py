"""What parts and bins are made of: plans for `scenes.kit.materials.material`, drawn by family."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scenes.kit.sampling import Span, chance, log_uniform, pick, seed_of, uniform

METALS: dict[str, tuple[tuple[float, float, float], Span]] = {
    "zinc": ((0.66, 0.68, 0.70), (0.22, 0.45)),
    "yellow zinc": ((0.72, 0.56, 0.27), (0.22, 0.4)),
    "steel": ((0.46, 0.45, 0.44), (0.25, 0.5)),
    "stainless": ((0.62, 0.61, 0.59), (0.15, 0.35)),
    "chrome": ((0.68, 0.69, 0.70), (0.06, 0.2)),
    "black": ((0.035, 0.035, 0.04), (0.3, 0.55)),
    "brass": ((0.75, 0.55, 0.2), (0.15, 0.4)),
    "copper": ((0.75, 0.38, 0.22), (0.2, 0.4)),
    "rusty": ((0.28, 0.13, 0.06), (0.6, 0.9)),
}
"""Linear reflectance, and the range of roughness."""

FASTENER = {"zinc": 2.0, "yellow zinc": 1.0, "steel": 1.0, "stainless": 1.0, "black": 0.9, "brass": 0.9, "rusty": 0.5}
TOOL = {"chrome": 2.0, "steel": 1.0, "black": 0.5, "rusty": 0.3}
CUTLERY = {"stainless": 2.0, "chrome": 1.0, "brass": 0.3}

BRIGHT = (
    (0.70, 0.02, 0.02), (0.02, 0.10, 0.55), (0.85, 0.55, 0.01), (0.01, 0.28, 0.06), (0.80, 0.80, 0.78),
    (0.85, 0.22, 0.01), (0.03, 0.03, 0.03), (0.10, 0.42, 0.75), (0.36, 0.60, 0.04), (0.55, 0.10, 0.40),
)  # fmt: skip
GLASS = ((0.005, 0.05, 0.015), (0.07, 0.02, 0.004), (0.01, 0.03, 0.12), (0.03, 0.05, 0.03), (0.015, 0.012, 0.012))
WOODS = ((0.55, 0.34, 0.16), (0.38, 0.19, 0.08), (0.66, 0.46, 0.26), (0.20, 0.09, 0.04), (0.48, 0.38, 0.27))


def metal(rng: np.random.Generator, kinds: Mapping[str, float]) -> dict[str, Any]:
    """A metal or plating, more or less worn."""
    base, roughness = METALS[pick(rng, kinds)]
    first, kind = _varied(rng, base, 0.15), pick(rng, {"brushed": 1.0, "paper": 1.0})
    worn = (0.75, 0.97) if kind == "brushed" else (0.45, 0.95)
    dull = (np.array(first) * log_uniform(rng, worn)).tolist()
    finish = _finish(rng, kind, first, dull, roughness, metallic=1.0)
    return finish | {"scale": round(3 * finish["scale"], 6)}


def sheet(rng: np.random.Generator) -> dict[str, Any]:
    """Sheet metal of bins: dull, since two mirrors that face each other render as noise."""
    return metal(rng, {"steel": 1.0, "zinc": 1.0, "rusty": 0.3}) | {"roughness": uniform(rng, (0.5, 0.8))}


def plastic(rng: np.random.Generator, *, bright: bool = False) -> dict[str, Any]:
    """Moulded plastic; ``bright`` leaves out the muted colours."""
    base, pale = BRIGHT[int(rng.integers(len(BRIGHT)))], uniform(rng, (0.0, 0.5))
    grey = float(np.mean(base))
    muted = [c + pale * (grey - c) for c in base]
    first = _varied(rng, base if bright else muted, 0.12)
    return _finish(rng, "smooth", first, [0.9 * c for c in first], (0.2, 0.55))


def ceramic(rng: np.random.Generator) -> dict[str, Any]:
    """Glaze: white, pastel or deep, sometimes speckled."""
    base = np.array(BRIGHT[int(rng.integers(len(BRIGHT)))])
    white = np.array((0.78, 0.76, 0.70))
    first = _varied(rng, (base + (white - base) * _whiteness(rng)).tolist(), 0.1)
    speckled = chance(rng, 0.2)
    second = [c * (0.45 if speckled else 0.92) for c in first]
    return _finish(rng, "terrazzo" if speckled else "smooth", first, second, (0.05, 0.3))


def _whiteness(rng: np.random.Generator) -> float:
    """How white a glaze is: often all white."""
    mixed, share = chance(rng, 0.65), uniform(rng, (0.0, 0.7))
    return share if mixed else 1.0


def glass(rng: np.random.Generator) -> dict[str, Any]:
    """Dark bottle glass: opaque and glossy, since transparency would blur masks."""
    first = _varied(rng, GLASS[int(rng.integers(len(GLASS)))], 0.2)
    return _finish(rng, "smooth", first, [1.5 * c for c in first], (0.03, 0.12))


def wood(rng: np.random.Generator) -> dict[str, Any]:
    """Plain, oiled or grey with age; the grain runs along x or y."""
    first = _varied(rng, WOODS[int(rng.integers(len(WOODS)))], 0.2)
    dark = uniform(rng, (0.45, 0.75))
    finish = _finish(rng, "wood", first, [dark * c for c in first], (0.45, 0.85))
    return finish | {"turn": math.pi / 2, "bump": uniform(rng, (0.1, 0.6))}


def paper(rng: np.random.Generator) -> dict[str, Any]:
    """A bottle's label, white or pale."""
    base = np.array(BRIGHT[int(rng.integers(len(BRIGHT)))])
    first = (0.75 + (base - 0.75) * uniform(rng, (0.0, 0.4))).tolist()
    return _finish(rng, "paper", first, [0.93 * c for c in first], (0.5, 0.8))


def _varied(rng: np.random.Generator, base: Any, by: float) -> list[float]:
    """The colour, a little lighter or darker and of another hue."""
    tinted = np.asarray(base) * log_uniform(rng, (1 - by, 1 + by)) * rng.uniform(1 - by / 2, 1 + by / 2, 3)
    return [round(float(c), 4) for c in np.clip(tinted, 0.002, 0.92)]


def _finish(
    rng: np.random.Generator, kind: str, first: Any, second: Any, roughness: Span, *, metallic: float = 0.0
) -> dict[str, Any]:
    return {
        "kind": kind,
        "first": [round(float(c), 4) for c in first],
        "second": [round(float(c), 4) for c in second],
        "scale": log_uniform(rng, (0.5, 2.0)),
        "turn": uniform(rng, (0, 2 * math.pi)),
        "warp": uniform(rng, (0.0, 1.0)),
        "roughness": uniform(rng, roughness),
        "metallic": metallic,
        "bump": 0.0,
        "seed": seed_of(rng),
    }
