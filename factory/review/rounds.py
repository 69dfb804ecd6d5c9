"""The rounds of a loop: how good the model was after each round of questions, and what the answers took."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

UNDER_WAY = "under way"
"""What a point says of its end before it has come to it."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One round. Counts are of all rounds so far: regions answered, pixels that people named, seconds spent.

    ``precision`` is the share of the round's regions that came back changed; ``miou`` the model's after it: None where
    it cannot be measured.
    """

    round: int
    regions: int
    pixels: int
    seconds: float
    precision: float | None
    miou: float | None


@dataclass(frozen=True, kw_only=True)
class Point:
    """The rounds of one point of a sweep: its words but for the seed, and why it ended."""

    words: tuple[str, ...]
    seed: int
    rows: tuple[Row, ...]
    ended: str = ""
    failed: bool = False

    @property
    def comparable(self) -> bool:
        """Whether it went as far as it goes, with answers to a round at least, and was measured.

        What is under way, failed, or waits for people's first answers, cannot be compared yet; what nobody measures
        never can.
        """
        measured = all(row.miou is not None for row in self.rows)
        return measured and not self.failed and self.ended != UNDER_WAY and len(self.rows) > 1

    @property
    def key(self) -> tuple[tuple[str, ...], int]:
        """What sets it apart from others of the loop."""
        return self.words, self.seed

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Point:
        """Inverse of `as_json`."""
        rows = tuple(Row(**row) for row in record["rows"])
        return cls(**record | {"rows": rows, "words": tuple(record["words"])})


def _named(points: Sequence[Point]) -> dict[tuple[str, ...], str]:
    """A name for each choice, the same for all its seeds: its words in short, or whole where others are short alike."""
    short = {point.words: ", ".join(map(_short, point.words)) or "as configured" for point in points}
    alike = Counter(short.values())
    return {words: name if alike[name] == 1 else ", ".join(words) for words, name in short.items()}


def _short(word: str) -> str:
    """What was chosen; of a number, a list or a switch also what it is of."""
    key, _, value = word.partition("=")
    is_choice = value[:1].isalpha() and value not in ("true", "false", "null")
    return value if is_choice else f"{key.rpartition('.')[2]} {value}"


HEAD = ("choice", "seed", "round", "regions", "pixels", "hours", "precision", "mIoU")


def table(points: Sequence[Point]) -> list[tuple[str | int | float | None, ...]]:
    """Every round of every point."""
    names = _named(points)
    return [
        (
            names[point.words],
            point.seed,
            row.round,
            row.regions,
            row.pixels,
            round(row.seconds / 3600, 3),
            row.precision,
            row.miou,
        )
        for point in points
        for row in point.rows
    ]


def grouped(points: Sequence[Point]) -> dict[str, list[Point]]:
    """Points that differ by their seed alone."""
    names = _named(points)
    found: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        if point.rows:
            found[names[point.words]].append(point)
    return dict(found)
