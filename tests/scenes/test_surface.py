"""Surfaces with defects: planned without Blender, each component by itself; drawn so that picture and label agree."""

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
from scenes.kit.footprint import Footprint
from scenes.kit.sensor import SENSOR
from scenes.surface import defects, drawing, marks, part
from scenes.surface.canvas import TEXEL, TEXELS, Canvas
from scenes.surface.marks import Marks
from scenes.surface.plan import Surface
from tests.scenes.rendering import render

CONF = Path(__file__).parents[2] / "conf/scene/surface.yaml"

USUAL = Footprint(extra=0.0, turn=0.0, tilt=0.0, azimuth=0.0, distance=2.0)
"""That of pictures of up to 4:3."""


def streams(index: int, seed: int = 0) -> Callable[[str], np.random.Generator]:
    """The random streams of one picture."""
    return lambda component: generator(seed, "scene", index, component)


def plans(scene: Surface, number: int = 30, emphasis: Mapping[str, float] | None = None) -> list[dict[str, Any]]:
    """Plans of the first pictures."""
    return [scene(streams(index), emphasis or {}) for index in range(number)]


def kinds(made: list[dict[str, Any]]) -> list[str]:
    """Kinds of all defects in the plans."""
    return [defect["kind"] for plan in made for defect in plan["defects"]]


def test_a_plan_is_a_pure_function_of_its_streams_and_survives_json() -> None:
    """Same seed and index give the same plan, others another one, and the job file loses nothing."""
    scene, made = Surface(), plans(Surface())
    assert made == plans(scene)
    assert len({json.dumps(plan) for plan in [*made, scene(streams(0, seed=1), {})]}) == 31
    assert all(plan == json.loads(json.dumps(plan, allow_nan=False)) for plan in made)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"contrast": (0.2, 0.2)}, {"defects"}),
        ({"count": (5, 5), "free_share": 0.0}, {"defects"}),
        ({"marks": Marks(enabled=False)}, {"marks"}),
        ({"lights": {"dome": 1.0}, "light_distance": (2, 2)}, {"lighting"}),
        ({"shapes": {"wavy": 1.0}}, {"part"}),
        ({"unevenness": (0, 0)}, {"material"}),
        ({"tilt_deg": (0, 0), "roll_deg": (9, 9)}, {"camera"}),
        ({"materials": {"fabric": 1.0}}, {"material", "defects", "marks"}),
    ],
)
def test_a_components_parameters_leave_the_other_components_alone(change: dict[str, Any], parts: set[str]) -> None:
    """Each component draws from its own stream, so that a change to one never shifts the randomness of another."""
    before, after = plans(Surface()), plans(Surface(**change))
    differing = {key for a, b in zip(before, after, strict=True) for key in a if a[key] != b[key]}
    assert differing == parts


def test_more_defects_leave_the_first_ones_alone() -> None:
    """Every defect, and every mark, has a stream of its own."""
    few, many = (Surface(free_share=0, count=(n, n), marks=Marks(count=(n, n)))(streams(5), {}) for n in (2, 6))
    assert few["defects"] == many["defects"][:2]
    assert few["marks"] == many["marks"][:2]


def test_emphasis_brings_a_class_often_and_sound_pictures_rarely() -> None:
    """A quota that is not met yet asks for its class; one on the background asks for sound pictures."""
    scene = Surface(free_share=0.3)
    for wanted in defects.KINDS:
        usual, urgent = kinds(plans(scene, 60)), kinds(plans(scene, 60, {wanted: 20.0}))
        assert urgent.count(wanted) > 0.55 * len(urgent) > usual.count(wanted)
    sound = [
        sum(not plan["defects"] for plan in plans(scene, 60, by)) for by in ({"crack": 20.0}, {}, {"background": 9})
    ]
    assert sound[0] < 6 < sound[1] < 40 < sound[2]


