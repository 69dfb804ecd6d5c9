"""Curves of a loop: seeds are averaged, what they differ by is a band, and every figure stands in the table."""

import re
from dataclasses import replace

import pytest

from factory.review.beside_chance import Beside, beside_chance
from factory.review.rounds import UNDER_WAY, Point, Row, grouped, table
from factory.review.rounds_page import page


def point(name: str, seed: int, mious: list[float], **about) -> Point:
    """One seed of one acquisition."""
    rows = [
        Row(round=number, regions=10 * number, pixels=100 + 10 * number, seconds=3600.0 * number,
            precision=0.5 if number else None, miou=miou)
        for number, miou in enumerate(mious)
    ]  # fmt: skip
    return Point(words=(f"select.acquisition={name}",), seed=seed, rows=tuple(rows), **about)


POINTS = [point("random", 0, [0.3, 0.4]), point("random", 1, [0.32, 0.5]), point("k_center", 0, [0.3, 0.6, 0.7])]


def test_points_that_differ_by_their_seed_alone_are_one_curve_with_a_band() -> None:
    """Means of what came as far; a single seed has no band."""
    assert {name: len(members) for name, members in grouped(POINTS).items()} == {"random": 2, "k_center": 1}
    html = page(POINTS, title="my <run>").decode()
    assert "my &lt;run&gt;" in html
    assert html.count("<polygon") == 3 * 1
    assert "random ends at 0.45; k_center ends at 0.7" in html
    assert page(POINTS, title="my <run>").decode() == html
    assert "http://" not in html


def test_of_many_choices_each_has_a_line_of_its_own() -> None:
    """Colours that come again are dashed, in the chart and in its key."""
    names = [f"choice{number}" for number in range(8)]
    html = page([point(name, 0, [0.3, 0.4, 0.5]) for name in names], title="run").decode()
    chart = html[html.index("<figure") : html.index("</figure>")]
    for found in (re.findall(r'<polyline class="([^"]+)"', chart), re.findall(r'<i class="key ([^"]+)"', chart)):
        assert len(found) == len(set(found)) == 8


def test_every_round_of_every_point_stands_in_the_table() -> None:
    """Hours for seconds; a point that failed at once has none."""
    rows = table([*POINTS, point("entropy", 0, [], failed=True)])
    assert len(rows) == 7
    assert rows[1] == ("random", 0, 1, 10, 110, 1.0, 0.5, 0.4)
    minutes = replace(POINTS[0], rows=(replace(POINTS[0].rows[1], seconds=89.0),))
    assert table([minutes])[0][5] == 0.025, "as many places as are printed"
    assert page([point("entropy", 0, [])], title="nothing")


def test_rounds_that_nothing_measures_have_no_mean_iou_and_are_held_against_nothing() -> None:
    """People's photographs without a single mask: the table and the page do without."""
    bare = [replace(one, rows=tuple(replace(row, miou=None) for row in one.rows)) for one in POINTS]
    assert {row[7] for row in table(bare)} == {None}
    assert beside_chance(bare) == []
    assert "–" in page(bare, title="no masks").decode()


def test_numbers_of_different_keys_are_different_choices() -> None:
    """Two sweeps into one folder: what is alike in value alone is not averaged."""
    two = [
        replace(POINTS[0], words=(word,))
        for word in ("select.acquisition.budget=100", "train.steps=100", "train.ema=0.99", "select.acquisition=random")
    ]
    assert list(grouped(two)) == ["budget 100", "steps 100", "ema 0.99", "random"]


def test_choices_that_are_short_alike_are_called_by_their_whole_words() -> None:
    """Each is a choice of its own, in the table and beside chance; switches and lists say what they are of."""
    words = ["label.refiner=argmax", "predict.refiner=argmax", "train.ema=false", "train.ema=null", "train.size=[8,8]"]
    alike = [replace(POINTS[0], words=(word,)) for word in words]
    names = [*words[:2], "ema false", "ema null", "size [8,8]"]
    assert list(grouped(alike)) == [row[0] for row in table(alike) if row[2]] == names
    assert table([replace(POINTS[0], words=())])[0][0] == "as configured"
    assert [one.name for one in beside_chance([*alike[:2], POINTS[0]])] == names[:2]


