"""What may vary: every form of the command line, and every slip in one."""

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.core.errors import ConfigError
from factory.tune.space import Choices, Numbers, numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("log:1e-5:1e-2", Numbers(low=1e-5, high=1e-2, log=True)),
        ("float:0:0.6", Numbers(low=0, high=0.6)),
        ("float:0:0.6:0.2", Numbers(low=0, high=0.6, step=0.2)),
        ("int:2:8", Numbers(low=2, high=8, whole=True)),
        ("int:2:8:2", Numbers(low=2, high=8, step=2, whole=True)),
        ("logint:16:256", Numbers(low=16, high=256, log=True, whole=True)),
        ("ce,dice", None),
        ("a:b", None),
    ],
)
def test_ranges_are_read_as_written_and_other_text_is_left(text: str, expected: Numbers | None) -> None:
    """Choices are not this function's to read."""
    assert numbers(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("log:0:1", "begins above 0"),
        ("log:-1:1", "begins above 0"),
        ("float:1:1", "lower to a higher"),
        ("int:3:2", "lower to a higher"),
        ("float:0:inf", "lower to a higher"),
        ("float:nan:1", "lower to a higher"),
        ("int:0.5:2", "whole ends"),
        ("int:0:4:0.5", "whole ends"),
        ("int:0:5:2", "whole steps"),
        ("float:0:1:0.3", "whole steps"),
        ("float:0:1:-0.5", "whole steps"),
        ("float:0:1:0", "whole steps"),
        ("float:0:1:1e-300", "steps are too small"),
        ("int:0:1e20", "too large to be told apart"),
        ("log:1:2:3", "not a range"),
        ("log:1", "not a range"),
        ("float:0:1:0.1:7", "not a range"),
        ("float:zero:1", "not a number"),
    ],
)
def test_a_slip_in_a_range_is_named(text: str, said: str) -> None:
    """Before anything is drawn."""
    with pytest.raises(ConfigError, match=said):
        numbers(text)


@pytest.mark.parametrize("text", ["int:0:1000000", "float:0:1:1e-6"])
def test_what_is_too_much_to_be_gone_through_is_not_counted(text: str) -> None:
    """A seed may be any of thousands of millions: to list them all took all the memory there was."""
    span = numbers(text)
    assert span is not None
    assert span.values is None
    assert span.holds(span.low + (span.high - span.low) / 4)
    assert not span.holds(span.low + (span.step or 1) / 2)


@pytest.mark.parametrize("text", ["log:1e-05:0.01", "float:0.0:0.6:0.2", "int:2:8:2", "int:2:8", "logint:16:256"])
def test_a_range_reads_as_it_is_written(text: str) -> None:
    """Whoever is told of another study sees the words that made it."""
    assert str(numbers(text)) == text


@pytest.mark.parametrize("words", [(), ("a",), ("a", "a")])
def test_one_choice_is_none(words: tuple[str, ...]) -> None:
    """Nor are two equal ones."""
    with pytest.raises(ConfigError, match="two or more"):
        Choices(words=words)


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9), st.floats(0, 1), st.booleans())
def test_a_word_never_leaves_its_range(one: float, other: float, share: float, log: bool) -> None:
    """However its ends are rounded: the ends are the user's."""
    low, high = sorted((one, other))
    if low < high:
        span = Numbers(low=low, high=high, log=log)
        assert low <= float(span.word(low + share * (high - low))) <= high
        assert [float(word) for word in span.corners] == [low, high]


@given(st.integers(-50, 50), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_what_is_drawn_is_low_plus_whole_steps(low: int, step: int, count: int, seed: int) -> None:
    """Whole numbers stay whole words."""
    span = Numbers(low=low, high=low + step * count, step=step, whole=True)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    trial = study.ask()
    span.suggest(trial, "key")
    word = span.word(trial.params["key"])
    assert (int(word) - low) % step == 0
    assert low <= int(word) <= low + step * count
