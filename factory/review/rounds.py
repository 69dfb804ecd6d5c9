"""Curves of a loop: how good the model was after each round of questions, by what the answers took."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from factory.review import layout
from factory.review.charts import Chart, Curve, lines

Value = Callable[["Row"], float | None]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One round. Counts are of all rounds so far: regions answered, pixels that people named, seconds spent.

    ``precision`` is the share of the round's regions that came back changed; ``miou`` the model's after it.
    """

    round: int
    regions: int
    pixels: int
    seconds: float
    precision: float | None
    miou: float


@dataclass(frozen=True, kw_only=True)
class Point:
    """The rounds of one point of a sweep: its words but for the seed, and why it ended."""

    words: tuple[str, ...]
    seed: int
    rows: tuple[Row, ...]
    ended: str = ""
    failed: bool = False

    @property
    def key(self) -> tuple[tuple[str, ...], int]:
        """What sets it apart from others of the loop."""
        return self.words, self.seed

    @property
    def name(self) -> str:
        """Its words in short; the same for all seeds."""
        return ", ".join(word.partition("=")[2] for word in self.words) or "as configured"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Point:
        """Inverse of `as_json`."""
        rows = tuple(Row(**row) for row in record["rows"])
        return cls(**record | {"rows": rows, "words": tuple(record["words"])})


def page(points: Sequence[Point], *, title: str) -> bytes:
    """One self-contained page: curves with a band from the worst to the best seed, and every figure in a table."""
    groups = grouped(points)
    charts = [
        _chart("mIoU by pixels", groups, "pixels named by people", lambda row: row.pixels, lambda row: row.miou),
        _chart(
            "mIoU by time", groups, "hours of a person's time", lambda row: row.seconds / 3600, lambda row: row.miou
        ),
        _chart("Queue precision", groups, "round", lambda row: row.round, lambda row: row.precision),
    ]
    return layout.render(
        "rounds.html", title=title, charts=[chart for chart in charts if chart], head=HEAD, rows=table(points)
    )


HEAD = ("choice", "seed", "round", "regions", "pixels", "hours", "precision", "mIoU")


def table(points: Sequence[Point]) -> list[tuple[str | int | float | None, ...]]:
    """Every round of every point."""
    return [
        (
            point.name,
            point.seed,
            row.round,
            row.regions,
            row.pixels,
            round(row.seconds / 3600, 2),
            row.precision,
            row.miou,
        )
        for point in points
        for row in point.rows
    ]


def grouped(points: Sequence[Point]) -> dict[str, list[Point]]:
    """Points that differ by their seed alone."""
    found: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        if point.rows:
            found[point.name].append(point)
    return dict(found)


def _chart(title: str, groups: dict[str, list[Point]], across: str, x: Value, y: Value) -> Chart | None:
    return lines(title, [_curve(name, members, x, y) for name, members in groups.items()], across=across)


def _curve(name: str, members: Sequence[Point], x: Value, y: Value) -> Curve:
    """The mean over the seeds that came as far, and how far they lie apart."""
    points, band = [], []
    for number in sorted({row.round for point in members for row in point.rows}):
        there = [row for point in members for row in point.rows if row.round == number and y(row) is not None]
        if there:
            place = statistics.fmean(float(x(row) or 0) for row in there)
            values = [float(y(row) or 0) for row in there]
            points.append((place, statistics.fmean(values)))
            band.append((place, min(values), max(values)))
    return Curve(name=name, points=tuple(points), band=tuple(band) if len(members) > 1 else ())
