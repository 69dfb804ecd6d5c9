"""How many individuals of a class there are, how far away, and how one gets its place in the scene."""

from __future__ import annotations

from typing import Any

import numpy as np

from scenes.kit.labels import label
from scenes.kit.sampling import Span, log_uniform, whole
from scenes.street.path import Path

_MOST = 60
"""Individuals of a kind in a picture, whatever the emphasis: more would only hide each other, slowly."""


def stand(thing: Any, plan: dict[str, Any], path: Path, class_id: int, *, z: float) -> None:
    """Put a thing in its place and label it."""
    (x, y), turn = path.pose(plan["s"], plan["t"], plan["turn"])
    thing.set_location([x, y, z])
    thing.set_rotation_euler([0, 0, turn])
    label(thing, class_id, thing=True)


def multiplied(rng: np.random.Generator, count: Span, emphasis: float) -> int:
    """A number from the range, on average ``emphasis`` times as many; a wanted class is hardly ever missing."""
    drawn, rest = whole(rng, count), rng.random()
    wanted = drawn * emphasis if emphasis <= 1 else drawn + (emphasis - 1) * sum(count) / 2
    return min(int(wanted) + int(rest < wanted - int(wanted)), _MOST)


def distance(rng: np.random.Generator, near: float, far: float, emphasis: float) -> float:
    """Metres ahead, evenly by ratio; a wanted class comes nearer, so that it is larger."""
    reach = near * (far / near) ** (1 / max(emphasis, 1.0) ** 0.4)
    return log_uniform(rng, (near, max(reach, near * 1.05)))


def within(part: Any, name: str, low: float, high: float) -> None:
    """Check one number of a component."""
    value = getattr(part, name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{name}: got {value!r}, expected a number from {low:g} to {high:g}")
    object.__setattr__(part, name, float(value))