def test_rounds_that_cannot_be_measured_have_no_mean_and_are_held_against_nothing() -> None:
    """People's loop may have nothing to measure on: the other figures stand."""
    blind = [replace(one, rows=tuple(replace(row, miou=None) for row in one.rows)) for one in POINTS]
    assert beside_chance(blind) == []
    assert table(blind)[1][-1] is None
    html = page(blind, title="run").decode()
    assert "mIoU by pixels" not in html
    assert "Queue precision" in html
    assert "Nothing measures the model" in html
    assert "Nothing measures the model" not in page(POINTS, title="run").decode()


def test_curves_are_means_of_the_seeds_that_came_as_far_over_pixels_hours_and_rounds() -> None:
    """Two seeds are drawn as the one that is their mean; nothing stands where nothing was measured."""

    def texts_and_lines(*points: Point) -> tuple[list[str], list[str]]:
        html = page(points, title="run").decode()
        assert html.rpartition("<table")[2].count("<tr>") == 1 + sum(len(one.rows) for one in points)
        return re.findall(r"<text[^>]*>([^<]*)", html), re.findall("<polyline[^>]*>", html)

    frame = point("entropy", 0, [0.0, 1.0])
    texts, lines = texts_and_lines(frame, point("random", 0, [0.2, 0.4]), point("random", 1, [0.4, 0.8, 0.9]))
    assert (texts, lines) == texts_and_lines(frame, point("random", 0, [0.3, 0.6, 0.9]))
    ticks = {name: texts[: texts.index(name)] for name in ("pixels named by people", "hours of a person&#39;s time")}
    assert [set(values[-5:]) for values in ticks.values()] == [
        {"100", "105", "110", "115", "120"}, {"0", "0.5", "1", "1.5", "2"},
    ]  # fmt: skip
    assert texts[texts.index("round") - 6] == "1", "before the first answers there is no precision"


def test_points_survive_the_way_to_disk() -> None:
    """Inverse of each other."""
    for one in (*POINTS, point("a", 3, [], ended="no", failed=True)):
        assert Point.from_json(one.as_json()) == one


def test_a_choice_is_held_against_the_best_chance_seed_by_seed() -> None:
    """The last mIoU, and the share of chance's pixels and hours with which chance's last one was there."""
    chance = [point("class_random", seed, [0.3, 0.4, 0.5]) for seed in range(3)]
    better = [point("entropy", seed, [0.3, 0.5, 0.6]) for seed in range(3)]
    worse = [point("margin", seed, [0.3, 0.3, 0.49]) for seed in range(3)]
    mixed = [point("k_center", seed, [0.3, 0.3, (0.49, 0.6, 0.5)[seed]]) for seed in range(3)]
    uniform = [point("random", seed, [0.3, 0.45, 0.45]) for seed in range(2)]
    found = {one.name: one for one in beside_chance([*uniform, *chance, *better, *worse, *mixed])}
    assert {one.chance for one in found.values()} == {"class_random"}
    assert found["entropy"].gain == pytest.approx([0.1] * 3)
    assert found["entropy"].pixels == pytest.approx([110 / 120] * 3)
    assert found["entropy"].seconds == pytest.approx([0.5] * 3)
    assert {name: one.verdict for name, one in found.items()} == {
        "entropy": "cheaper with every seed",
        "margin": "worse with every seed",
        "k_center": "no better than chance",
        "random": "no proof: 2 of 3 seeds",
    }
    lost = [point("entropy", seed, [0.3, 0.6, 0.45 if seed else 0.6]) for seed in range(3)]
    assert beside_chance([*chance, *lost])[0].verdict == "cheaper with every seed, behind at the end with 2"
    open_ends = [replace(one, ended=UNDER_WAY) for one in better] + [replace(one, failed=True) for one in worse]
    assert beside_chance([*chance, *open_ends]) == []
    assert found["k_center"].row[1:3] == ("-1.0, +10.0, +0.0", "never, 97%, 100%")
    assert "cheaper with every seed" in page([*chance, *better], title="run").decode()


