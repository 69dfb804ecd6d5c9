"""What every scene pack promises of its frames, in real renders: true planes, and nothing of one frame in the next."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image

from factory.command import tree
from factory.command.bind import make_part
from factory.core.seeds import generator
from tests.command.composing import composed
from tests.scenes.assets import write_meshes, write_table
from tests.scenes.rendering import Rendered, work

pytestmark = pytest.mark.blender

PACKS = tree.choices("scene")
every_pack = pytest.mark.parametrize("pack", PACKS)

JOB = {"width": 48, "height": 64, "samples": 2, "outputs": ["depth", "normals", "amodal"]}

INDEX = 1
"""Which picture of each pack is rendered."""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every pack as configured, with a photograph behind or beneath it where it takes any."""
    folder, photographs = tmp_path_factory.mktemp("meshes"), tmp_path_factory.mktemp("photographs")
    write_meshes(folder)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)).save(photographs / "one.png")
    write_table(folder, "cube.obj,cube,0.1,,,,,", "deep/ball.ply,ball,0.08,,,,,", "can.glb,can,0.12,,,,,")
    found = {}
    for pack in PACKS:
        required = [f"scene.folder={folder}"] if pack == "assets" else []
        ((config, _),) = composed("render", f"scene={pack}", *required)
        if "backgrounds" in config["scene"]:
            config["scene"]["backgrounds"] |= {"folder": str(photographs), "share": 1.0}
        found[pack] = make_part("render.scene", config["scene"])
    return found


@pytest.fixture(scope="module")
def frames(scenes: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Rendered]]:
    """A frame of every pack, by two processes: in order, and in the opposite order with broken frames in between."""
    assert {scene.nothing for scene in scenes.values()} == {0}, "a pack whose rays end elsewhere needs its own job"
    folders = {name: path for scene in scenes.values() for name, path in scene.folders.items()}
    plans = {pack: scene(_streams(), {}) for pack, scene in scenes.items()}
    broken = [_broken(plans["tabletop"], "parts", "fall_turn"), _broken(plans["coins"], "coins", "z")]
    orders, out = (list(plans), list(reversed(plans))), tmp_path_factory.mktemp("frames")
    asked = [plans[pack] for pack in orders[0]], [*broken, *(plans[pack] for pack in orders[1])]
    with ThreadPoolExecutor(2) as pool:
        job = JOB | {"nothing": 0, "folders": folders}
        (first, fine), (second, failed) = pool.map(work, [job] * 2, asked, (out / "forwards", out / "backwards"))
    assert fine == {}
    assert ["fall_turn" in failed[0], "'z'" in failed[1], len(failed)] == [True, True, 2]
    return [
        {pack: first[place] for place, pack in enumerate(orders[0])},
        {pack: second[place] for place, pack in enumerate(orders[1], start=len(broken))},
    ]


def _streams() -> Any:
    return lambda component: generator(0, "scene", INDEX, component)


def _broken(plan: dict[str, Any], things: str, key: str) -> dict[str, Any]:
    """A plan whose last thing lacks something, so that its scene is left half built."""
    *whole, last = plan[things]
    return plan | {things: [*whole, {name: value for name, value in last.items() if name != key}]}


@every_pack
def test_both_routes_to_the_masks_agree(pack: str, frames: list[dict[str, Rendered]]) -> None:
    """The object index and the emission pass, on every pixel; and there is something to see."""
    frame = frames[0][pack]
    assert (frame.story["audited"], frame.story["differing"]) == (True, 0)
    assert frame.image.std() > 2


@every_pack
def test_every_class_id_is_declared(pack: str, frames: list[dict[str, Rendered]], scenes: dict[str, Any]) -> None:
    """In the mask and in the table of things, which agree."""
    frame = frames[0][pack]
    assert frame.class_ids.max() < len(scenes[pack].classes)
    for row in frame.story["objects"]:
        shown = frame.instances == row["instance"]
        assert np.count_nonzero(shown) == row["area"] > 0
        assert set(frame.class_ids[shown].tolist()) == {row["class_id"]}


