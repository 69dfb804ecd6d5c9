"""Whether a rehearsed queue was worth more than chance: each choice of a loop beside random questions, seed by seed."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from factory.review.rounds import Point, Row, grouped

CHANCE = ("class_random", "random")
"""Acquisitions that look at no doubt; the first one there is, is what others must beat."""
ENOUGH = 3
"""Seeds that a verdict takes: of fewer, neighbouring rounds of one model lie as far apart."""
HEAD = ("choice", "mIoU at the end, points", "pixels to chance's mIoU", "time to it", "verdict")


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A choice beside chance. ``gain`` is its last mIoU less chance's, with every seed that both have.

    ``pixels`` and ``seconds`` are the shares of chance's with which it first had chance's last mIoU (between rounds on
    the straight line); None for a seed with which it never had.
    """

    name: str
    chance: str
    gain: tuple[float, ...]
    pixels: tuple[float | None, ...]
    seconds: tuple[float | None, ...]

    @property
    def verdict(self) -> str:
        """In words."""
        if len(self.gain) < ENOUGH:
            return f"no proof: {len(self.gain)} of {ENOUGH} seeds"
        if all(share is not None and share < 1 for share in self.pixels):
            behind = sum(gain < 0 for gain in self.gain)
            return f"cheaper with every seed, behind at the end with {behind}" if behind else "cheaper with every seed"
        if all(gain < 0 for gain in self.gain):
            return "worse with every seed"
        return "no better than chance"

    @property
    def row(self) -> tuple[str, ...]:
        """One figure a seed, under `HEAD`."""
        gain = ", ".join(f"{100 * one:+.1f}" for one in self.gain)
        return (self.name, gain, _said(self.pixels), _said(self.seconds), self.verdict)


def _said(shares: Sequence[float | None]) -> str:
    return ", ".join("never" if share is None else f"{share:.0%}" for share in shares)


def beside_chance(points: Sequence[Point]) -> list[Beside]:
    """Every choice that can be compared, but chance itself; none where nothing was left to chance."""
    points = [point for point in points if point.comparable]
    groups = {name: _by_seed(members) for name, members in grouped(points).items()}
    chance = _chance(points, groups)
    found = []
    for name, members in groups.items():
        pairs = [(rows, groups[chance][seed]) for seed, rows in members.items() if chance and seed in groups[chance]]
        if pairs and name != chance:
            found.append(
                Beside(
                    name=name,
                    chance=chance,
                    gain=tuple(_miou(ours[-1]) - _miou(theirs[-1]) for ours, theirs in pairs),
                    pixels=tuple(_share(*pair, lambda row: row.pixels) for pair in pairs),
                    seconds=tuple(_share(*pair, lambda row: row.seconds) for pair in pairs),
                )
            )
    return found


def _miou(row: Row) -> float:
    """Of a point that is comparable, where every row has one."""
    return float(row.miou or 0)


def _by_seed(members: Sequence[Point]) -> dict[int, tuple[Row, ...]]:
    return {point.seed: point.rows for point in members}


def _chance(points: Sequence[Point], groups: dict[str, dict[int, tuple[Row, ...]]]) -> str:
    """The name of what counts as chance: of several, what ends best."""
    for acquisition in CHANCE:
        names = {point.name for point in points if f"select.acquisition={acquisition}" in point.words}
        if names:
            return max(sorted(names), key=lambda name: statistics.fmean(_miou(r[-1]) for r in groups[name].values()))
    return ""


def _share(ours: Sequence[Row], theirs: Sequence[Row], spent: Callable[[Row], float]) -> float | None:
    """How much of what chance spent in all was spent when its last mIoU was first reached."""
    goal, whole = _miou(theirs[-1]), spent(theirs[-1])
    if not whole:
        return None
    if _miou(ours[0]) >= goal:
        return spent(ours[0]) / whole
    for before, after in itertools.pairwise(ours):
        if _miou(after) >= goal:
            way = (goal - _miou(before)) / (_miou(after) - _miou(before))
            return (spent(before) + way * (spent(after) - spent(before))) / whole
    return None
