"""One property suite over every scene pack of the configuration tree: what each of them promises. Plans only."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from factory.command import tree
from factory.command.bind import bind, make_part
from factory.core.errors import ConfigError
from factory.core.seeds import generator
from scenes.kit.sensor import SENSOR
from tests.command.composing import composed

PACKS = tree.choices("scene")
every_pack = pytest.mark.parametrize("pack", PACKS)

ALSO_MOVED = {
    ("coins", "backgrounds"): {"photograph"},
    ("tabletop", "backgrounds"): {"photograph"},
    ("assets", "backgrounds"): {"photograph", "backplate", "hover", "distractors"},
    ("assets", "textures"): {"assets"},
    ("tabletop", "bin"): {"parts", "distractors", "camera"},
    ("street", "junctions"): {
        "road",
        "buildings",
        "fences",
        "trees",
        "poles",
        "signs",
        "clutter",
        "cars",
        "pedestrians",
    },
    ("street", "cars"): {"pedestrians", "bicyclists"},
}
"""What else of a plan may change when a component is switched off, since it makes room: everything else may not."""

Config = dict[str, Any]


def streams(index: int, seed: int = 0) -> Callable[[str], np.random.Generator]:
    """The random streams of one picture, as rendering hands them out."""
    return lambda component: generator(seed, "scene", index, component)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's files: two meshes with classes of their own, and two photographs."""
    root = tmp_path_factory.mktemp("files")
    (root / "assets.csv").write_text("file,class,size_m\na.obj,tool,0.1\nb.obj,toy,0.2\n")
    for name in ("a.obj", "b.obj"):
        (root / name).write_text("v 0 0 0\nv 1 0 0\nv 0 1 1\nf 1 2 3\n")
    for name in ("one.png", "two.jpg"):
        Image.new("RGB", (4, 3)).save(root / name)
    return root


@pytest.fixture(scope="module")
def configs(folder: Path) -> dict[str, Config]:
    """The configuration of every pack, with photographs behind it where it takes any."""
    return {pack: _composed(pack, folder) for pack in PACKS}


def _composed(pack: str, folder: Path, *words: str) -> Config:
    required = [f"scene.folder={folder}"] if pack == "assets" else []
    ((config, _),) = composed("render", f"scene={pack}", *required, *words)
    scene: Config = config["scene"]
    for name in ("backgrounds", "textures"):
        if name in scene:
            scene[name] |= {"folder": str(folder), "share": 1.0}
    return scene


def made(config: Config) -> Any:
    """The pack, as the command makes it."""
    return make_part("render.scene", config)


@pytest.fixture(scope="module")
def scenes(configs: dict[str, Config]) -> dict[str, Any]:
    """Every pack, made once: one test sees to it that planning leaves it as it is."""
    return {pack: made(config) for pack, config in configs.items()}


def components(config: Config) -> list[str]:
    """Keys of everything that can be switched off."""
    return [key for key, value in config.items() if isinstance(value, dict) and "enabled" in value]


