"""How much of which class a data set must show: the configuration's ``quota`` as countable wishes.

``quota.crack.images=40`` asks for forty pictures in which a crack is visible; ``pixels`` and ``instances`` count
likewise. ``size`` and ``occlusion`` are the edges of bins (shares of the frame, shares hidden) that each get an equal
part of the target; ``least`` is the number of visible pixels below which a thing does not count.
"""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from factory.core.classes import ClassList
from factory.core.errors import ConfigError

COUNTS = ("pixels", "instances", "images")
LEAST = 16

Bin = tuple[float, float]
"""Low (inclusive) and high (exclusive) edge of a share."""

ALL: Bin = (0.0, 1.1)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One thing to count: ``target`` of ``count`` for a class, within one bin of size and one of occlusion."""

    class_id: int
    class_name: str
    count: str
    target: int
    size: Bin = ALL
    occlusion: Bin = ALL
    least: int = LEAST

    def to_json(self, missing: int) -> dict[str, Any]:
        """As `scenes.kit.tally` reads it."""
        return {
            "class_id": self.class_id,
            "count": self.count,
            "size": list(self.size),
            "occlusion": list(self.occlusion),
            "least": self.least,
            "missing": missing,
        }

    def __str__(self) -> str:
        bins = [f"size {self.size[0]:g}-{min(self.size[1], 1):g}"] if self.size != ALL else []
        bins += [f"hidden {self.occlusion[0]:g}-{min(self.occlusion[1], 1):g}"] if self.occlusion != ALL else []
        return ", ".join([f"{self.class_name} {self.count}", *bins])


def wishes(quota: Mapping[str, Any], classes: ClassList) -> list[Wish]:
    """Every wish of the configuration; `ConfigError` names the key that makes no sense."""
    return [wish for name, asked in quota.items() for wish in _of_class(name, asked, classes)]


def _of_class(name: str, asked: Any, classes: ClassList) -> list[Wish]:
    where = f"quota.{name}"
    if name not in classes.names:
        close = difflib.get_close_matches(name, classes.names, 1)
        todo = f"did you mean {close[0]}?" if close else "choose another scene, or another class"
        raise ConfigError("no such class", where=where, got=name, expected=", ".join(classes.names), todo=todo)
    if not isinstance(asked, Mapping) or not set(asked) & set(COUNTS):
        raise ConfigError(
            "a quota without a target", where=where, got=asked, expected=f"{where}.images=40, or the like"
        )
    if strays := sorted(set(asked) - {*COUNTS, "size", "occlusion", "least"}):
        expected = ", ".join((*COUNTS, "size", "occlusion", "least"))
        raise ConfigError("unknown key", where=f"{where}.{strays[0]}", got=strays[0], expected=expected)
    bins = list(itertools.product(_bins(where, asked, "size"), _bins(where, asked, "occlusion")))
    least = _whole(f"{where}.least", asked.get("least", LEAST))
    return [
        Wish(
            class_id=classes.names.index(name),
            class_name=name,
            count=count,
            target=math.ceil(_whole(f"{where}.{count}", asked[count]) / len(bins)),
            size=size,
            occlusion=occlusion,
            least=least,
        )
        for count in COUNTS
        if count in asked
        for size, occlusion in bins
    ]


def _bins(where: str, asked: Mapping[str, Any], key: str) -> list[Bin]:
    edges = asked.get(key, list(ALL))
    good = isinstance(edges, Sequence) and len(edges) >= 2 and all(isinstance(e, int | float) for e in edges)
    if not good or list(edges) != sorted(set(edges)) or edges[0] < 0 or edges[-1] > ALL[1]:
        expected = "rising edges of bins from 0 to 1, as in [0, 0.01, 0.1, 1]"
        raise ConfigError("bins that make no sense", where=f"{where}.{key}", got=edges, expected=expected)
    return [(float(low), ALL[1] if high == 1 else float(high)) for low, high in itertools.pairwise(edges)]


def _whole(where: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError("a target must be a whole number", where=where, got=value, expected="1 or more")
    return value
