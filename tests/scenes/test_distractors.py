"""Things that are none of the classes: how many, how large, where, and their shapes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.core.seeds import generator
from scenes.kit.distractors import SHAPES, Distractors, shape
from scenes.kit.strip import Strip


def streams(index: int) -> Callable[[str], np.random.Generator]:
    """The random streams of one picture."""
    return lambda component: generator(0, "scene", index, component)


def test_plans_are_repeatable_and_survive_json() -> None:
    """Plain finite values."""
    part = Distractors(count=(3, 3))
    plan = part.plan(streams(0), frame_m=0.2)
    assert plan == part.plan(streams(0), frame_m=0.2) == json.loads(json.dumps(plan, allow_nan=False))
    assert plan != part.plan(streams(1), frame_m=0.2)


def test_number_size_and_place_are_those_asked_for() -> None:
    """Sizes and places in shares of the frame, whatever it measures."""
    part, numbers = Distractors(count=(1, 4), size=(0.05, 0.1)), set()
    for index in range(40):
        plan = part.plan(streams(index), frame_m=0.5, reach=0.4)
        numbers.add(len(plan))
        for thing in plan:
            assert 0.025 - 1e-6 <= thing["size"] <= 0.05 + 1e-6
            assert max(abs(thing["x"]), abs(thing["y"])) <= 0.2
    assert numbers == {1, 2, 3, 4}


def test_wide_pictures_have_more_all_along_their_longer_side() -> None:
    """Twice as many for twice the length; no farther aside than usual."""
    part, strip = Distractors(count=(4, 4)), Strip(extra=0.6, turn=np.pi / 2)
    made = [part.plan(streams(index), frame_m=0.5, strip=strip) for index in range(40)]
    assert {len(plan) for plan in made} == {8}
    aside, along = (np.abs([thing[axis] for plan in made for thing in plan]) / 0.5 for axis in "xy")
    assert aside.max() <= 0.6
    assert along.max() <= 1.2
    assert (along > 0.9).sum() > (along < 0.3).sum() / 2


def test_more_things_leave_the_first_ones_alone() -> None:
    """Each has a stream of its own."""
    few, many = (Distractors(count=(n, n)).plan(streams(0), frame_m=1.0) for n in (2, 7))
    assert many[:2] == few


def test_switched_off_there_are_none() -> None:
    """And nothing is drawn."""

    def refused(name: str) -> np.random.Generator:
        raise AssertionError(name)

    assert Distractors(enabled=False, count=(5, 5)).plan(refused, frame_m=1.0) == []


@given(st.sampled_from(SHAPES), st.floats(0.001, 1.0), st.floats(0.35, 1.0), st.integers(0, 2**31 - 2))
@settings(max_examples=60, deadline=None)
def test_every_shape_lies_on_the_ground_and_is_no_larger_than_planned(
    name: str, size: float, stretch: float, seed: int
) -> None:
    """Only pebbles sink in, by less than a quarter of their width (0.3 * 1.1 ** 4 - 0.2)."""
    mesh = shape({"shape": name, "size": size, "stretch": stretch, "seed": seed})
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    assert np.isfinite(mesh.vertices).all()
    assert low[2] >= -1e-9 - (0.25 * size * stretch if name == "pebble" else 0)
    assert (high - low).max() <= 1.5 * size
    assert high[2] > 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"count": (0, 61)}, r"count: got \[0, 61\], expected .* <= 60"),
        ({"count": (4, 2)}, r"count: got \[4, 2\]"),
        ({"size": (0.0, 0.1)}, r"size: got \[0, 0\.1\], expected .* with 0\.001 <= low"),
        ({"size": 0.1}, r"size: got 0\.1, expected \[low, high\]"),
    ],
)
def test_a_value_out_of_range_is_named(change: dict[str, Any], words: str) -> None:
    """Field, what was got, what was expected."""
    with pytest.raises(ValueError, match=words):
        Distractors(**change)
