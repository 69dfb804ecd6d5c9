"""The coins pack plans pictures without Blender: purely, within its ranges, each component by itself."""

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from factory.core.seeds import generator
from scenes.coins.plan import Coins
from scenes.kit.distractors import Distractors
from scenes.kit.sensor import SENSOR, Film, Noise

CONF = Path(__file__).parents[2] / "conf/scene/coins.yaml"


def streams(index: int, seed: int = 0) -> Callable[[str], np.random.Generator]:
    """The random streams of one picture."""
    return lambda component: generator(seed, "scene", index, component)


def plans(scene: Coins, number: int = 30) -> list[dict[str, Any]]:
    """Plans of the first pictures."""
    return [scene(streams(index), {}) for index in range(number)]


def test_same_seed_and_index_give_the_same_plan() -> None:
    """A plan is a pure function of its streams."""
    assert Coins()(streams(3), {}) == Coins()(streams(3), {})


def test_other_indexes_and_seeds_give_other_plans() -> None:
    """Neither the index nor the seed is ignored."""
    scene = Coins()
    assert (
        len(
            {json.dumps(plan) for plan in [scene(streams(0), {}), scene(streams(1), {}), scene(streams(0, seed=1), {})]}
        )
        == 3
    )


def test_a_plan_survives_json_unchanged() -> None:
    """Plans hold plain numbers, strings, lists and dicts only: the job file loses nothing."""
    assert all(plan == json.loads(json.dumps(plan, allow_nan=False)) for plan in plans(Coins()))


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"lights": (3, 3), "light_warmth": 0.0}, {"lights", "ambient"}),
        ({"grounds": {"wood": 1.0}}, {"ground"}),
        ({"tilt_deg": (0, 0)}, {"camera"}),
        ({"noise": Noise(enabled=False), "film": Film(grey_share=1.0)}, {"sensor"}),
        ({"distractors": Distractors(count=(9, 9))}, {"distractors"}),
        ({"lift_share": 1.0}, {"lift"}),
        ({"metals": {"iron": 1.0}, "rows_share": 1.0}, {"coins", "distractors"}),
    ],
)
def test_a_components_parameters_leave_the_other_components_alone(change: dict[str, Any], parts: set[str]) -> None:
    """Each component draws from its own stream, so that a change to one never shifts the randomness of another."""
    before, after = plans(Coins()), plans(Coins(**change))
    differing = {key for a, b in zip(before, after, strict=True) for key in a if a[key] != b[key]}
    assert differing <= parts
    assert differing & parts


def test_more_coins_leave_the_looks_of_the_first_ones_alone() -> None:
    """Every coin has a stream of its own."""
    few, many = (Coins(rows_share=0, overlap_share=0, count=(n, n))(streams(5), {})["coins"] for n in (3, 6))
    placed = {"x", "y", "z", "radius"}
    looks = [[{k: v for k, v in coin.items() if k not in placed} for coin in coins[:3]] for coins in (few, many)]
    assert looks[0] == looks[1]


def test_coins_apart_do_not_overlap() -> None:
    """Without overlap, the middles of two coins are never nearer than their radii together."""
    for plan in plans(Coins(rows_share=0, overlap_share=0)):
        spots = np.array([(c["x"], c["y"], c["radius"]) for c in plan["coins"]])
        away = np.hypot(*(spots[:, None, :2] - spots[None, :, :2]).transpose(2, 0, 1))
        touching = away < spots[:, None, 2] + spots[None, :, 2] - 1e-6
        assert not (touching & ~np.eye(len(spots), dtype=bool)).any()


def test_overlapping_coins_are_stacked() -> None:
    """A coin that lies on another lies higher."""
    lying = [
        coin["z"] for plan in plans(Coins(rows_share=0, overlap_share=1, count=(18, 18))) for coin in plan["coins"]
    ]
    assert min(lying) == 0
    assert max(lying) > 0


