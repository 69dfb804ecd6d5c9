"""The assets pack plans pictures of the user's own meshes; Blender reads all five formats, and names broken files."""

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from factory.core.seeds import generator
from scenes.assets import layout
from scenes.assets.plan import MOST, Assets
from scenes.assets.textures import Textures
from scenes.kit.backgrounds import Backgrounds
from scenes.kit.distractors import Distractors
from scenes.kit.sensor import SENSOR
from scenes.kit.strip import Strip
from tests.scenes.assets import BROKEN, WHOLE, write_blend, write_broken, write_meshes, write_table
from tests.scenes.rendering import render

CONF = Path(__file__).parents[2] / "conf/scene/assets.yaml"


def streams(index: int, seed: int = 0) -> Callable[[str], np.random.Generator]:
    """The random streams of one picture."""
    return lambda component: generator(seed, "scene", index, component)


def plans(scene: Assets, number: int = 30, emphasis: dict[str, float] | None = None) -> list[dict[str, Any]]:
    """Plans of the first pictures."""
    return [scene(streams(index), emphasis or {}) for index in range(number)]


def counts(scene: Assets, emphasis: dict[str, float] | None = None) -> Counter[str]:
    """How many assets of each class the first pictures hold."""
    made = plans(scene, 80, emphasis)
    return Counter(scene.classes[asset["class_id"]][0] for plan in made for asset in plan["assets"])


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Two meshes of two classes; plans do not open them."""
    for name in ("a.obj", "b.stl"):
        (tmp_path / name).write_text("something")
    return str(write_table(tmp_path, "a.obj,screw,0.1,,any,1,2-4,", "b.stl,nut,,0.001,flat,1,,"))


@pytest.fixture
def photographs(tmp_path: Path) -> str:
    """A folder with one photograph."""
    (tmp_path / "photographs").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photographs/one.png")
    return str(tmp_path / "photographs")


def test_classes_are_read_from_the_table(folder: str) -> None:
    """By the part itself, for whoever asks it."""
    assert [name for name, _ in Assets(folder=folder).classes] == ["background", "screw", "nut"]


def test_a_plan_is_a_function_of_its_streams_and_survives_json(folder: str) -> None:
    """The job file loses nothing, names no place of this machine, and the same seed gives the same plan."""
    for plan, again in zip(plans(Assets(folder=folder), 8), plans(Assets(folder=folder), 8), strict=True):
        text = json.dumps(plan, allow_nan=False)
        assert json.loads(text) == again
        assert folder not in text


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"lights": (3, 3)}, {"lights"}),
        ({"grounds": {"wood": 1.0}}, {"ground"}),
        ({"fill": (1, 1)}, {"camera"}),
        ({"ambient": (0.1, 0.1)}, {"room"}),
        ({"hover_share": 1.0}, {"hover", "distractors"}),
        ({"size_jitter": (1, 1)}, {"assets"}),
        ({"count": (9, 9)}, {"assets"}),
    ],
)
def test_a_components_parameters_leave_the_other_components_alone(
    folder: str, change: dict[str, Any], parts: set[str]
) -> None:
    """Each component draws from its own stream, so that a change to one never shifts the randomness of another."""
    before, after = plans(Assets(folder=folder)), plans(Assets(folder=folder, **change))
    differing = {key for a, b in zip(before, after, strict=True) for key in a if a[key] != b[key]}
    assert differing <= parts
    assert differing & parts


def test_an_asset_more_leaves_the_others_alone(folder: str) -> None:
    """Every asset has a stream of its own."""
    few, many = (plans(Assets(folder=folder, count=(n, n)))[0]["assets"] for n in (2, 5))
    assert many[: len(few)] == few


@pytest.mark.parametrize("name", ["screw", "nut"])
def test_emphasis_multiplies_how_many_of_a_class_there_are(folder: str, name: str) -> None:
    """Of the class asked for, and of no other; never more than the limit."""
    scene = Assets(folder=folder)
    usual, wanted, unwanted = (counts(scene, {name: factor}) for factor in (1.0, 3.0, 0.1))
    other = {"screw": "nut", "nut": "screw"}[name]
    assert 2.2 * usual[name] < wanted[name] < 3.8 * usual[name]
    assert unwanted[name] < 0.3 * usual[name]
    assert 0.7 * usual[other] < wanted[other] < 1.4 * usual[other]
    assert max(len(plan["assets"]) for plan in plans(scene, 20, {"screw": 20.0, "nut": 20.0})) <= MOST


def test_emphasis_works_for_the_only_class_too(tmp_path: Path) -> None:
    """There is nothing to prefer it to: there are simply more."""
    (tmp_path / "a.obj").write_text("something")
    scene = Assets(folder=str(write_table(tmp_path, "a.obj,screw,1,,,,,")))
    usual, wanted = (sum(counts(scene, {"screw": factor}).values()) for factor in (1.0, 3.0))
    assert 2.5 * usual < wanted < 3.5 * usual


def test_photographs_are_backplates_or_grounds(folder: str, photographs: str) -> None:
    """Behind hovering assets, or on the ground below lying ones."""
    kit: dict[str, Any] = {"folder": folder, "backgrounds": Backgrounds(folder=photographs, share=1.0)}
    for plan in plans(Assets(**kit)):
        assert plan["hover"]
        assert plan["backplate"]["file"] == "one.png"
        assert plan["photograph"] is None
    for plan in plans(Assets(**kit, backgrounds_as="ground", hover_share=0.3)):
        assert (plan["backplate"] is None) == (plan["photograph"] is not None) == (not plan["hover"])
    with pytest.raises(ValueError, match="backgrounds_as: got 'sky', expected backplate or ground"):
        Assets(folder=folder, backgrounds_as="sky")


def test_folders_are_named_once_for_all_plans(folder: str, photographs: str) -> None:
    """So that plans refer to files by relative name."""
    scene = Assets(folder=folder, backgrounds=Backgrounds(folder=photographs), textures=Textures(folder=photographs))
    assert scene.folders == {"assets": folder, "backgrounds": photographs, "textures": photographs}


def test_assets_are_laid_beside_each_other() -> None:
    """Circles never overlap, however few of their spots are free."""
    draw = np.random.default_rng(0)
    for number in (1, 5, 40):
        radii = draw.uniform(0.01, 1.0, number)
        spots = draw.uniform(-1, 1, (number, 3, 2)).tolist()
        for strip in (Strip(), Strip(extra=4 / 3, turn=1.0)):
            at = layout.apart(radii.tolist(), spots, density=1.0, strip=strip)
            away = np.linalg.norm(at[:, None] - at[None], axis=-1) - radii[:, None] - radii[None]
            assert away[~np.eye(number, dtype=bool)].min(initial=1.0) > 0


@pytest.mark.parametrize("hover", [False, True])
@pytest.mark.parametrize("ratio", [16 / 9, 9 / 16, 3.0])
def test_assets_are_laid_along_wide_and_tall_pictures(ratio: float, hover: bool, folder: str) -> None:
    """As many times as many as usual, in a strip along the picture's longer side that is filled to its ends."""
    scene, longer = Assets(folder=folder, count=(3, 6), density=(0.3, 0.5)), max(ratio, 1 / ratio)
    numbers, shares = [0, 0], []
    for index in range(60):
        usual, plan = (scene(streams(index), {}, r) for r in (1.0, ratio))
        numbers = [before + len(p["assets"]) for before, p in zip(numbers, (usual, plan), strict=True)]
        strip = layout.strip_on(ratio, plan["camera"] | {"elevation_deg": 90.0, "roll_deg": 0.0}, hover=hover)
        at = layout.apart([1.0] * len(plan["assets"]), [a["spots"] for a in plan["assets"]], density=0.4, strip=strip)
        turn = 0.0 if hover else math.radians(plan["camera"]["azimuth_deg"] + 90)
        seen = at @ [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]
        along, across = np.abs(seen.T if ratio > 1 else seen.T[::-1])
        side = math.sqrt(4 * len(at) / 0.4 * (1 + strip.extra / 0.5))
        shares += (along / (side / 2 - 1)).tolist()
        assert np.median(along) > np.median(across)
    assert numbers[1] == pytest.approx(numbers[0] * longer / (4 / 3), rel=0.1)
    outer, middle = (sum(low <= share < high for share in shares) for low, high in ((0.75, 1.0), (0.0, 0.25)))
    assert outer > middle / 3