@every_pack
def test_what_is_visible_lies_within_the_amodal_mask(pack: str, frames: list[dict[str, Rendered]]) -> None:
    """Of every thing that is visible at all."""
    frame = frames[0][pack]
    assert set(frame.amodal) == {row["instance"] for row in frame.story["objects"]}
    for row in frame.story["objects"]:
        whole = frame.amodal[row["instance"]]
        assert not (~whole & (frame.instances == row["instance"])).any()
        assert row["visible_share"] == pytest.approx(row["area"] / whole.sum(), abs=1e-4)


@every_pack
def test_depth_and_normals_are_those_of_surfaces(pack: str, frames: list[dict[str, Rendered]]) -> None:
    """Depth is positive, and infinite where nothing is; normals are unit vectors there and nothing elsewhere."""
    frame = frames[0][pack]
    assert frame.depth is not None
    assert frame.normals is not None
    assert (frame.depth > 0).all()
    lengths, nothing = np.linalg.norm(frame.normals, axis=-1), np.isinf(frame.depth)
    np.testing.assert_allclose(lengths[~nothing], 1, atol=2e-3)
    np.testing.assert_array_equal(lengths[nothing], 0)
    assert not frame.instances[nothing].any()


@every_pack
def test_normals_are_those_of_the_surface_that_depth_shows(pack: str, frames: list[dict[str, Rendered]]) -> None:
    """Where it is plain (the neighbours on either side agree), whatever bumps its material feigns."""
    frame = frames[0][pack]
    assert frame.depth is not None
    assert frame.normals is not None
    (fx, _, cx), (_, fy, cy), _ = frame.story["camera"]["k"]
    rows, columns = np.mgrid[: frame.depth.shape[0], : frame.depth.shape[1]]
    depth = np.where(np.isinf(frame.depth), np.nan, frame.depth)
    at = np.stack([(columns - cx) / fx * depth, (cy - rows) / fy * depth, -depth], -1)
    at = at @ np.array(frame.story["camera"]["pose"])[:3, :3].T
    here = at[1:-1, 1:-1]
    either = [_crossed(at[1:-1, 2:] - here, at[:-2, 1:-1] - here), _crossed(here - at[1:-1, :-2], here - at[2:, 1:-1])]
    plain = (either[0] * either[1]).sum(-1) > math.cos(math.radians(2))
    away = np.degrees(np.arccos(np.clip((either[0] * frame.normals[1:-1, 1:-1]).sum(-1)[plain], -1, 1)))
    assert np.count_nonzero(plain) > 20
    assert np.percentile(away, 90) < 15  # soil has faces smaller than a pixel


def _crossed(across: Any, up: Any) -> Any:
    """Unit vectors that stand on both."""
    found = np.cross(across, up)
    return found / np.linalg.norm(found, axis=-1, keepdims=True)


@every_pack
def test_the_planned_field_of_view_spans_the_shorter_side(
    pack: str, frames: list[dict[str, Rendered]], scenes: dict[str, Any]
) -> None:
    """Of an upright picture too; pixels are square and the middle is in the middle."""
    field_deg = scenes[pack](_streams(), {})["camera"]["field_deg"]
    (fx, skew, cx), (_, fy, cy), _ = frames[0][pack].story["camera"]["k"]
    assert fx == pytest.approx(fy)
    assert fx == pytest.approx(JOB["width"] / 2 / math.tan(math.radians(field_deg) / 2), rel=1e-4)
    assert (skew, cx, cy) == (0, pytest.approx(JOB["width"] / 2, abs=0.51), pytest.approx(JOB["height"] / 2, abs=0.51))


@every_pack
def test_nothing_of_one_frame_is_left_in_the_next(pack: str, frames: list[dict[str, Rendered]]) -> None:
    """Whatever a process rendered before, in this pack or another, whole or broken: the same bits."""
    forwards, backwards = (found[pack] for found in frames)
    for name in ("image", "class_ids", "instances", "depth", "normals"):
        np.testing.assert_array_equal(getattr(forwards, name), getattr(backwards, name), name)
    np.testing.assert_equal(forwards.amodal, backwards.amodal)
    timeless = [{k: v for k, v in frame.story.items() if k != "index"} for frame in (forwards, backwards)]
    assert timeless[0] == timeless[1]
