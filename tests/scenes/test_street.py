"""The street pack plans pictures without Blender: purely, each component by itself, and laid out as streets are."""

import dataclasses
import functools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from factory.core.seeds import generator
from scenes.kit.sampling import Streams
from scenes.kit.sensor import SENSOR
from scenes.street import vehicles
from scenes.street.cars import Cars
from scenes.street.classes import BUILDING, CLASSES, ROAD, SKY
from scenes.street.clutter import Clutter
from scenes.street.fences import Fences
from scenes.street.markings import Markings
from scenes.street.path import Path as Course
from scenes.street.path import path_of
from scenes.street.people import Bicyclists, Pedestrians
from scenes.street.plan import Street
from scenes.street.poles import Poles
from scenes.street.road import Junctions, Road, is_open
from scenes.street.signs import Signs
from scenes.street.solids import pierced
from scenes.street.trees import Trees
from tests.scenes.rendering import render

CONF = Path(__file__).parents[2] / "conf/scene/street.yaml"


def streams(index: int, seed: int = 0) -> Streams:
    """The random streams of one picture."""
    return lambda component: generator(seed, "scene", index, component)


def plans(scene: Street, number: int = 12, emphasis: dict[str, float] | None = None) -> list[dict[str, Any]]:
    """Plans of the first pictures."""
    return [scene(streams(index), emphasis or {}) for index in range(number)]


def test_a_plan_is_a_function_of_its_streams_and_survives_json() -> None:
    """The job file loses nothing, and neither the index nor the seed is ignored."""
    scene = Street()
    one = scene(streams(3), {})
    assert one == scene(streams(3), {}) == json.loads(json.dumps(one, allow_nan=False))
    assert len({json.dumps(plan) for plan in (one, scene(streams(4), {}), scene(streams(3, seed=1), {}))}) == 3


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"markings": Markings(enabled=False)}, {"markings"}),
        ({"fences": Fences(enabled=False)}, {"fences"}),
        ({"trees": Trees(enabled=False)}, {"trees"}),
        ({"poles": Poles(enabled=False)}, {"poles"}),
        ({"signs": Signs(enabled=False)}, {"signs"}),
        ({"clutter": Clutter(enabled=False)}, {"clutter"}),
        ({"pedestrians": Pedestrians(enabled=False)}, {"pedestrians"}),
        ({"bicyclists": Bicyclists(enabled=False)}, {"bicyclists"}),
        ({"cars": Cars(enabled=False)}, {"cars", "pedestrians", "bicyclists"}),
        ({"pitch_deg": (0.0, 0.0)}, {"camera"}),
        ({"road": Road(driving={"right": 1.0})}, {"road", "camera"}),
    ],
)
def test_a_component_switched_off_leaves_the_others_as_they_were(change: dict[str, Any], parts: set[str]) -> None:
    """Each draws from streams of its own. Without cars, only those who would have stood inside one are added."""
    before, after = plans(Street()), plans(Street(**change))
    differing = {key for a, b in zip(before, after, strict=True) for key in a if a[key] != b[key]}
    assert differing <= parts
    assert differing & parts
    for a, b in zip(before, after, strict=True):
        if "cars" in change:
            assert all(one in b[name] for name in ("pedestrians", "bicyclists") for one in a[name])


def test_side_streets_only_take_away_what_would_stand_in_their_mouths() -> None:
    """What stands beside them stands as it did."""
    without = Street(junctions=Junctions(enabled=False))
    for a, b in zip(plans(Street()), plans(without), strict=True):
        assert all(one in b[name] for name in ("poles", "signs", "clutter") for one in a[name])
        assert b["road"]["left"]["openings"] == b["road"]["right"]["openings"] == []


def test_more_people_leave_the_first_ones_alone() -> None:
    """Every individual has a stream of its own."""
    few, many = (
        Street(cars=Cars(enabled=False), pedestrians=Pedestrians(groups=(n, n)))(streams(5), {}) for n in (2, 5)
    )
    assert len(few["pedestrians"]) < len(many["pedestrians"])
    assert many["pedestrians"][: len(few["pedestrians"])] == few["pedestrians"]


