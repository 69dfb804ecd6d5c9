"""Curves of a loop: seeds are averaged, what they differ by is a band, and every figure stands in the table."""

from factory.review.rounds import Point, Row, grouped, page, table


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


def test_every_round_of_every_point_stands_in_the_table() -> None:
    """Hours for seconds; a point that failed at once has none."""
    rows = table([*POINTS, point("entropy", 0, [], failed=True)])
    assert len(rows) == 7
    assert rows[1] == ("random", 0, 1, 10, 110, 1.0, 0.5, 0.4)
    assert page([point("entropy", 0, [])], title="nothing")


def test_points_survive_the_way_to_disk() -> None:
    """Inverse of each other."""
    for one in (*POINTS, point("a", 3, [], ended="no", failed=True)):
        assert Point.from_json(one.as_json()) == one
