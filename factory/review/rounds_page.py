"""The page of a loop: curves of its rounds, what they were worth beside chance, and every figure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from factory.review import layout
from factory.review.beside_chance import HEAD as BESIDE_HEAD
from factory.review.beside_chance import beside_chance
from factory.review.charts import Chart, Curve, lines
from factory.review.rounds import HEAD, Point, Row, grouped, table

Value = Callable[[Row], float | None]


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
        "rounds.html",
        title=title,
        charts=[chart for chart in charts if chart],
        measured=any(row.miou is not None for point in points for row in point.rows),
        beside=beside_chance(points),
        beside_head=BESIDE_HEAD,
        head=HEAD,
        rows=table(points),
    )


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