def test_free_pictures_and_numbers_of_defects_are_those_asked_for() -> None:
    """All sound, none sound, and between the numbers asked for."""
    assert kinds(plans(Surface(free_share=1.0))) == []
    numbers = {len(plan["defects"]) for plan in plans(Surface(free_share=0.0, count=(2, 4)))}
    assert numbers == {2, 3, 4}


def test_fabric_frays_into_threads_and_stone_does_not() -> None:
    """Materials favour some defects and some forms of them."""
    cloth = plans(Surface(free_share=0, materials={"fabric": 1.0}))
    rock = plans(Surface(free_share=0, materials={"concrete": 1.0}))
    assert kinds(cloth).count("fray") > 2 * kinds(rock).count("fray")
    forms = [{d["form"] for plan in made for d in plan["defects"] if d["kind"] == "fray"} for made in (cloth, rock)]
    assert forms[0] == {"threads"}
    assert "threads" not in forms[1]


def test_defects_lie_on_the_part() -> None:
    """None is wasted beyond the edges of a part that ends within the picture."""
    signs = {"left": 1, "right": -1, "bottom": 1, "top": -1}
    for plan in plans(Surface(free_share=0, edge_share=1.0, count=(6, 6))):
        for side, end in plan["part"]["edges"].items():
            places = [defect["x" if side in ("left", "right") else "y"] for defect in plan["defects"]]
            assert min(signs[side] * (place - end) for place in places) >= 0


def _drawn(kind: str, seed: int, **change: Any) -> tuple[Canvas, dict[int, int]]:
    """One defect in the middle of an empty canvas."""
    plan = defects.plan_defect(
        np.random.default_rng(seed),
        kind=kind,
        material="tile",
        size=(0.2, 0.2),
        contrast=(1, 1),
        edges={},
        reach=0.1,
        footprint=USUAL,
    )
    canvas = Canvas()
    return canvas, drawing.draw(canvas, [plan | {"x": 0.0, "y": 0.0} | change])


@pytest.mark.parametrize("kind", defects.KINDS)
def test_what_is_labelled_looks_different_and_what_is_not_looks_the_same(kind: str) -> None:
    """Opacity above a half is the label; where there is no opacity, nothing of the surface changes."""
    for seed in range(4):
        canvas, classes = _drawn(kind, seed)
        label, untouched = canvas.opacity > 0.5, canvas.opacity == 0
        assert set(classes.values()) == {defects.KINDS.index(kind) + 1}
        assert label.sum() > 20
        assert np.abs(canvas.tone).max(0)[label].mean() > 0.1
        assert not canvas.tone[:, untouched].any()
        assert not canvas.height[untouched].any()
        assert set(np.unique(canvas.number[label])) <= set(classes)
        rows, columns = np.nonzero(label)
        assert max(np.ptp(rows), np.ptp(columns)) < 0.75 * TEXELS


def test_each_pit_of_a_cluster_is_an_instance() -> None:
    """Blowholes lie in clusters, but are counted one by one."""
    pits = [{"dx": x, "dy": 0.0, "size": 0.03, "oval": 1.0} for x in (-0.1, 0.0, 0.1)]
    canvas, classes = _drawn("blowhole", 0, pits=pits)
    assert classes == {1: 3, 2: 3, 3: 3}
    assert set(np.unique(canvas.number[canvas.opacity > 0.5])) == {1, 2, 3}


def test_contrast_makes_a_defect_plainer_and_leaves_its_label_alone() -> None:
    """Hardly visible defects have the masks of obvious ones."""
    (faint, _), (plain, _) = (_drawn("chip", 3, contrast=by) for by in (0.1, 1.0))
    assert np.array_equal(faint.opacity, plain.opacity)
    assert np.abs(faint.tone).mean() < 0.3 * np.abs(plain.tone).mean()