def _open_sides(plan: dict[str, Any]) -> int:
    return sum(plan["road"][side]["place"] == "open" for side in ("left", "right"))


def _barriers(plan: dict[str, Any]) -> float:
    return sum(fence["to"] - fence["from"] for fence in plan["fences"])


AMOUNTS: dict[str, Callable[[dict[str, Any]], float]] = {
    "sky": _open_sides,
    "building": lambda plan: len(plan["buildings"]),
    "pole": lambda plan: len(plan["poles"]),
    "road": lambda plan: plan["road"]["lanes"],
    "pavement": lambda plan: plan["road"]["left"]["pavement"],
    "tree": lambda plan: len(plan["trees"]["trees"]),
    "sign": lambda plan: len(plan["signs"]),
    "fence": _barriers,
    "car": lambda plan: len(plan["cars"]),
    "pedestrian": lambda plan: len(plan["pedestrians"]),
    "bicyclist": lambda plan: len(plan["bicyclists"]),
}


@functools.cache
def usual() -> list[dict[str, Any]]:
    """Streets of which no class is emphasised."""
    return plans(Street(), 25)


@pytest.mark.parametrize("name", [name for name, _ in CLASSES])
def test_emphasis_brings_more_of_a_class_and_little_emphasis_less(name: str) -> None:
    """A quota that lacks a class gets more of it."""
    rare, many = (sum(AMOUNTS[name](plan) for plan in plans(Street(), 25, {name: factor})) for factor in (0.1, 4))
    assert rare < sum(AMOUNTS[name](plan) for plan in usual()) < many


def test_a_wanted_class_is_in_every_picture_and_nearer() -> None:
    """Small things get pixels when they are lacking."""
    wanted = plans(Street(), 25, {"bicyclist": 20.0, "pedestrian": 20.0})
    for name in ("bicyclists", "pedestrians"):
        away = [np.mean([one["s"] for plan in found for one in plan[name]]) for found in (usual(), wanted)]
        assert away[1] < 0.7 * away[0]
        assert all(plan[name] for plan in wanted)


def test_cars_do_not_overlap_and_nobody_stands_inside_one() -> None:
    """No two middles are nearer than two half widths."""
    for plan in plans(Street(), 20, {"car": 5.0}):
        cars = plan["cars"]
        for number, car in enumerate(cars):
            width = vehicles.size(car["body"])[1]
            rest = [*cars[number + 1 :], *plan["pedestrians"], *plan["bicyclists"]]
            assert all(math.hypot(car["s"] - one["s"], car["t"] - one["t"]) > width / 2 for one in rest)


def test_nothing_stands_in_the_mouth_of_a_side_street() -> None:
    """Poles, signs and clutter leave it free."""
    for plan in plans(Street(junctions=Junctions(count=(8, 8)))):
        for one in [*plan["poles"], *plan["signs"], *plan["clutter"]]:
            assert not is_open(plan["road"]["left" if one["t"] < 0 else "right"], one["s"])


def test_traffic_on_the_right_is_the_mirror_image() -> None:
    """Same street, mirrored: places and angles, and the camera with them."""
    left, right = (Street(road=Road(driving={side: 1.0}))(streams(2), {}) for side in ("left", "right"))
    assert right["camera"]["at"][0] == -left["camera"]["at"][0]
    (x, y), turn = path_of(left["road"]).pose(30.0, 4.0, 0.3)
    assert path_of(right["road"]).pose(30.0, 4.0, 0.3) == ([-x, y], -turn)


