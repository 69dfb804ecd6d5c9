"""What answers cost: as stated, until a log tells better."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.core.errors import ConfigError, InputError
from factory.measure.cost import Cost, Work, joined, read_log

STATED = Cost(image=4.0, region=2.4, border=0.1, trust=1.0)


def log_of(image: float, region: float, border: float, count: int, *, spread: float = 0.2) -> list[Work]:
    """Pictures that took what a person of these costs takes, give or take."""
    rng = np.random.default_rng(0)
    works = []
    for _ in range(count):
        regions, pixels = int(rng.integers(1, 9)), int(rng.integers(0, 200))
        seconds = image + region * regions + border * pixels
        works.append(Work(regions, pixels, float(seconds * rng.lognormal(-(spread**2) / 2, spread))))
    return works


def test_without_a_log_costs_are_as_stated() -> None:
    """Pictures that took no time tell nothing."""
    assert STATED.learnt([]) == STATED.learnt([Work(3, 10, 0.0)]) == STATED
    assert STATED.seconds(20) == pytest.approx(4.4)


def test_a_long_log_rules_and_a_short_one_hardly_moves_what_is_stated() -> None:
    """Someone twice as slow at drawing and three times as slow at opening pictures."""
    found = STATED.learnt(log_of(12.0, 2.4, 0.2, 2000))
    assert (found.image, found.region, found.border) == pytest.approx((12.0, 2.4, 0.2), rel=0.08)
    little = STATED.learnt(log_of(12.0, 2.4, 0.2, 1))
    assert 4.0 <= little.image < 8.0
    assert found.trust == STATED.trust


@pytest.mark.parametrize("trust", [1.0, 4.0])
def test_one_answer_moves_what_is_stated_as_far_as_the_formula_says(trust: float) -> None:
    """Of 8 seconds half are the picture's, 0.3 the region's and 0.2 the border's share: a = (0.5, 0.3, 0.2), a² = 0.38.

    Half as long again lies within the square, so the costs change by a · 0.5 / (trust + 0.38); ten times as long, or
    a hundred, lies where the loss grows in a straight line, and they change by a / trust.
    """
    stated = replace(STATED, trust=trust)
    for seconds, step in ((12.0, 0.5 / (trust + 0.38)), (80.0, 1 / trust), (800.0, 1 / trust)):
        found = stated.learnt([Work(1, 16, seconds)])
        expected = (4.0 * (1 + 0.5 * step), 2.4 * (1 + 0.3 * step), 0.1 * (1 + 0.2 * step))
        assert (found.image, found.region, found.border) == pytest.approx(expected, rel=1e-3)


def test_a_picture_that_stayed_open_over_lunch_does_not_rule() -> None:
    """One answer in ten took two hours; the others what is stated."""
    log = [Work(4, 100, STATED.image + 4 * STATED.seconds(25))] * 9
    found = STATED.learnt([*log, Work(4, 100, 7200.0)])
    assert found.image + 4 * found.seconds(25) < 1.5 * log[0].seconds


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 5000), st.floats(0.1, 1e5)), max_size=8))
def test_no_cost_falls_below_zero(rows) -> None:
    """Whatever the log says."""
    found = STATED.learnt([Work(*row) for row in rows])
    assert min(found.image, found.region, found.border) >= 0


def test_what_is_stated_as_nothing_can_be_learnt() -> None:
    """A cost of 0 is a statement like any other."""
    free = Cost(image=0.0, region=0.0, border=0.0, trust=1.0)
    assert free.learnt(log_of(5.0, 2.0, 0.0, 500, spread=0.0)).image > 1


def test_a_log_is_read_by_picture(tmp_path: Path) -> None:
    """Rows without a time are left out, also with a byte order mark before the header."""
    path = tmp_path / "queue.csv"
    path.write_text("\ufeffrank,image,border,taken\n1,a.png,3,2.5\n2,b.png,0,\n3,a.png,7,1.5\n", encoding="utf-8")
    assert read_log(path) == [Work(2, 10, 4.0)]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_log_is_read_as_spreadsheets_save_it(tmp_path: Path, mark: str) -> None:
    """Also several as one, in which a picture that two people opened was opened twice."""
    path, seconds = tmp_path / "queue.csv", "2,5" if mark == ";" else "2.5"
    rows = [["rank", "image", "border", "taken"], ["1", "a.png", "3", seconds], ["2", "b.png", "0", ""],
            ["3", "a.png", "7", "1"]]  # fmt: skip
    path.write_text("\n".join(mark.join(row) for row in rows))
    assert read_log(path) == [Work(2, 10, 3.5)]
    (tmp_path / "log.csv").write_bytes(joined([path, path]))
    assert read_log(tmp_path / "log.csv") == [Work(2, 10, 3.5)] * 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,taken\n", "lacks columns"),
        ("", "lacks columns"),
        ("image,border,taken\na,3,soon\n", "line 2"),
        ("image,border,taken\na,3,-1\n", "line 2"),
        ("image,border,taken\na,many,1\n", "line 2"),
        ('image,border,taken\na,3,"2,500"\n', "line 2"),
        ("image,border,taken\na,-3,1\n", "line 2"),
    ],
)
def test_a_log_that_cannot_be_used_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """With the line that is wrong."""
    (tmp_path / "queue.csv").write_text(text)
    for read in (read_log, lambda path: joined([path])):
        with pytest.raises(InputError, match=said) as caught:
            read(tmp_path / "queue.csv")
        assert "queue.csv" in str(caught.value)


@pytest.mark.parametrize("broken", [{"image": -1.0}, {"trust": 0.0}])
def test_costs_that_cannot_be_are_refused(broken) -> None:
    """By name."""
    with pytest.raises(ConfigError, match=next(iter(broken))):
        Cost(**{"image": 1.0, "region": 1.0, "border": 0.0, "trust": 1.0} | broken)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("image;border;taken\nFöhre.png;12;8,5\n".encode("cp1252"), "CSV UTF-8"),
        (b"image,border,taken\na.png,12,1:30\n", "taken is in seconds"),
    ],
    ids=["as spreadsheets save it", "as clocks show it"],
)
def test_a_log_that_people_kept_otherwise_is_answered_with_how(tmp_path: Path, data: bytes, told: str) -> None:
    """They can mend it themselves."""
    (tmp_path / "queue.csv").write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_log(tmp_path / "queue.csv")
    assert told in str(caught.value.todo)
