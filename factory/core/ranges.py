"""The ranges within which parts recommend their settings (``RANGES``): ``float:0:2``, ``log:0.01:1``, ``int:1:10``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np


def ranges(part: Any, *, closed: Callable[[Any], bool] = lambda _: False, key: str = "") -> Iterator[tuple[str, str]]:
    """Those recommended by a part and the parts within it, by key; of a ``closed`` one its own alone."""
    children: list[tuple[str, Any]] = []
    if isinstance(part, Mapping):
        children = list(part.items())
    elif dataclasses.is_dataclass(part) and not isinstance(part, type):
        children = [(field.name, getattr(part, field.name)) for field in dataclasses.fields(part)]
        yield from ((f"{key}.{name}".lstrip("."), text) for name, text in getattr(part, "RANGES", {}).items())
    for name, child in () if closed(part) else children:
        yield from ranges(child, closed=closed, key=f"{key}.{name}".lstrip("."))


def drawn(text: str, rng: np.random.Generator) -> float | int:
    """A setting at random from a range: evenly, or evenly by its logarithm."""
    form, low, high = text.split(":")
    if form == "log":
        return math.exp(rng.uniform(math.log(float(low)), math.log(float(high))))
    return int(rng.integers(int(low), int(high) + 1)) if form == "int" else float(rng.uniform(float(low), float(high)))
