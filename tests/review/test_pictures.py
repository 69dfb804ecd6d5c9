"""Drawing: outlines, badges, crops and curves."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.core import picture as core
from factory.core.classes import ClassList
from factory.core.sample import Hints, Origin
from factory.review import charts, measures, pictures
from factory.review.charts import Curve

GREY = np.full((20, 30, 3), 90, np.uint8)
FINITE = st.floats(-1e6, 1e6)


def test_an_outline_is_white_inside_and_black_outside() -> None:
    """So that it shows on any picture; pixels elsewhere stay."""
    regions = np.zeros((20, 30), np.uint16)
    regions[5:15, 5:15] = 3
    drawn = pictures.outlined(GREY, regions)
    assert [drawn[10, x, 0] for x in (3, 4, 5, 6)] == [90, 0, 255, 90]


def test_regions_that_touch_are_divided_and_the_picture_s_edge_closes_them() -> None:
    """Each has its own line."""
    regions = np.ones((20, 30), np.uint16)
    regions[:, 15:] = 2
    drawn = pictures.outlined(GREY, regions)[10, :, 0]
    assert [x for x in range(30) if drawn[x] == 255] == [0, 14, 15, 29]


def test_badges_stay_inside_the_picture() -> None:
    """Also in a corner, also on a picture smaller than the badge."""
    for x, y in ((0, 0), (29, 19)):
        assert (pictures.numbered(GREY, [("12", (x, y))], size=10) != GREY).any()
    assert pictures.numbered(GREY[:4, :4], [("123", (2, 2))]).shape == (4, 4, 3)


@pytest.mark.parametrize(
    ("size_hw", "expected_wh"), [((3, 3000), (429, 1)), ((3000, 1), (1, 429)), ((20, 30), (30, 20))]
)
def test_a_strip_is_scaled_down_to_no_less_than_a_pixel(size_hw: tuple[int, int], expected_wh: tuple[int, int]) -> None:
    """What is small enough stays as it is."""
    made = pictures.flat(np.zeros((*size_hw, 3), np.uint8), "a strip")
    assert (made.width, made.height) == expected_wh


def test_the_middle_lies_inside_a_ring() -> None:
    """Its centre of mass would not."""
    ring = np.zeros((21, 21), bool)
    ring[2:19, 2:19] = True
    ring[6:15, 6:15] = False
    x, y = pictures.middle(ring)
    assert ring[y, x]
    strip = np.zeros((21, 40), bool)
    strip[12:15, 30:39] = True
    assert pictures.middle(strip) == (31, 13)
    assert pictures.middle(strip[12:, 30:]) == (1, 1)


@given(
    x0=st.integers(0, 90),
    y0=st.integers(0, 60),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    size_hw=st.tuples(st.integers(100, 140), st.integers(130, 160)),
)
def test_a_window_holds_its_box(x0: int, y0: int, width: int, height: int, size_hw: tuple[int, int]) -> None:
    """And stays inside the image, wherever the box lies."""
    rows, columns = pictures.around((x0, y0, x0 + width, y0 + height), size_hw)
    assert 0 <= rows.start <= y0 < y0 + height <= rows.stop <= size_hw[0]
    assert 0 <= columns.start <= x0 < x0 + width <= columns.stop <= size_hw[1]


def test_hints_are_drawn_in_the_colours_of_their_classes() -> None:
    """Points, boxes and scribbles."""
    classes = ClassList.of(["ground", "coin"], [(0, 0, 0), (250, 10, 10)])
    scribbles = np.full((20, 30), 255, np.uint8)
    scribbles[2, 2:9] = 1
    drawn = pictures.with_hints(GREY, Hints(points=((20, 10, 1),), boxes=((1, 12, 9, 19, 1),)), classes, scribbles)
    for y, x in ((10, 20), (2, 5), (12, 5)):
        factor = drawn.shape[0] // 20
        centre = drawn[y * factor + (factor // 2 if y < 12 else 0), x * factor + factor // 2].astype(int)
        assert np.abs(centre - [250, 10, 10]).max() < 40


def test_hints_on_a_large_picture_are_seen_where_it_is_shown_small() -> None:
    """A frame, and the two rings around a point, take a pixel at least of the 480 that are shown of a side."""
    classes = ClassList.of(["ground", "coin"], [(0, 0, 0), (250, 10, 10)])
    hints = Hints(points=((800, 400, 1),), boxes=((100, 100, 900, 900, 1),))
    drawn = pictures.with_hints(np.full((1600, 1600, 3), 90, np.uint8), hints, classes, None)
    least = 1600 // 480
    assert (drawn[500, :200] == [250, 10, 10]).all(axis=1).sum() >= least
    across = drawn[400, 750:800]
    for ring in (0, 255):
        assert (across == ring).all(axis=1).sum() >= least


@pytest.mark.parametrize(("low", "high", "expected"), [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (3, 3, [1, 2, 3, 4, 5])])
def test_ticks_are_round_numbers(low: float, high: float, expected: list[float]) -> None:
    """Also for a single value."""
    assert set(expected) <= set(charts.ticks(low, high))


@given(first=FINITE, second=FINITE)
def test_ticks_enclose_the_values_and_are_few(first: float, second: float) -> None:
    """However near or far apart they are."""
    low, high = min(first, second), max(first, second)
    marks = charts.ticks(low, high)
    slack = 1e-6 * max(1, abs(low), abs(high))
    assert marks[0] <= low + slack
    assert marks[-1] >= high - slack
    assert len(marks) <= 12


def test_a_chart_names_its_curves_and_leaves_empty_ones_out() -> None:
    """Titles are escaped; without any point there is no chart."""
    chart = charts.lines("Loss & co", [Curve(name="a<b", points=((1, 2.0), (3, 0.5)))], across="step")
    assert chart is not None
    assert chart.names == ("a<b",)
    assert "Loss &amp; co" in chart.svg
    assert "a<b" not in chart.svg
    assert charts.lines("Nothing", [Curve(name="a", points=())], across="step") is None
    assert charts.lines("Nothing", [Curve(name="a", points=((1, None), (2, None)))], across="step") is None


def test_what_is_more_stands_higher_and_what_is_later_further_right() -> None:
    """From the lower left corner of the frame to the upper right one."""
    chart = charts.lines("Up", [Curve(name="a", points=((0, 0.0), (1, 1.0)))], across="step")
    assert chart is not None
    corners = (charts.LEFT, charts.HEIGHT - charts.BOTTOM), (charts.WIDTH - charts.RIGHT, charts.TOP)
    ((first, last),) = [
        [tuple(map(float, point.split(","))) for point in line.split()]
        for line in re.findall(r'<polyline class="series-0" points="([^"]+)"', chart.svg)
    ]
    assert (first, last) == corners


def test_a_line_is_interrupted_where_nothing_is_known() -> None:
    """A point between two gaps is a dot; the last known point is always one."""
    curve = Curve(name="a", points=((1, None), (2, 0.1), (3, 0.2), (4, None), (5, 0.4), (6, None), (7, None)))
    assert curve.runs() == [[(2, 0.1), (3, 0.2)], [(5, 0.4)]]
    chart = charts.lines("Gaps", [curve], across="step")
    assert chart is not None
    assert (chart.svg.count("<polyline"), chart.svg.count("<circle")) == (1, 2)
    assert "a ends at 0.4" in chart.summary
    small = charts.small(curve, Curve(name="mean", points=((1, 0.5), (7, 0.5))), until=7)
    assert (small.count('polyline class="series-0"'), small.count('polyline class="dimmed"')) == (1, 1)


def test_a_chart_of_one_point_is_drawn() -> None:
    """Training may end after its first step."""
    chart = charts.lines("Loss", [Curve(name="loss", points=((12, 0.0),))], across="step")
    assert chart is not None
    assert "nan" not in chart.svg
    assert ">12</text>" in chart.svg, "and says at which step"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0"), (0.00025, "2.5e-4"), (3.62e-5, "3.62e-5"), (0.123456, "0.123"), (12345.6, "12346")],
)
def test_numbers_are_short(value: float, expected: str) -> None:
    """Three digits say enough on an axis."""
    assert charts.number(value) == expected


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, "0.0 %"), (0.0001, "< 0.1 %"), (0.912, "91.2 %"), (1.0, "100.0 %")]
)
def test_a_little_is_not_shown_as_nothing(share: float, expected: str) -> None:
    """A few human pixels among millions are still there."""
    assert measures.percent(share) == expected


def test_origins_have_the_colours_that_the_page_explains() -> None:
    """Each its own."""
    drawn = pictures.origins(np.array([[int(origin) for origin in Origin]], np.uint8))[0]
    assert [tuple(pixel) for pixel in drawn.tolist()] == [pictures.ORIGIN_COLOURS[origin] for origin in Origin]
    assert pictures.ORIGIN_COLOURS[Origin.NONE] == (128, 128, 128)


def test_a_picture_of_which_nothing_is_said_is_called_a_photograph() -> None:
    """Predictions have no hints; how sure they are is shown all the same."""
    classes, sure_hw = ClassList.of(["ground", "coin"]), np.full(GREY.shape[:2], 200, np.uint8)
    said = core.Picture(id="said", image=GREY, hints=Hints(points=((1, 1, 1),)))
    silent = core.Picture(id="silent", image=GREY, hints=Hints())
    assert [title for title, _ in pictures.hinted(said, classes, None)] == ["hints"]
    assert [title for title, _ in pictures.hinted(silent, classes, sure_hw)] == ["photograph", "confidence"]