def test_a_straight_path_is_where_it_says_and_a_bent_one_keeps_its_length() -> None:
    """Metres along the path are metres."""
    x, y = Course(1e-9, 10.0, 0.0, mirrored=False).at(np.array([0.0, 50.0]), np.array([2.0, -3.0]))
    assert np.allclose(x, [2, -3])
    assert np.allclose(y, [0, 50], atol=1e-6)
    x, y = Course(0.01, 10.0, 1.0, mirrored=False).at(np.linspace(0, 100, 401), 0.0)
    assert np.hypot(np.diff(x), np.diff(y)).sum() == pytest.approx(100, rel=2e-3)
    assert x[-1] < -20


def test_a_pierced_wall_lacks_exactly_its_holes() -> None:
    """The area of wall in the front plane is the whole less the panes."""
    wall, glazing = pierced(10.0, 6.0, [(1, 1, 2, 3), (4, 1, 5, 3), (1, 4, 2, 5)], 0.1)
    corners = wall.vertices.reshape(-1, 4, 3)
    front = corners[(corners[..., 1] == 0).all(1)]
    sides = (front[:, 1, 0] - front[:, 0, 0]) * (front[:, 2, 2] - front[:, 1, 2])
    assert sides.sum() == pytest.approx(60 - 5)
    assert len(glazing.faces[0]) == 3


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Street(pitch_deg=(3, 1)), ["pitch_deg", "[3, 1]", "low <= high"]),
        (lambda: Road(places={"canal": 1.0}), ["places", "canal", "terrace"]),
        (lambda: Road(driving={"left": 0.0}), ["driving", "not all zero"]),
        (lambda: Cars(near_m=-1), ["near_m", "-1", "4 to 100"]),
        (lambda: Cars(near_m=20, far_m=10), ["far_m", "10", "20 to 170"]),
        (lambda: Trees(bare_share=2), ["bare_share", "2", "0 to 1"]),
        (lambda: Signs(plates={"stop": 1}), ["plates", "stop", "warning"]),
    ],
)
def test_a_parameter_out_of_range_is_named_with_what_was_expected(make: Callable[[], object], words: list[str]) -> None:
    """The message names the field, what was got, and what was expected."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is what is tested
        make()
    assert [word for word in words if word not in str(caught.value)] == []


def test_the_configuration_lists_every_parameter_with_its_default() -> None:
    """conf/scene/street.yaml and the dataclasses say the same; the sensor has a file of its own, save two ranges."""
    stated = yaml.safe_load(CONF.read_text())
    assert stated.pop("_target_") == "scenes.street.plan.Street"
    assert stated.pop("defaults") == [{"/sensor@_here_": "dashcam"}, "_self_"]
    assert set(stated) & set(SENSOR) == {"exposure", "tone"}
    assert {*stated, *SENSOR} == {field.name for field in dataclasses.fields(Street)}
    for name, value in stated.items():
        if name in SENSOR:
            continue
        part, given = getattr(Street(), name), dict(value) if isinstance(value, dict) else value
        if isinstance(given, dict):
            assert given.pop("_target_") == f"{type(part).__module__}.{type(part).__name__}"
            assert set(given) == {field.name for field in dataclasses.fields(part)}
            assert type(part)(**given) == part
        else:
            assert (tuple(given) if isinstance(given, list) else given) == part


@pytest.mark.blender
def test_a_street_renders_with_exact_masks(tmp_path: Path) -> None:
    """Masks agree by two routes; sky is above buildings, buildings are above the road; things have instances."""
    scene = Street(sky=dataclasses.replace(Street().sky, kinds={"sun": 1.0}))
    everything = dict.fromkeys(("car", "pedestrian", "bicyclist", "sign", "pole", "fence"), 3.0)
    frames = render(scene, [scene(streams(0), everything), scene(streams(1), {})], tmp_path / "frames")
    rows = [
        [np.nonzero(frame.class_ids == class_id)[0].mean() for class_id in (SKY, BUILDING, ROAD)] for frame in frames
    ]
    assert all(row == sorted(row) for row in rows)
    assert [frame.story["differing"] for frame in frames] == [0, 0]
    assert len(np.unique(frames[0].class_ids)) >= 9
    assert {row["class_id"] for row in frames[0].story["objects"]} <= {2, 6, 8, 9, 10}