def test_between_rounds_the_way_to_chances_figure_is_a_straight_line() -> None:
    """Where nothing is left to chance there is no verdict."""
    two = [point("random", 0, [0.2, 0.4]), point("entropy", 0, [0.2, 0.6])]
    (found,) = beside_chance(two)
    assert found.seconds == pytest.approx([0.5])
    assert found.pixels == pytest.approx([105 / 110])
    assert beside_chance(two[1:]) == []
    free = [replace(one, rows=tuple(replace(row, seconds=0.0) for row in one.rows)) for one in two]
    assert beside_chance(free)[0].seconds == (None,)


@pytest.mark.parametrize(
    ("gain", "pixels", "verdict"),
    [
        ((0.1, 0.0, 0.1), (0.5, 0.9, 0.99), "cheaper with every seed"),
        ((0.1, -0.1, 0.1), (0.5, 0.9, 0.99), "cheaper with every seed, behind at the end with 1"),
        ((0.1, 0.1, 0.1), (0.5, 0.9, 1.0), "no better than chance"),
        ((0.1, 0.1, 0.1), (0.5, 0.9, None), "no better than chance"),
        ((-0.1, -0.1, 0.0), (None, None, 1.0), "no better than chance"),
        ((-0.1, -0.1, -0.2), (None, 1.2, None), "worse with every seed"),
    ],
)
def test_a_verdict_takes_every_seed(gain, pixels, verdict: str) -> None:
    """As many pixels as chance are no fewer, the same mIoU is neither behind nor worse."""
    assert Beside(name="a", chance="b", gain=gain, pixels=pixels, seconds=pixels).verdict == verdict


def test_what_was_as_good_before_anybody_was_asked_cost_what_it_had_then() -> None:
    """Chance that ends below where both began: the clicks that were there already, and no time."""
    lower = [point("random", 0, [0.3, 0.2]), point("entropy", 0, [0.2, 0.1])]
    (found,) = beside_chance(lower)
    assert (found.pixels, found.seconds) == (pytest.approx([100 / 110]), (0.0,))


def test_of_several_chances_the_one_that_ends_best_is_what_to_beat_with_the_seeds_that_both_have() -> None:
    """Best on the average of its seeds, whatever its name; another chance is a choice like others."""
    chances = [
        replace(one, words=(*one.words, f"train.steps={steps}"))
        for steps, ends in ((1, (0.4, 0.5)), (2, (0.6, 0.5)), (3, (0.2, 0.7)))
        for one in (point("random", seed, [0.3, end]) for seed, end in enumerate(ends))
    ]
    found = beside_chance([*chances, point("entropy", 1, [0.3, 0.6]), point("entropy", 2, [0.3, 0.9])])
    assert {one.chance for one in found} == {"random, steps 2"}
    assert {one.name: one.gain for one in found} == {
        "random, steps 1": pytest.approx([-0.2, 0.0]),
        "random, steps 3": pytest.approx([-0.4, 0.2]),
        "entropy": pytest.approx([0.1]),
    }


def test_what_waits_for_its_first_answers_is_held_against_nothing() -> None:
    """Before anybody was asked all choices are equal, which is no verdict."""
    waiting = [point(name, seed, [0.3], ended="round 1 waits") for name in ("random", "entropy") for seed in range(3)]
    assert beside_chance(waiting) == []
    assert "Beside chance" not in page(waiting, title="run").decode()
    answered = [point("random", seed, [0.3, 0.4], ended="round 2 waits") for seed in range(3)]
    assert beside_chance([*answered, *waiting[3:]]) == []
    assert len(beside_chance([*answered, *(point("entropy", seed, [0.3, 0.5]) for seed in range(3))])) == 1
