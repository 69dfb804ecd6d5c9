"""Crop rows and weeds: planned without Blender, each component and each plant by itself; leaves as meshes."""

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from factory.core.seeds import generator
from scenes.field.plan import Field
from scenes.field.plants import foliage
from scenes.field.relief import Relief
from scenes.field.soil import SOILS, Litter, Soil
from scenes.field.species import CROPS, WEEDS, plan_plant, plan_season
from scenes.kit.sensor import SENSOR
from scenes.kit.sky import Sky
from tests.scenes.rendering import render

CONF = Path(__file__).parents[2] / "conf/scene/field.yaml"


def streams(index: int, seed: int = 0) -> Callable[[str], np.random.Generator]:
    """The random streams of one picture."""
    return lambda component: generator(seed, "scene", index, component)


def plans(scene: Field, number: int = 20, emphasis: Mapping[str, float] | None = None) -> list[dict[str, Any]]:
    """Plans of the first pictures."""
    return [scene(streams(index), emphasis or {}) for index in range(number)]


def plant(table: dict[str, Any], kind: str, growth: float, seed: int = 0) -> dict[str, Any]:
    """One plant at a stage."""
    rng = np.random.default_rng(seed)
    return plan_plant(rng, kind=kind, table=table, growth=growth, season=plan_season(rng))


def test_a_plan_is_a_pure_function_of_its_streams_and_survives_json() -> None:
    """Same seed and index give the same plan, others another one, and the job file loses nothing."""
    scene, made = Field(), plans(Field())
    assert made == plans(scene)
    assert len({json.dumps(plan) for plan in [*made, scene(streams(0, seed=1), {})]}) == 21
    assert all(plan == json.loads(json.dumps(plan, allow_nan=False)) for plan in made)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"weed_density": (80, 80)}, {"weeds"}),
        ({"crops": {"maize": 1.0}, "gap_share": 0.5}, {"crops"}),
        ({"soil": Soil(kinds={"peat": 1.0}, clods=(0.5, 0.5))}, {"soil"}),
        ({"litter": Litter(enabled=False)}, {"litter"}),
        ({"sky": Sky(kinds={"dusk": 1.0})}, {"sky"}),
        ({"shade_share": 1.0}, {"shade"}),
        ({"roll_deg": (80, 90), "tilt_deg": (0, 0)}, {"camera"}),
        ({"row_spacing_m": (0.5, 0.5)}, {"crops", "soil"}),
    ],
)
def test_a_components_parameters_leave_the_other_components_alone(change: dict[str, Any], parts: set[str]) -> None:
    """Each component draws from its own stream, so that a change to one never shifts the randomness of another."""
    before, after = plans(Field()), plans(Field(**change))
    differing = {key for a, b in zip(before, after, strict=True) for key in a if a[key] != b[key]}
    assert differing == parts


def test_more_weeds_leave_the_first_ones_alone() -> None:
    """Every weed has a stream of its own, so has every place in a row."""
    few, many = (Field(clean_share=0, weed_density=(d, d))(streams(3), {})["weeds"] for d in (5, 20))
    assert few == many[: len(few)]
    assert len(many) > 2 * len(few)
    dense, gappy = (Field(bare_share=0, gap_share=g)(streams(3), {})["crops"] for g in (0.0, 0.4))
    assert all(crop in dense for crop in gappy)
    assert len(gappy) < len(dense)


def test_emphasis_brings_more_of_a_class() -> None:
    """A quota that is not met yet asks for denser weeds, or for fuller rows."""
    scene = Field(weed_density=(5, 5), bare_share=0.3, clean_share=0.3)
    for class_name, key in (("weed", "weeds"), ("crop", "crops")):
        usual, urgent = ([len(plan[key]) for plan in plans(scene, 40, by)] for by in ({}, {class_name: 4.0}))
        assert sum(urgent) > 1.5 * sum(usual)
        assert urgent.count(0) < usual.count(0)
        assert sum(len(plan[key]) for plan in plans(scene, 40, {class_name: 0.1})) <= sum(usual)