def numbers(config: Config, above: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and value of every range and every number of the configuration, weights left out."""
    for key, value in config.items():
        if isinstance(value, dict) and ("_target_" in value or key == "sizes"):
            yield from numbers(value, f"{above}{key}.")
        elif isinstance(value, list) or (isinstance(value, int | float) and not isinstance(value, bool)):
            yield above + key, value


def weights(config: Config, above: str = "") -> Iterator[tuple[str, Config]]:
    """Dotted key and content of every table of weights."""
    for key, value in config.items():
        if isinstance(value, dict) and "_target_" in value:
            yield from weights(value, f"{above}{key}.")
        elif isinstance(value, dict) and key != "sizes":
            yield above + key, value


def is_empty(planned: Any) -> bool:
    """Whether a component's plan shows nothing."""
    if isinstance(planned, dict):
        return all(is_empty(value) for value in planned.values())
    return not planned


@every_pack
def test_a_plan_is_a_pure_function_of_seed_and_index(
    pack: str, configs: dict[str, Config], scenes: dict[str, Any]
) -> None:
    """Made twice, it is the same; every index and every seed has another."""
    scene, other, keys = scenes[pack], made(configs[pack]), ((0, 0), (1, 0), (0, 1))
    plans = [scene(streams(index, seed), {}) for index, seed in keys]
    assert plans == [other(streams(index, seed), {}) for index, seed in keys]
    assert len({json.dumps(plan) for plan in plans}) == 3


@every_pack
def test_a_plan_survives_json_and_says_what_a_worker_must_know(
    pack: str, configs: dict[str, Config], scenes: dict[str, Any]
) -> None:
    """Plain finite values only; the pack's name, the seed of Cycles, and what the sensor does."""
    scene = scenes[pack]
    used = {name for name in SENSOR if configs[pack][name]["enabled"]}
    for index in range(6):
        plan = scene(streams(index), {})
        assert plan == json.loads(json.dumps(plan, allow_nan=False))
        assert plan["pack"] == type(scene).__module__.split(".")[1]
        assert isinstance(plan["seed"], int)
        assert set(plan["sensor"]) == used


@every_pack
def test_planning_changes_nothing_of_the_pack(pack: str, configs: dict[str, Config], scenes: dict[str, Any]) -> None:
    """Later pictures do not depend on earlier ones, nor a caller's emphasis on either."""
    scene, fresh = made(configs[pack]), scenes[pack]
    emphasis = {name: 3.0 for name, _ in scene.classes}
    kept = dict(emphasis)
    for index in range(5):
        scene(streams(index), emphasis)
    assert emphasis == kept
    assert scene(streams(7), {}) == fresh(streams(7), {})


@every_pack
def test_no_two_components_share_a_stream(pack: str, scenes: dict[str, Any]) -> None:
    """Each name is asked for once in a picture: two that shared one would draw alike, or depend on who comes first."""
    scene = scenes[pack]
    for index, emphasis in enumerate((1.0, 0.2, 1.0, 8.0)):
        asked = Counter[str]()

        def hand_out(name: str, index: int = index, asked: Counter[str] = asked) -> np.random.Generator:
            asked[name] += 1
            return generator(0, "scene", index, name)

        scene(hand_out, {name: emphasis for name, _ in scene.classes})
        assert [name for name, times in asked.items() if times > 1] == []


@every_pack
def test_a_component_that_is_switched_off_is_gone_and_moves_nothing_else(
    pack: str, configs: dict[str, Config], scenes: dict[str, Any]
) -> None:
    """But for what takes the room that it leaves."""
    before = [scenes[pack](streams(index), {}) for index in range(4)]
    for component in (name for name in components(configs[pack]) if configs[pack][name]["enabled"]):
        scene = altered(scenes[pack], f"{component}.enabled", False)
        after = [scene(streams(index), {}) for index in range(4)]
        moved = {key for a, b in zip(before, after, strict=True) for key in a if a[key] != b[key]}
        if component in SENSOR:
            sensors = [{k: v for k, v in plan["sensor"].items() if k != component} for plan in before]
            assert [plan["sensor"] for plan in after] == sensors
            assert moved == {"sensor"}
        else:
            assert moved <= {component} | ALSO_MOVED.get((pack, component), set()), component
            assert all(is_empty(plan.get(component)) for plan in after), component


@every_pack
def test_everything_can_be_switched_off_at_once_from_the_command_line(pack: str, configs: dict, folder: Path) -> None:
    """What is left is still a picture."""
    words = [f"scene.{name}.enabled=false" for name in components(configs[pack])]
    scene = make_part("render.scene", _composed(pack, folder, *words))
    plan = scene(streams(0), {name: 5.0 for name, _ in scene.classes})
    assert plan["sensor"] == {}
    assert plan == json.loads(json.dumps(plan, allow_nan=False))


@every_pack
def test_an_emphasis_of_one_is_none(pack: str, scenes: dict[str, Any]) -> None:
    """For every class, and for names that are no class."""
    scene = scenes[pack]
    ones = {name: 1.0 for name, _ in scene.classes} | {"no such class": 20.0}
    assert [scene(streams(i), ones) for i in range(6)] == [scene(streams(i), {}) for i in range(6)]


@every_pack
@pytest.mark.parametrize("ratio", [4 / 3, 3 / 4, 640 / 480, 480 / 640])
def test_pictures_of_up_to_4_to_3_are_planned_like_square_ones(pack: str, ratio: float, scenes: dict[str, Any]) -> None:
    """Upright ones too; wider ones still have plans that survive JSON."""
    scene = scenes[pack]
    for index in range(4):
        assert json.dumps(scene(streams(index), {}, ratio)) == json.dumps(scene(streams(index), {}))
    for wide in (16 / 9, 1 / 20, 20.0):
        plan = scene(streams(0), {}, wide)
        assert plan == json.loads(json.dumps(plan, allow_nan=False))


@every_pack
@pytest.mark.parametrize("by", [0.1, 20.0])
def test_any_class_may_be_emphasised_strongly(pack: str, by: float, scenes: dict[str, Any]) -> None:
    """Alone or with all others; the plan stays one, and stays payable."""
    scene = scenes[pack]
    names = [name for name, _ in scene.classes]
    for emphasis in (dict.fromkeys(names, by), *({name: by} for name in names)):
        for index in range(2):
            plan = scene(streams(index), emphasis)
            assert plan == json.loads(json.dumps(plan, allow_nan=False))
            assert len(json.dumps(plan)) < 500_000


@every_pack
def test_classes_can_be_told_apart(pack: str, scenes: dict[str, Any]) -> None:
    """By name and by colour; rays that hit nothing have one of them."""
    scene = scenes[pack]
    names, colours = zip(*scene.classes, strict=True)
    assert len(set(names)) == len(names)
    assert len({tuple(colour) for colour in colours}) == len(colours)
    assert all(0 <= channel <= 255 for colour in colours for channel in colour)
    assert 0 <= scene.nothing < len(names)


@every_pack
def test_a_wrong_value_of_any_number_is_refused(pack: str, configs: dict[str, Config], scenes: dict[str, Any]) -> None:
    """By the part that it belongs to, when that is made; the message names the key."""
    scene = scenes[pack]
    for dotted, value in numbers(configs[pack]):
        for wrong in (
            (["low", "high"], [1.0], [2.0, 1.0], [float("nan")] * 2) if isinstance(value, list) else ("x", -1e9)
        ):
            with pytest.raises(ValueError, match=dotted.rpartition(".")[2]):
                altered(scene, dotted, wrong)


@every_pack
def test_a_wrong_weight_is_refused(pack: str, configs: dict[str, Config], scenes: dict[str, Any]) -> None:
    """Unknown choices, no choice at all, and what is no number."""
    scene = scenes[pack]
    for dotted, table in weights(configs[pack]):
        known = next(iter(table))
        for wrong in ({"lava": 1.0}, {known: 0.0}, {known: float("nan")}, {known: "much"}, {known: -1.0}, known, None):
            with pytest.raises(ValueError, match=dotted.rpartition(".")[2]):
                altered(scene, dotted, wrong)


@every_pack
def test_a_wrong_value_or_key_stops_the_command_before_blender_starts(pack: str, configs: dict, folder: Path) -> None:
    """As the user would type it; binding, which creates nothing, says which key it is."""
    required = [f"scene.folder={folder}"] if pack == "assets" else []
    ((config, _),) = composed("render", f"scene={pack}", *required, "scene.noise.level=[0.5,0.1]")
    with pytest.raises(ConfigError, match="level"):
        bind("render", config)
    with pytest.raises(ConfigError, match="wibble"):
        bind("render", config | {"scene": config["scene"] | {"wibble": 1}})
    parts = [key for key, value in configs[pack].items() if isinstance(value, dict) and "_target_" in value]
    for part in parts:
        with pytest.raises(ConfigError, match="wibble"):
            make_part(f"render.scene.{part}", configs[pack][part] | {"wibble": 1})


@every_pack
def test_whatever_value_is_accepted_can_be_planned(
    pack: str, configs: dict[str, Config], scenes: dict[str, Any]
) -> None:
    """Both ends of every range that the pack allows."""
    scene = scenes[pack]
    for dotted, value in numbers(configs[pack]):
        for bound in _bounds(scene, dotted, value):
            try:
                other = altered(scene, dotted, [bound, bound] if isinstance(value, list) else bound)
            except ValueError:
                continue  # refused for another key's sake, which is as good
            plan = other(streams(0), {})
            assert plan == json.loads(json.dumps(plan, allow_nan=False)), dotted


def altered(scene: Any, dotted: str, value: Any) -> Any:
    """The pack with one key of its own or of a part of it changed."""
    key, _, rest = dotted.partition(".")
    if not rest:
        return dataclasses.replace(scene, **{key: value})
    inner = getattr(scene, key)
    inner = inner | {rest: value} if isinstance(inner, dict) else altered(inner, rest, value)
    return dataclasses.replace(scene, **{key: inner})


def _bounds(scene: Any, dotted: str, value: Any) -> list[float]:
    """Lowest and highest value, as the refusal of a wrong one says."""
    with pytest.raises(ValueError, match=dotted.rpartition(".")[2]) as caught:
        altered(scene, dotted, ["low", "high"] if isinstance(value, list) else "x")
    said = re.search(r"(?:with|from) (\S+) (?:<= low <= high <=|to) (\S+)", str(caught.value))
    assert said is not None, str(caught.value)
    return [float(number) for number in said.groups()]
