"""Curves as inline SVG, drawn by hand: no script, no font, equal numbers give equal bytes.

Colours come from the page's style (classes ``series-0`` …), so that they follow its light and dark schemes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 14, 34
SMALL_WIDTH, SMALL_HEIGHT, SMALL_LEFT, SMALL_EDGE = 220, 84, 26, 6

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A named series of (x, y); where y is None the line is interrupted. ``band`` is (x, low, high) around it."""

    name: str
    points: tuple[tuple[float, float | None], ...]
    band: tuple[tuple[float, float, float], ...] = ()

    def runs(self) -> list[list[Point]]:
        """The points between the gaps."""
        found: list[list[Point]] = [[]]
        for x, y in self.points:
            if y is not None:
                found[-1].append((x, y))
            elif found[-1]:
                found.append([])
        return [run for run in found if run]

    def known(self) -> list[Point]:
        """All points but the gaps."""
        return [point for run in self.runs() for point in run]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A finished drawing, its heading, and what it ends with, in words."""

    title: str
    svg: Markup
    names: tuple[str, ...]
    summary: str


def lines(title: str, curves: Sequence[Curve], *, across: str) -> Chart | None:
    """A line chart over ``across`` (the name of the x axis); None where no curve has a point."""
    curves = [curve for curve in curves if curve.known()]
    if not curves:
        return None
    xs, ys = ([point[k] for curve in curves for point in curve.known()] for k in (0, 1))
    ys += [edge for curve in curves for _, *edges in curve.band for edge in edges]
    x_ticks, y_ticks = ticks(min(xs), max(xs)), ticks(min(ys), max(ys))
    frame = _Frame(min(xs), max(xs), min(*ys, y_ticks[0]), max(*ys, y_ticks[-1]))
    drawn = (_line(frame, series(k), curve) for k, curve in enumerate(curves))
    bands = (_band(frame, series(k), curve) for k, curve in enumerate(curves) if curve.band)
    parts = [_grid(frame, x_ticks, y_ticks, across), *bands, *drawn]
    summary = "; ".join(f"{curve.name} ends at {number(curve.known()[-1][1])}" for curve in curves)
    svg = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}: {}">{}</svg>').format(
        WIDTH, HEIGHT, title, summary, Markup("").join(parts)
    )
    return Chart(title=title, svg=svg, names=tuple(curve.name for curve in curves), summary=summary)


def series(number: int) -> str:
    """The style of a curve, by its place among those of a chart: six colours, and the same again in dashes."""
    return f"series-{number % 6}{' again' if number >= 6 else ''}"


def small(curve: Curve, beside: Curve, *, until: float) -> Markup:
    """A share of 1 over the steps up to ``until``, small enough for many in a row, before another that is dimmed."""
    across, down = (SMALL_LEFT, SMALL_WIDTH - SMALL_EDGE), (SMALL_EDGE, SMALL_HEIGHT - SMALL_EDGE)
    frame = _Frame(0, until, 0, 1, across, down)
    rule = Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>')
    rules = [
        rule.format(*across, frame.y(v), frame.y(v), across[0] - 5, frame.y(v) + 4, number(100 * v))
        for v in (0, 0.5, 1)
    ]
    parts = [*rules, _line(frame, "dimmed", beside), _line(frame, "series-0", curve)]
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        SMALL_WIDTH, SMALL_HEIGHT, curve.name, Markup("").join(parts)
    )


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round values from at most ``low`` to at least ``high``, about ``count`` of them."""
    if high - low <= 1e-9 * max(1e-3, abs(low), abs(high)):
        reach = abs(low) / 2 if abs(low) > 1e-9 else 0.5
        low, high = low - reach, high + reach
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def number(value: float) -> str:
    """Three digits at most, without needless zeros; small numbers as 2e-4."""
    if 0 < abs(value) < 1e-3:
        mantissa, _, power = f"{value:.2e}".partition("e")
        return f"{float(mantissa):g}e{int(power)}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


@dataclass(frozen=True)
class _Frame:
    x0: float
    x1: float
    y0: float
    y1: float
    across: tuple[float, float] = (LEFT, WIDTH - RIGHT)
    down: tuple[float, float] = (TOP, HEIGHT - BOTTOM)

    def x(self, value: float) -> float:
        left, right = self.across
        return round(left + (value - self.x0) / ((self.x1 - self.x0) or 1) * (right - left), 1)

    def y(self, value: float) -> float:
        top, bottom = self.down
        return round(bottom - (value - self.y0) / ((self.y1 - self.y0) or 1) * (bottom - top), 1)


def _grid(frame: _Frame, x_ticks: Sequence[float], y_ticks: Sequence[float], across: str) -> Markup:
    rows = [
        Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>'
        ).format(LEFT, WIDTH - RIGHT, frame.y(v), frame.y(v), LEFT - 7, frame.y(v) + 4, number(v))
        for v in y_ticks
    ]
    inside = [v for v in x_ticks if frame.x0 <= v <= frame.x1] or [frame.x0]
    columns = [
        Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(frame.x(v), HEIGHT - BOTTOM + 16, number(v))
        for v in inside
    ]
    name = Markup('<text class="axis" x="{}" y="{}" text-anchor="end">{}</text>')
    return Markup("").join([*rows, *columns, name.format(WIDTH - RIGHT, HEIGHT - 4, escape(across))])


def _band(frame: _Frame, style: str, curve: Curve) -> Markup:
    """The area from the lowest to the highest, forth along one edge and back along the other."""
    low, high = ([(x, edges[k]) for x, *edges in curve.band] for k in (0, 1))
    around = " ".join(f"{frame.x(x)},{frame.y(y)}" for x, y in [*low, *reversed(high)])
    return Markup('<polygon class="{} band" points="{}"/>').format(style, around)


def _line(frame: _Frame, style: str, curve: Curve) -> Markup:
    """A line a run; a run of one point is a dot, and so is the end."""
    line = Markup('<polyline class="{}" points="{}"/>')
    dot = Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>')
    runs = curve.runs()
    lines = [line.format(style, " ".join(f"{frame.x(x)},{frame.y(y)}" for x, y in run)) for run in runs if run[1:]]
    alone = [dot.format(style, frame.x(run[0][0]), frame.y(run[0][1]), 2) for run in runs if not run[1:]]
    last = [] if style == "dimmed" else curve.known()[-1:]
    end = [dot.format(style, frame.x(x), frame.y(y), 3.5) for x, y in last]
    return Markup("").join([*lines, *alone, *end])
