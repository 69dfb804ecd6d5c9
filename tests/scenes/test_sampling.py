"""Draws stay within their ranges, and what cannot be drawn from is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenes.kit import sampling

ends = st.tuples(st.floats(0.001, 1000), st.floats(0.001, 1000)).map(lambda pair: tuple(sorted(pair)))
seeds = st.integers(0, 1000)


@given(ends, seeds)
@settings(max_examples=60)
def test_numbers_come_from_the_range(span: tuple[float, float], seed: int) -> None:
    """Evenly or by ratio, but for the rounding that keeps JSON short."""
    for draw in (sampling.uniform, sampling.log_uniform):
        assert span[0] - 1e-6 <= draw(np.random.default_rng(seed), span) <= span[1] + 1e-6


@given(ends, seeds)
@settings(max_examples=60)
def test_whole_numbers_come_from_the_range_or_from_next_to_it(span: tuple[float, float], seed: int) -> None:
    """A range between two whole numbers gives the upper one, instead of an error in the middle of a run."""
    drawn = sampling.whole(np.random.default_rng(seed), span)
    assert span[0] <= drawn < span[1] + 1


def test_both_ends_of_a_range_are_drawn() -> None:
    """Whole numbers include the high end, unlike NumPy's."""
    rng = np.random.default_rng(0)
    assert {sampling.whole(rng, (2, 4)) for _ in range(60)} == {2, 3, 4}


def test_picks_follow_the_weights() -> None:
    """A weight of zero is never picked; three times the weight is about three times as often."""
    rng = np.random.default_rng(0)
    picked = [sampling.pick(rng, {"a": 3.0, "b": 0.0, "c": 1.0}) for _ in range(2000)]
    assert "b" not in picked
    assert picked.count("a") / picked.count("c") == pytest.approx(3, rel=0.2)


def test_a_chance_always_takes_one_draw() -> None:
    """So that a share never shifts what follows."""
    first, second = np.random.default_rng(0), np.random.default_rng(0)
    assert [sampling.chance(first, 0.0), sampling.chance(second, 1.0)] == [False, True]
    assert first.random() == second.random()


@given(seeds, st.floats(0.01, 1.0), st.floats(0.0, 1.0))
@settings(max_examples=40)
def test_a_tint_is_a_colour_of_the_wanted_lightness(seed: int, lightness: float, saturation: float) -> None:
    """Its largest channel is the lightness, its smallest falls short of it by the saturation."""
    colour = sampling.tint(np.random.default_rng(seed), (lightness, lightness), (saturation, saturation))
    assert max(colour) == pytest.approx(lightness, abs=1e-4)
    assert min(colour) == pytest.approx(lightness * (1 - saturation), abs=1e-4)


def test_emphasis_multiplies_the_weights_of_classes() -> None:
    """Those without emphasis stay."""
    assert sampling.emphasised({"a": 2.0, "b": 1.0}, {"a": 3.0, "z": 9.0}) == {"a": 6.0, "b": 1.0}


@pytest.mark.parametrize(
    "wrong", ["12", None, 3, [1], [1, 2, 3], [2, 1], [float("nan"), 1], [0, 11], ["1", "2"], [True, 2]]
)
def test_what_is_no_range_within_the_bounds_is_refused(wrong: Any) -> None:
    """Field, what was got, what was expected."""
    with pytest.raises(ValueError, match=r"width: got .*, expected \[low, high\] with 0 <= low <= high <= 10"):
        sampling.checked_span("width", wrong, 0, 10)


@pytest.mark.parametrize("wrong", ["0.5", None, True, -0.1, 1.1, float("nan")])
def test_what_is_no_share_is_refused(wrong: Any) -> None:
    """Field, what was got, what was expected."""
    with pytest.raises(ValueError, match=r"part: got .*, expected a share from 0 to 1"):
        sampling.checked_share("part", wrong)


@pytest.mark.parametrize(
    "wrong",
    [None, "a", ["a"], {}, {"z": 1.0}, {"a": 0.0}, {"a": -1.0}, {"a": float("nan")}, {"a": float("inf")}, {"a": "1"}],
)
def test_what_are_no_weights_of_known_choices_is_refused(wrong: Any) -> None:
    """Field, what was got, what was expected."""
    with pytest.raises(ValueError, match=r"kinds: got .*, expected weights >= 0, not all zero, of a, b"):
        sampling.checked_weights("kinds", wrong, ("a", "b"))


def test_weights_come_in_the_order_of_the_choices_whatever_the_configuration_says() -> None:
    """Two configurations that mean the same draw the same."""
    assert list(sampling.checked_weights("kinds", {"b": 1, "a": 2}, ("a", "b"))) == ["a", "b"]