def test_crop_stands_in_rows_and_weeds_do_not() -> None:
    """Across the rows, crop lies near multiples of the spacing; weeds lie anywhere."""
    scene = Field(row_spacing_m=(0.5, 0.5), jitter=(0.03, 0.03), plant_spacing_m=(0.1, 0.1), bare_share=0)
    spread = {}
    for key in ("crops", "weeds"):
        phases = [np.exp(2j * np.pi * p["x"] / 0.5) for plan in plans(scene) if plan[key] for p in [*plan[key]]]
        sizes = [len(plan[key]) for plan in plans(scene)]
        groups = np.split(np.array(phases), np.cumsum(sizes)[:-1])
        spread[key] = np.mean([abs(group.mean()) for group in groups if len(group) > 5])
    assert spread["crops"] > 0.9
    assert spread["weeds"] < 0.6


def test_one_crop_grows_in_a_picture_and_several_weeds() -> None:
    """Fields are monocultures, weeds are not."""
    made = plans(Field(weed_density=(30, 30)))
    assert all(len({crop["kind"] for crop in plan["crops"]}) <= 1 for plan in made)
    assert np.mean([len({weed["kind"] for weed in plan["weeds"]}) for plan in made]) > 2
    assert {crop["kind"] for plan in made for crop in plan["crops"]} == set(CROPS)


@pytest.mark.parametrize(("table", "kind"), [(table, kind) for table in (CROPS, WEEDS) for kind in table])
def test_a_plant_grows_larger_and_leafier_and_stays_near_its_reach(table: dict[str, Any], kind: str) -> None:
    """From seed leaves to eight leaves; every vertex carries what the leaf's material reads."""
    young, old = (foliage(plant(table, kind, stage)) for stage in (0.0, 1.0))
    assert len(old.mesh.vertices) > 2 * len(young.mesh.vertices)
    assert np.ptp(old.mesh.vertices, 0)[:2].max() > 2 * np.ptp(young.mesh.vertices, 0)[:2].max()
    for stage, grown in ((0.0, young), (1.0, old)):
        points, reach = grown.mesh.vertices, plant(table, kind, stage)["reach"]
        assert np.hypot(*points[:, :2].T).max() < 2.2 * reach + 0.05
        assert np.isfinite(points).all()
        assert points[:, 2].min() > -0.6 * reach - 0.02
        assert {len(grown.across), len(grown.along), len(grown.tone)} == {len(points)}
        assert all(faces.max() < len(points) for faces in grown.mesh.faces)


def test_the_ground_is_rough_where_it_is_ploughed_and_low_where_a_wheel_went() -> None:
    """Clods raise it, tracks press it down, cracks darken it."""
    base = Soil(track_share=0.0, cracked_share=0.0).plan(streams(1), frame_m=1.0, ridge_m=0.5)
    base |= {"ridge": {"pitch": 0.5, "height": 0.0}, "moisture": 0.0}
    rolled, ploughed = (Relief(base | {"clods": by}) for by in (0.05, 0.9))
    assert ploughed.height.std() > 3 * rolled.height.std()
    track = {"x": 0.0, "width": 0.3, "depth": 0.03, "lug": 0.08}
    driven, dried = Relief(base | {"clods": 0.3, "track": track}), Relief(base | {"cracks": 1.0})
    assert driven.height[:, 440:520].mean() < driven.height[:, :200].mean() - 0.005
    assert np.quantile(dried.tone, 0.02) < 0.6 * np.quantile(ploughed.tone, 0.02)
    assert np.isfinite(driven.mesh().vertices).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"height_m": (3, 1)}, ["height_m", "[3, 1]", "low <= high"]),
        ({"crops": {"rye": 1.0}}, ["crops", "rye", "maize"]),
        ({"weed_density": (0, 5)}, ["weed_density", "[0.0, 5.0]", "above 0"]),
        ({"gap_share": 1.2}, ["gap_share", "1.2", "0 to 1"]),
    ],
)
def test_a_parameter_out_of_range_is_named_with_what_was_expected(change: dict[str, Any], words: list[str]) -> None:
    """The message names the field, what was got, and what was expected."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is what is tested
        Field(**change)
    assert [word for word in words if word not in str(caught.value)] == []


def test_soils_and_litter_out_of_range_are_named() -> None:
    """So do the parts of the pack."""
    with pytest.raises(ValueError, match=f"kinds.*lava.*{next(iter(SOILS))}"):
        Soil(kinds={"lava": 1.0})
    with pytest.raises(ValueError, match=r"straw.*\[5, 1\]"):
        Litter(straw=(5, 1))


def test_the_configuration_lists_every_parameter_with_its_default() -> None:
    """conf/scene/field.yaml and the dataclass say the same; the sensor's components have a file of their own."""
    stated = yaml.safe_load(CONF.read_text())
    assert stated.pop("_target_") == "scenes.field.plan.Field"
    stated = {key: value for key, value in stated.items() if key not in {*SENSOR, "defaults"}}
    for name, part in (("soil", Soil), ("litter", Litter), ("sky", Sky)):
        assert stated[name].pop("_target_") == f"{part.__module__}.{part.__name__}"
        stated[name] = part(**stated[name])
    assert {*stated, *SENSOR} == {field.name for field in dataclasses.fields(Field)}
    assert Field(**stated) == Field()


