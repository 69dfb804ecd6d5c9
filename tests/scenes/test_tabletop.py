"""The tabletop pack plans pictures without Blender, and what it drops lies on the table and in the bin."""

import dataclasses
import functools
import json
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from factory.core.seeds import generator
from scenes.kit.sensor import SENSOR
from scenes.tabletop.bins import Bin
from scenes.tabletop.parts import PARTS, plan_part, solid
from scenes.tabletop.plan import MOST, Tabletop
from tests.scenes.rendering import render

CONF = Path(__file__).parents[2] / "conf/scene/tabletop.yaml"


def streams(index: int, seed: int = 0) -> Callable[[str], np.random.Generator]:
    """The random streams of one picture."""
    return lambda component: generator(seed, "scene", index, component)


def plans(scene: Tabletop, number: int = 30, emphasis: dict[str, float] | None = None) -> list[dict[str, Any]]:
    """Plans of the first pictures."""
    return [scene(streams(index), emphasis or {}) for index in range(number)]


def counts(made: list[dict[str, Any]]) -> Counter[str]:
    """How many parts of each class the pictures hold."""
    return Counter(part["class"] for plan in made for part in plan["parts"])


def test_a_plan_is_a_function_of_its_streams_and_survives_json() -> None:
    """The job file loses nothing, and the same seed gives the same plan."""
    for plan, again in zip(plans(Tabletop(), 8), plans(Tabletop(), 8), strict=True):
        assert json.loads(json.dumps(plan, allow_nan=False)) == again


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"lights": (3, 3)}, {"lights"}),
        ({"grounds": {"wood": 1.0}}, {"ground"}),
        ({"field_deg": (30, 30)}, {"camera"}),
        ({"ambient": (0.1, 0.1)}, {"room"}),
        ({"bin": Bin(enabled=False)}, {"bin", "parts", "distractors", "camera"}),
        ({"stand_share": 1.0}, {"parts"}),
    ],
)
def test_a_components_parameters_leave_the_other_components_alone(change: dict[str, Any], parts: set[str]) -> None:
    """Each component draws from its own stream, so that a change to one never shifts the randomness of another."""
    before, after = plans(Tabletop()), plans(Tabletop(**change))
    differing = {key for a, b in zip(before, after, strict=True) for key in a if a[key] != b[key]}
    assert differing <= parts | {"distractors"}
    assert differing & parts


def test_a_part_more_leaves_the_looks_of_the_others_alone() -> None:
    """Every part has a stream of its own."""
    few, many = (counts_by_name(plans(Tabletop(), 10, {"bolt": factor})) for factor in (1.0, 3.0))
    shared = few.keys() & many.keys()
    assert len(many) > len(few)
    assert [key for key in shared if few[key] != many[key]] == []


def counts_by_name(made: list[dict[str, Any]]) -> dict[tuple[int, str], Any]:
    """The looks of each part by picture and name, without where it falls."""
    return {(i, part["name"]): (part["shape"], part["surfaces"]) for i, p in enumerate(made) for part in p["parts"]}


@functools.cache
def usual_counts() -> Counter[str]:
    """How many of each class there are in 60 pictures of mixed parts where none is emphasised."""
    return counts(plans(Tabletop(sorted_share=0.0), 60))


@pytest.mark.parametrize("name", PARTS)
def test_emphasis_multiplies_how_many_of_a_class_there_are(name: str) -> None:
    """Three times as wanted, about three times as many, as long as they find room; never more than fit."""
    scene, usual = Tabletop(sorted_share=0.0), usual_counts()[name]
    wanted, unwanted = (counts(plans(scene, 60, {name: factor}))[name] for factor in (3.0, 0.1))
    assert 1.8 * usual < wanted < 4.2 * usual
    assert unwanted < 0.4 * usual
    assert max(len(plan["parts"]) for plan in plans(scene, 15, {name: 20.0})) <= 1.5 * MOST