def test_marks_change_the_surface_but_never_the_label() -> None:
    """Dirt, prints, swirls, glare and grinding are background."""
    for kind in marks.KINDS:
        canvas, made = (
            Canvas(),
            Marks(kinds={kind: 1.0}, count=(3, 3)).plan(streams(1), material="tile", footprint=USUAL),
        )
        marks.draw(canvas, made)
        assert canvas.tone.any()
        assert not canvas.opacity.any()


def test_a_part_ends_where_its_edges_are() -> None:
    """And far outside the picture where it has none."""
    for shape in part.SHAPES:
        plan = {"shape": shape, "curvature": 0.5, "axis": 0, "bevel": 0.02, "seed": 1, "edges": {"left": -0.4}}
        points = part.part_mesh(plan).vertices
        assert points[:, 0].min() == pytest.approx(-0.4)
        assert points[:, 0].max() > 1.5
        assert points[points[:, 0] < -0.3999, 2].min() < -0.2


@pytest.mark.parametrize("ratio", [16 / 9, 9 / 16, 3.0])
def test_defects_and_marks_reach_the_ends_of_wide_and_tall_pictures(ratio: float) -> None:
    """Seen from straight above: an outer eighth of the longer side holds at least a third of what a middle one does."""
    scene, longer, shares = Surface(tilt_deg=(0.0, 0.0), free_share=0), max(ratio, 1 / ratio), []
    for index in range(120):
        plan = scene(streams(index), {}, ratio)
        turn = math.radians(plan["camera"]["azimuth_deg"] + plan["camera"]["roll_deg"] + 90 * (ratio < 1))
        for thing in (*plan["defects"], *plan["marks"]):
            shares.append(abs(thing["x"] * math.cos(turn) + thing["y"] * math.sin(turn)) / (longer / 2))
    outer, middle = (sum(low <= share < high for share in shares) for low, high in ((0.75, 1.0), (0.0, 0.25)))
    assert outer > middle / 3


@pytest.mark.parametrize(("ratio", "ends"), [(3.0, ("left", "right")), (1 / 3, ("bottom", "top"))])
def test_parts_end_near_the_ends_of_wide_and_tall_pictures(ratio: float, ends: tuple[str, str]) -> None:
    """As near as they do in a 4:3 picture, and their other two edges stay where they are; bent ones reach as far."""
    scene = Surface(tilt_deg=(0.0, 0.0), roll_deg=(0.0, 0.0), edge_share=1.0, shapes={"cylinder": 1.0})
    for index in range(20):
        usual, wide = (scene(streams(index), {}, r)["part"] for r in (4 / 3, ratio))
        for side, end in usual["edges"].items():
            assert abs(wide["edges"][side]) == pytest.approx(abs(end) + (1.5 - 2 / 3) * (side in ends), abs=1e-4)
        along = usual["axis"] == (0 if ratio > 1 else 1)
        assert wide["curvature"] == usual["curvature"] or (along and wide["curvature"] < usual["curvature"] / 2.25)
        far = 1.5 if along else 2 / 3
        points = part.part_mesh(wide | {"edges": {}}, seen=((-far, far), (-far, far))).vertices
        assert np.abs(points).max(0)[wide["axis"]] >= far