def test_sizes_stay_within_the_asked_range() -> None:
    """Coin diameters are those asked for, relative to the frame, and no coin lies where no camera looks."""
    scene = Coins(diameter=(0.3, 0.4), size_spread=0.1, frame_mm=(60, 60))
    coins = [coin for plan in plans(scene) for coin in plan["coins"]]
    diameters = [2 * coin["radius"] / 0.06 for coin in coins]
    assert min(diameters) >= 0.3 * 0.9 - 1e-4
    assert max(diameters) <= 0.4 * 1.1 + 1e-4
    assert all(np.hypot(c["x"], c["y"]) <= 0.06 * scene.reach + c["radius"] + 1e-6 for c in coins)


def test_distractors_never_lie_inside_a_coin() -> None:
    """Pebbles are beside coins: a mask needs no judgement call."""
    for plan in plans(Coins(distractors=Distractors(count=(10, 10)))):
        for thing in plan["distractors"]:
            assert all(np.hypot(thing["x"] - c["x"], thing["y"] - c["y"]) > c["radius"] for c in plan["coins"])


def test_emphasis_scatters_more_coins() -> None:
    """A quota that is not met yet asks for them."""
    scene = Coins(rows_share=0, overlap_share=1, diameter=(0.1, 0.1))
    few, many = (sum(len(scene(streams(i), {"coin": by})["coins"]) for i in range(20)) for by in (1.0, 3.0))
    assert many > 1.5 * few


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"diameter": (0.5, 0.2)}, ["diameter", "[0.5, 0.2]", "low <= high"]),
        ({"diameter": 0.5}, ["diameter", "0.5", "[low, high]"]),
        ({"wear": (0.0, 1.5)}, ["wear", "1.5", "<= 1"]),
        ({"cast_share": 1.2}, ["cast_share", "1.2", "0 to 1"]),
        ({"cast_share": True}, ["cast_share", "True"]),
        ({"grounds": {"lava": 1.0}}, ["grounds", "lava", "cloth"]),
        ({"metals": {"iron": 0.0}}, ["metals", "not all zero"]),
        ({"reach": -1.0}, ["reach", "-1"]),
    ],
)
def test_a_parameter_out_of_range_is_named_with_what_was_expected(change: dict[str, Any], words: list[str]) -> None:
    """The message names the field, what was got, and what was expected."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is what is tested
        Coins(**change)
    assert [word for word in words if word not in str(caught.value)] == []


def test_the_configuration_lists_every_parameter_with_its_default() -> None:
    """conf/scene/coins.yaml and the dataclass say the same; the sensor and other components have files of their own."""
    stated = yaml.safe_load(CONF.read_text())
    assert stated.pop("_target_") == "scenes.coins.plan.Coins"
    assert stated.pop("distractors") == {"shapes": {"ball": 0.0, "cone": 0.0, "ring": 0.0}}
    inherited = {key.split("@")[1] for entry in stated.pop("defaults")[1:3] for key in entry}
    assert {*stated, *SENSOR, *inherited} == {field.name for field in dataclasses.fields(Coins)}
    assert Coins(**stated) == Coins()


def test_a_range_of_lamps_that_are_no_whole_numbers_means_the_whole_ones_within() -> None:
    """As every other range of numbers: between 1.2 and 2.8 lie two."""
    assert {len(plan["lights"]) for plan in plans(Coins(lights=(1.2, 2.8)))} == {2}


@pytest.mark.parametrize("rows_share", [0.0, 1.0])
@pytest.mark.parametrize("ratio", [16 / 9, 9 / 16, 3.0])
def test_coins_reach_the_ends_of_wide_and_tall_pictures(ratio: float, rows_share: float) -> None:
    """Seen from straight above: an outer eighth of the longer side holds at least a third of what a middle one does."""
    scene, longer = Coins(rows_share=rows_share, tilt_deg=(0.0, 0.0)), max(ratio, 1 / ratio)
    shares = []
    for index in range(40):
        plan = scene(streams(index), {}, ratio)
        turn = math.radians(plan["camera"]["azimuth_deg"] + plan["camera"]["roll_deg"])
        for coin in plan["coins"]:
            x, y = (value / plan["ground"]["frame"] for value in (coin["x"], coin["y"]))
            across, up = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
            along, aside = (across, up) if ratio > 1 else (up, across)
            if abs(aside) < 0.5:
                shares.append(abs(along) / (longer / 2))
    outer, middle = (sum(low <= share < high for share in shares) for low, high in ((0.75, 1.0), (0.0, 0.25)))
    assert outer > middle / 3