def test_the_configuration_lists_every_parameter_with_its_default(folder: str) -> None:
    """conf/scene/assets.yaml and the dataclass say the same; the folder alone has no default."""
    stated = yaml.safe_load(CONF.read_text())
    assert stated.pop("_target_") == "scenes.assets.plan.Assets"
    assert stated["textures"].pop("_target_") == "scenes.assets.textures.Textures"
    assert stated.pop("folder") == "???"
    stated["textures"] = Textures(**stated["textures"])
    stated.pop("defaults")
    elsewhere = {*SENSOR, "distractors", "backgrounds", "folder"}
    assert {*stated, *elsewhere} == {field.name for field in dataclasses.fields(Assets) if field.init}
    assert Assets(folder=folder, **stated) == Assets(folder=folder)


@pytest.mark.blender
def test_all_formats_are_shown_and_broken_meshes_named_and_left_out(tmp_path: Path, photographs: str) -> None:
    """Five formats in one picture, opaque, in their true sizes; seven broken files fail no frame and are named."""
    meshes = tmp_path / "meshes"
    write_meshes(meshes)
    write_blend(meshes / "lamp.blend")
    write_broken(meshes)
    rows = [f"{file},{name},1.0,,{'any' if name == 'cube' else 'upright'},,," for file, name in WHOLE.items()]
    rows += [f"{file},cube,1.0,,,,," for file in BROKEN.values()]
    scene = Assets(folder=str(write_table(meshes, *rows)), size_jitter=(1, 1))
    plan = scene(streams(0), {})
    own = [scene(streams(number), {})["assets"][0] for number in range(len(rows))]
    ids = [name for name, _ in scene.classes]
    plan["assets"] = [
        asset
        | {"file": row.split(",")[0], "class_id": ids.index(row.split(",")[1]), "pose": row.split(",")[4] or "any"}
        for asset, row in zip(own, rows, strict=True)
    ]
    plan |= {"hover": False, "distractors": []}
    plan["camera"] |= {"elevation_deg": 60.0, "fill": 0.9, "off_middle": 0.0, "roll_deg": 0.0}
    textured = plan["assets"][0] | {"texture": {"file": "one.png", "repeats": 1.0, "roughness": 0.5}}
    hovering = plan | {"hover": True, "assets": [textured, *plan["assets"][1:]]}
    dressed = dataclasses.replace(scene, textures=Textures(folder=photographs))
    lying, floating = render(dressed, [plan, hovering], tmp_path / "out")
    for frame in (lying, floating):
        assert set(np.unique(frame.class_ids)) == set(range(len(WHOLE) + 1))
        assert frame.story["differing"] == 0
        assert len(frame.story["objects"]) == len(WHOLE)
        notes = frame.story["notes"]
        assert "cube.obj: picture gone.png is missing; a plain colour instead" in notes
        assert len(notes) == len(BROKEN) + 1
        for words, file in BROKEN.items():
            assert [note for note in notes if note.startswith(f"{file}: ") and words in note and "left out" in note]
        assert str(tmp_path) not in "".join(notes)


@pytest.mark.blender
@pytest.mark.slow
def test_assets_are_seen_near_the_ends_of_wide_pictures(tmp_path: Path) -> None:
    """On the ground and hovering: together they take up as much of the picture's length as they are to fill."""
    write_meshes(tmp_path / "meshes")
    table = write_table(tmp_path / "meshes", "cube.obj,cube,0.1,,flat,,,", "deep/ball.ply,ball,0.1,,upright,,,")
    scene = Assets(folder=str(table), count=(5, 5), fill=(0.9, 0.9), off_middle=(0.0, 0.0), density=(0.3, 0.3))
    scene = dataclasses.replace(scene, elevation_deg=(45.0, 75.0), distractors=Distractors(enabled=False))
    made = [scene(streams(index), {}, 3.0) | {"sensor": {}, "hover": index > 1} for index in range(4)]
    for frame in render(scene, made, tmp_path / "frames", width=192):
        columns = np.nonzero((frame.class_ids > 0).any(0))[0]
        assert np.ptp(columns) > 0.65 * 192