def test_the_sheet_grows_with_what_is_seen_and_its_texels_do_not() -> None:
    """A place on it is the same place; what lies beyond the usual sheet can be drawn on."""
    usual, wide = Canvas(), Canvas(seen=((-2.0, 0.3), (-0.4, 1.0)))
    assert usual.opacity.shape == (TEXELS, TEXELS)
    assert [side.low for side in wide.sides] == pytest.approx([-2.0, -0.85], abs=TEXEL)
    assert [side.low + side.length for side in wide.sides] == pytest.approx([0.85, 1.0], abs=TEXEL)
    inside = [canvas.window(0.1, -0.2, 0.3, 0.05) for canvas in (usual, wide)]
    assert usual.window(-1.5, 0.0, 0.0, 0.05) is None
    assert all(np.hypot(where.x, where.y).min() < TEXEL for where in inside if where)
    assert wide.window(-1.5, 0.0, 0.0, 0.05) is not None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"count": (0, 3)}, ["count", "[0, 3]", "1 <= low"]),
        ({"contrast": (0.5, 1.5)}, ["contrast", "1.5", "<= 1"]),
        ({"free_share": 1.2}, ["free_share", "1.2", "0 to 1"]),
        ({"defects": {"dent": 1.0}}, ["defects", "dent", "scratch"]),
        ({"sizes": {"dent": (0.1, 0.2)}}, ["sizes", "dent", "scratch"]),
        ({"sizes": {"crack": (0.3, 0.2)}}, ["sizes.crack", "[0.3, 0.2]"]),
    ],
)
def test_a_parameter_out_of_range_is_named_with_what_was_expected(change: dict[str, Any], words: list[str]) -> None:
    """The message names the field, what was got, and what was expected."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is what is tested
        Surface(**change)
    assert [word for word in words if word not in str(caught.value)] == []


def test_the_configuration_lists_every_parameter_with_its_default() -> None:
    """conf/scene/surface.yaml and the dataclass say the same; the sensor's components have a file of their own."""
    stated = yaml.safe_load(CONF.read_text())
    assert stated.pop("_target_") == "scenes.surface.plan.Surface"
    assert stated["marks"].pop("_target_") == "scenes.surface.marks.Marks"
    stated = {key: value for key, value in stated.items() if key not in {*SENSOR, "defaults"}}
    stated["marks"] = Marks(**stated["marks"])
    assert {*stated, *SENSOR} == {field.name for field in dataclasses.fields(Surface)}
    assert Surface(**stated) == Surface()


@pytest.mark.blender
def test_defects_are_rendered_where_they_are_labelled(tmp_path: Path) -> None:
    """Both routes to the mask agree; a picture without its defects differs inside the mask, and hardly outside."""
    scene = Surface(free_share=0, count=(3, 3), sizes=dict.fromkeys(defects.KINDS, (0.25, 0.3)), edge_share=0.0)
    usual = scene(streams(2), {"chip": 9.0})
    usual["sensor"] = {}
    sound, frame = render(scene, [usual | {"defects": []}, usual], tmp_path / "frames", samples=8)
    mask = frame.class_ids > 0
    assert (sound.story["differing"], frame.story["differing"]) == (0, 0)
    assert not sound.class_ids.any()
    assert 30 < mask.sum() < 2500
    assert len(frame.story["objects"]) == len(np.unique(frame.instances)) - 1 > 1
    change = np.abs(frame.image.astype(int) - sound.image).mean(-1)
    assert change[mask].mean() > 5 * change[~mask].mean()


@pytest.mark.blender
@pytest.mark.slow
def test_wide_pictures_show_the_part_and_its_defects_to_their_ends(tmp_path: Path) -> None:
    """A leaning camera, too: no table is seen where the part has no edges, and defects are labelled at either end."""
    scene = Surface(free_share=0, count=(9, 9), sizes=dict.fromkeys(defects.KINDS, (0.3, 0.4)), edge_share=0.0)
    scene = dataclasses.replace(scene, tilt_deg=(15.0, 15.0), shapes={"flat": 1.0}, marks=Marks(enabled=False))
    plan = scene(streams(3), {}, 3.0) | {"sensor": {}}
    part_only = plan | {"defects": []}
    dark, light = (part_only | {"table": {"colour": [by] * 3, "roughness": 0.5}} for by in (0.0, 1.0))
    frame, *pair = render(scene, [plan, dark, light], tmp_path / "frames", width=192)
    assert frame.story["differing"] == 0
    assert all((frame.class_ids[:, columns] > 0).sum() > 20 for columns in (slice(0, 48), slice(144, 192)))
    assert np.array_equal(pair[0].image, pair[1].image)
