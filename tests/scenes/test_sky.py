"""Skies come from their ranges, in possible colours, with light that fits them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from factory.core.seeds import generator
from scenes.kit import sky
from scenes.kit.sky import KINDS, Sky


def streams(index: int) -> Callable[[str], np.random.Generator]:
    """The random streams of one picture."""
    return lambda component: generator(0, "scene", index, component)


def plans(part: Sky, number: int = 60) -> list[dict[str, Any]]:
    """Skies of the first pictures."""
    return [part.plan(streams(index)) for index in range(number)]


def test_a_plan_is_repeatable_and_survives_json() -> None:
    """Plain finite values; the same for the same picture, another for the next."""
    assert plans(Sky()) == [json.loads(json.dumps(plan, allow_nan=False)) for plan in plans(Sky())]
    assert len({plan["seed"] for plan in plans(Sky())}) == 60


@pytest.mark.parametrize("variety", [0.0, 1.0])
def test_colours_are_shares_of_white(variety: float) -> None:
    """However varied: none is negative or shines brighter than a white sky."""
    for plan in plans(Sky(variety=variety)):
        assert all(0 <= channel <= 1 for name in ("horizon", "zenith") for channel in plan[name])
        assert 0 <= plan["azimuth_deg"] <= 360


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_stay_within_the_asked_ranges(kind: str) -> None:
    """Dusk has its own, low sun; an overcast sky hardly any, and a soft one."""
    part = Sky(kinds={kind: 1.0}, elevation_deg=(20, 40), sun=(2, 4), clouds=(0.2, 0.5))
    heights, strengths = (
        {"dusk": (2, 8)}.get(kind, (20, 40)),
        {"overcast": (0.1, 0.2), "dusk": (0.6, 1.2)}.get(kind, (2, 4)),
    )
    for plan in plans(part):
        assert plan["kind"] == kind
        assert heights[0] <= plan["elevation_deg"] <= heights[1]
        assert strengths[0] - 1e-6 <= plan["sun"] <= strengths[1] + 1e-6
        assert 0.2 <= plan["clouds"] <= 0.5
        assert (plan["softness_deg"] > 10) == (kind == "overcast")


def test_kinds_of_weight_zero_never_come() -> None:
    """And all others do."""
    assert {plan["kind"] for plan in plans(Sky(kinds={"sun": 1.0, "overcast": 1.0, "dusk": 0.0}))} == {
        "sun",
        "overcast",
    }


@pytest.mark.parametrize("azimuth", [0.0, 90.0, 200.0])
def test_the_suns_direction_is_a_unit_vector_at_its_height(azimuth: float) -> None:
    """Azimuth is anticlockwise from +x."""
    towards = sky._towards_sun({"azimuth_deg": azimuth, "elevation_deg": 30.0})
    assert np.linalg.norm(towards) == pytest.approx(1)
    assert towards[2] == pytest.approx(0.5)
    assert math.degrees(math.atan2(towards[1], towards[0])) % 360 == pytest.approx(azimuth)


def test_a_low_sun_is_warmer_and_no_colour_is_negative() -> None:
    """Red stays, blue goes first."""
    low, high = (sky._sunlight({"elevation_deg": height}) for height in (1.0, 90.0))
    assert low[0] == high[0] == 1.0
    assert 0 < low[2] < low[1] < 1
    assert high[2] > 0.9


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"elevation_deg": (0.0, 40.0)}, r"elevation_deg: got \[0, 40\], expected .* with 1 <= low"),
        ({"sun": (3.0, 1.0)}, r"sun: got \[3, 1\]"),
        ({"clouds": (0.0, 1.2)}, r"clouds: got \[0, 1\.2\]"),
        ({"variety": -0.1}, r"variety: got -0\.1, expected a share"),
        ({"kinds": {"fog": 1.0}}, r"kinds: got \{'fog': 1\.0\}, expected .* sun, overcast, dusk"),
    ],
)
def test_a_value_out_of_range_is_named(change: dict[str, Any], words: str) -> None:
    """Field, what was got, what was expected."""
    with pytest.raises(ValueError, match=words):
        Sky(**change)