@pytest.mark.parametrize("class_name", ["crops", "weeds"])
@pytest.mark.parametrize("ratio", [16 / 9, 9 / 16, 3.0])
def test_plants_stand_up_to_the_ends_of_wide_and_tall_pictures(ratio: float, class_name: str) -> None:
    """Seen from straight above: an outer eighth of the longer side holds at least a third of what a middle one does."""
    scene, longer, shares = Field(tilt_deg=(0.0, 0.0)), max(ratio, 1 / ratio), []
    for index in range(40):
        plan = scene(streams(index), {}, ratio)
        turn = math.radians(plan["camera"]["azimuth_deg"] + plan["camera"]["roll_deg"] + 90 * (ratio < 1))
        for x, y in ((plant["x"] / plan["frame_m"], plant["y"] / plan["frame_m"]) for plant in plan[class_name]):
            if abs(y * math.cos(turn) - x * math.sin(turn)) < 0.5:
                shares.append(abs(x * math.cos(turn) + y * math.sin(turn)) / (longer / 2))
    outer, middle = (sum(low <= share < high for share in shares) for low, high in ((0.75, 1.0), (0.0, 0.25)))
    assert outer > middle / 3


def test_wide_pictures_hold_no_more_than_their_share_of_plants_and_litter() -> None:
    """However dense: as many times as much as they are wider, at most."""
    dense = Field(clean_share=0, bare_share=0, weed_density=(400, 500), plant_spacing_m=(0.04, 0.05))
    usual, wide = (dense(streams(1), {}, ratio) for ratio in (4 / 3, 4.0))
    for key in ("crops", "weeds"):
        assert 2 * len(usual[key]) < len(wide[key]) < 3 * len(usual[key])
    assert wide["litter"]["straw"] <= 3 * max(usual["litter"]["straw"], 1)


def test_the_ground_is_rough_wherever_it_is_seen() -> None:
    """The field grows with what is seen, its grain stays as fine, and heights are those of the mesh at the place."""
    soil = Soil(track_share=0.0, cracked_share=1.0).plan(streams(1), frame_m=1.0, ridge_m=0.5)
    usual, wide = Relief(soil), Relief(soil, seen=((-0.8, 2.3), (-1.4, 0.6)))
    assert usual.height.shape == (960, 960)
    assert wide.texel == usual.texel
    assert (wide.x.min(), wide.y.max()) == pytest.approx((-1.0, 1.0), abs=0.01)
    assert (wide.x.max(), wide.y.min()) == pytest.approx((2.3, -1.4), abs=0.05)
    outer = wide.height[:, 960:]
    assert 0.5 < outer.std() / usual.height.std() < 2
    x, y, z = wide.mesh().vertices.reshape(*wide.coarse.shape, 3)[40, 200]
    assert wide.at(x, y) == pytest.approx(z)


@pytest.mark.blender
def test_plants_are_green_where_they_are_labelled(tmp_path: Path) -> None:
    """Both routes to the mask agree, every visible plant is an instance, and leaves are greener than soil."""
    grown = {"crop_growth": (0.8, 0.8), "weed_growth": (0.7, 0.7), "weed_density": (30, 30)}
    scene = Field(height_m=(0.7, 0.7), clean_share=0, bare_share=0, **grown)
    plan = scene(streams(4), {}) | {"sensor": {}}
    (frame,) = render(scene, [plan], tmp_path / "frames", samples=4)
    assert frame.story["differing"] == 0
    assert set(np.unique(frame.class_ids)) == {0, 1, 2}
    rows = frame.story["objects"]
    assert 2 < len(rows) == len(np.unique(frame.instances)) - 1 <= len(plan["crops"]) + len(plan["weeds"])
    red, green, _ = np.moveaxis(frame.image.astype(float), -1, 0)
    leaves = frame.class_ids > 0
    assert (green - red)[leaves].mean() > 10 + (green - red)[~leaves].mean()
