"""Random draws for plans, and checks of the ranges they draw from. Every value is a plain JSON-able Python type."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

Span = tuple[float, float]
"""A closed range (low, high) that a value is drawn from."""

Streams = Callable[[str], np.random.Generator]
"""Hands out the random stream of a named component; streams of different names are independent."""


def checked_span(name: str, value: Sequence[float], low: float, high: float) -> Span:
    """``value`` as a (low, high) pair within the bounds; ValueError names the field, what was got and expected."""
    expected = f"[low, high] with {low:g} <= low <= high <= {high:g}"
    if not isinstance(value, Sequence) or len(value) != 2 or not all(_is_number(entry) for entry in value):
        raise ValueError(f"{name}: got {value!r}, expected {expected}")
    first, last = (float(entry) for entry in value)
    if not low <= first <= last <= high:
        raise ValueError(f"{name}: got [{first:g}, {last:g}], expected {expected}")
    return first, last


def checked_share(name: str, value: float) -> float:
    """``value`` as a probability."""
    if not _is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"{name}: got {value!r}, expected a share from 0 to 1")
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def checked_weights(name: str, value: Mapping[str, float], known: Sequence[str]) -> dict[str, float]:
    """``value`` as relative frequencies of known choices, at least one of them above zero."""
    expected = f"weights >= 0, not all zero, of {', '.join(known)}"
    if not isinstance(value, Mapping) or set(value) - set(known) or not _are_weights(value.values()):
        raise ValueError(f"{name}: got {value!r}, expected {expected}")
    return {key: float(value[key]) for key in known if key in value}


def _are_weights(values: Collection[Any]) -> bool:
    return all(_is_number(value) for value in values) and all(0 <= v < math.inf for v in values) and sum(values) > 0


def settle(
    part: Any,
    *,
    spans: Mapping[str, Span] | None = None,
    shares: Sequence[str] = (),
    weights: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Check and normalise the fields of a frozen dataclass: ranges within bounds, shares, weights of known choices."""
    for name, bounds in (spans or {}).items():
        object.__setattr__(part, name, checked_span(name, getattr(part, name), *bounds))
    for name in shares:
        object.__setattr__(part, name, checked_share(name, getattr(part, name)))
    for name, known in (weights or {}).items():
        object.__setattr__(part, name, checked_weights(name, getattr(part, name), known))


def emphasised(weights: Mapping[str, float], emphasis: Mapping[str, float]) -> dict[str, float]:
    """Weights of choices that are named like classes, each times its class's emphasis (1 where none is given)."""
    return {name: weight * emphasis.get(name, 1.0) for name, weight in weights.items()}


def whole(rng: np.random.Generator, span: Span) -> int:
    """A whole number from the range, both ends included; the next one above it where it holds none."""
    low = math.ceil(span[0])
    return int(rng.integers(low, max(low, math.floor(span[1])) + 1))


def uniform(rng: np.random.Generator, span: Span) -> float:
    """A value drawn evenly from the range, rounded so that JSON stays short."""
    return round(float(rng.uniform(*span)), 6)


def log_uniform(rng: np.random.Generator, span: Span) -> float:
    """A positive value whose logarithm is drawn evenly: as many halves as doubles."""
    return round(math.exp(rng.uniform(math.log(span[0]), math.log(span[1]))), 6)


def chance(rng: np.random.Generator, share: float) -> bool:
    """True in ``share`` of all cases; always one draw, so that the share never shifts what follows."""
    return bool(rng.random() < share)


def pick(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """One key, drawn by weight."""
    shares = np.array(list(weights.values()), np.float64)
    return str(list(weights)[rng.choice(len(shares), p=shares / shares.sum())])


def seed_of(rng: np.random.Generator) -> int:
    """A 31-bit seed for a generator inside the scene program."""
    return int(rng.integers(2**31 - 1))


def tint(rng: np.random.Generator, lightness: Span, saturation: Span) -> list[float]:
    """A linear RGB colour of any hue; ``lightness`` is the largest channel, drawn by ratio."""
    hue, strength, peak = rng.uniform(0, 1), uniform(rng, saturation), log_uniform(rng, lightness)
    offsets = (hue * 6 + np.array([0.0, 4.0, 2.0])) % 6
    chroma = np.clip(np.abs(offsets - 3) - 1, 0, 1)
    return [round(float(c), 4) for c in peak * (1 - strength * (1 - chroma))]