def test_every_class_comes_in_every_bin_and_on_every_table() -> None:
    """None is forgotten."""
    for share in (0.0, 1.0):
        assert set(counts(plans(Tabletop(bin=Bin(share=share)), 40))) == set(PARTS)


@pytest.mark.parametrize("name", PARTS)
def test_what_is_seen_of_a_part_lies_in_what_falls(name: str) -> None:
    """So that parts cannot visibly pass through each other: at most two millimetres stick out of the hulls."""
    from scipy.spatial import ConvexHull

    for seed in range(20):
        part = plan_part(name, np.random.default_rng(seed))
        form = solid(part)
        seen = np.concatenate([mesh.vertices for mesh, _ in form.parts])
        sides = ConvexHull(np.concatenate(form.hulls)).equations
        assert (seen @ sides[:, :3].T + sides[:, 3]).max() < 0.002
        assert np.linalg.norm(seen - form.centre, axis=1).max() < 1.25 * part["reach"]
        assert all(faces.max() < len(mesh.vertices) for mesh, _ in form.parts for faces in mesh.faces)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"frame_mm": (0.5, 0.2)}, ["frame_mm", "[0.5, 0.2]", "low <= high"]),
        ({"parts": {"hammer": 1.0}}, ["parts", "hammer", "bolt"]),
        ({"stand_share": 2.0}, ["stand_share", "2.0", "0 to 1"]),
        ({"grounds": {"lava": 1.0}}, ["grounds", "lava", "wood"]),
    ],
)
def test_a_parameter_out_of_range_is_named_with_what_was_expected(change: dict[str, Any], words: list[str]) -> None:
    """The message names the field, what was got, and what was expected."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is what is tested
        Tabletop(**change)
    assert [word for word in words if word not in str(caught.value)] == []


def test_the_configuration_lists_every_parameter_with_its_default() -> None:
    """conf/scene/tabletop.yaml and the dataclass say the same."""
    stated = yaml.safe_load(CONF.read_text())
    assert stated.pop("_target_") == "scenes.tabletop.plan.Tabletop"
    assert stated["bin"].pop("_target_") == "scenes.tabletop.bins.Bin"
    stated["bin"] = Bin(**stated["bin"])
    elsewhere = {*SENSOR, "distractors", "backgrounds"}
    stated.pop("defaults")
    assert {*stated, *elsewhere} == {field.name for field in dataclasses.fields(Tabletop)}
    assert Tabletop(**stated) == Tabletop()


@pytest.mark.blender
def test_parts_come_to_rest_in_the_same_poses_in_another_process(tmp_path: Path) -> None:
    """Same plan, same pixels, whatever was dropped before; masks agree by two routes; nothing leaves its bin."""
    table, full = Tabletop(bin=Bin(share=0.0), count=(8, 8)), Tabletop(bin=Bin(share=1.0, count=(20, 20)))
    made = [table(streams(3), {}), full(streams(4), {})]
    first, second = render(table, made, tmp_path / "a"), render(table, made[::-1], tmp_path / "b")[::-1]
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.instances, other.instances)
        assert one.story["differing"] == 0
    for frame, plan in zip(first, made, strict=True):
        assert len(set(np.unique(frame.class_ids)) - {0}) >= 3
        poses = np.array([row["pose"] for row in frame.story["objects"]])
        assert len(poses) <= len(plan["parts"])
        assert (np.abs(poses[:, :3, :3] @ poses[:, :3, :3].transpose(0, 2, 1) - np.eye(3)) < 1e-4).all()
        assert (poses[:, 2, 3] > -0.002).all()
    length, width, _ = made[1]["bin"]["size"]
    inside = np.array([row["pose"] for row in first[1].story["objects"]])[:, :2, 3]
    assert (np.abs(inside) < (length / 2 + 0.05, width / 2 + 0.05)).all()


def where(part: dict[str, Any], plan: dict[str, Any]) -> tuple[float, float]:
    """Where a part falls, by the middle of its bin."""
    x, y = [(0.0, 0.0), *plan["bin"]["beside"]][part.get("bin", 0)] if plan["bin"] else (0.0, 0.0)
    return part["at"][0] + x, part["at"][1] + y


@pytest.mark.parametrize("bins", [Bin(enabled=False), Bin(share=1.0, tilt_deg=(0, 0))])
@pytest.mark.parametrize("ratio", [16 / 9, 9 / 16, 3.0])
def test_parts_fall_up_to_the_ends_of_wide_and_tall_pictures(ratio: float, bins: Bin) -> None:
    """Seen from straight above: an outer eighth of the longer side gets at least a third of what a middle one does."""
    scene, longer, shares = Tabletop(bin=bins), max(ratio, 1 / ratio), []
    for index in range(60):
        plan = scene(streams(index), {}, ratio)
        turn = math.radians(plan["camera"]["azimuth_deg"] + plan["camera"]["roll_deg"] + 90 * (ratio < 1))
        for x, y in (where(part, plan) for part in plan["parts"]):
            if abs(y * math.cos(turn) - x * math.sin(turn)) < plan["frame"] / 2:
                shares.append(abs(x * math.cos(turn) + y * math.sin(turn)) / plan["frame"] / (longer / 2))
    outer, middle = (sum(low <= share < high for share in shares) for low, high in ((0.75, 1.0), (0.0, 0.25)))
    assert outer > middle / 3


def test_bins_beside_each_other_never_touch_and_are_no_more_than_wide_pictures_show() -> None:
    """Each has parts of its own, under streams of their own, and as many as a single one."""
    scene = Tabletop(bin=Bin(share=1.0, count=(20, 20)))
    for index in range(30):
        plan, usual = (scene(streams(index), {}, ratio) for ratio in (4.0, 1.0))
        (length, width, _), wall = plan["bin"]["size"], plan["bin"]["wall"]
        middles = np.array([(0.0, 0.0), *plan["bin"]["beside"]])
        away = np.abs(middles[:, None] - middles) - (length + 2 * wall, width + 2 * wall)
        assert (away.max(-1)[~np.eye(len(middles), dtype=bool)] > 0).all()
        assert 2 <= len(middles) <= 7
        assert len(plan["parts"]) < 2 * len(middles) * max(len(usual["parts"]), 10)
        assert {part.get("bin", 0) for part in plan["parts"]} == set(range(len(middles)))
        assert len({part["name"] for part in plan["parts"]}) == len(plan["parts"])
        assert len({tuple(thing["fall_turn"]) for thing in plan["distractors"]}) == len(plan["distractors"])


@pytest.mark.blender
@pytest.mark.slow
def test_every_bin_of_a_wide_picture_keeps_its_parts(tmp_path: Path) -> None:
    """What fell into a bin lies in it, and parts are seen in the outer quarters of the picture's length."""
    scene = Tabletop(bin=Bin(share=1.0, count=(12, 12), tilt_deg=(0, 0), length=(0.9, 0.9)), frame_mm=(250, 250))
    plan = scene(streams(4), {}, 3.0) | {"sensor": {}, "distractors": []}
    plan["camera"] |= {"azimuth_deg": 0.0, "roll_deg": 0.0}
    plan["bin"]["beside"] = [[-0.27, 0.0], [0.27, 0.0]]
    plan["parts"] = [part | {"bin": index % 3} for index, part in enumerate(plan["parts"][:30])]
    (frame,) = render(scene, [plan], tmp_path / "frames", width=192)
    assert frame.story["differing"] == 0
    at = np.array([row["pose"] for row in frame.story["objects"]])[:, :2, 3]
    length, width, _ = plan["bin"]["size"]
    own = np.abs(at[:, None] - [(0.0, 0.0), (-0.27, 0.0), (0.27, 0.0)]) < (length / 2 + 0.05, width / 2 + 0.05)
    assert own.all(-1).any(-1).all()
    assert all((frame.class_ids[:, columns] > 0).sum() > 20 for columns in (slice(0, 48), slice(144, 192)))
