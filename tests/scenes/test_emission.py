"""The audit of masks sees what it is there for: a mask, or a scene, that is not what was looked at first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from factory.core.seeds import generator
from scenes.coins.plan import Coins
from scenes.surface.plan import Surface
from tests.scenes.rendering import SIZE, Rendered, work

TAMPERING = """
import os, sys
from pathlib import Path
import numpy as np
from scenes.kit import worker

def shift(plane):
    plane[:] = np.roll(plane, 1, axis=1)

def largest(frame):
    return frame.scene.objects[max(frame.rows, key=lambda row: row["area"])["key"] - 1]

def renumber(frame):
    largest(frame).pass_index += 100

def hide(frame):
    largest(frame).hide_render = True

def redraw(frame):
    import bpy
    trees = [material.node_tree for material in bpy.data.materials if material.use_nodes]
    (tree,) = [tree for tree in trees if "drawn" in tree.nodes]
    socket = tree.nodes["drawn"].inputs["Value"]
    tree.links.remove(socket.links[0])
    other = tree.nodes.new("ShaderNodeValue")
    other.outputs[0].default_value = 1.0
    tree.links.new(other.outputs[0], socket)

DEEDS = [
    lambda frame: None,
    renumber,
    hide,
    lambda frame: shift(frame.first.object_ids),
    lambda frame: shift(frame.first.drawn),
    redraw,
]
look = worker._Frame.look

def tampered(frame):
    look(frame)
    DEEDS[frame.request["index"]](frame)

worker._Frame.look = tampered
worker.main(Path(sys.argv[1]))
os._exit(0)
"""
"""The worker, but once a frame has been looked at, something is done to it: another deed for each frame."""


def streams(component: str) -> np.random.Generator:
    """The random streams of one picture."""
    return generator(0, "scene", 0, component)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Rendered]:
    """A frame for each deed: coins, and a surface with a large stain where labels are drawn."""
    stained = Surface(defects={"stain": 1.0}, sizes={"stain": (0.6, 0.6)}, free_share=0.0, count=(1, 1), edge_share=0.0)
    coins, surface = Coins(lift_share=0.0)(streams, {}), stained(streams, {})
    job = SIZE | {"samples": 1, "nothing": 0, "folders": {}, "outputs": []}
    out = tmp_path_factory.mktemp("tampered") / "frames"
    found, failed = work(job, [coins] * 4 + [surface] * 2, out, program=("-c", TAMPERING))
    assert failed == {}
    return found


def shifted(plane: Any) -> int:
    """How many pixels differ from those of the same plane, shifted by a pixel."""
    return int(np.count_nonzero(plane != np.roll(plane, 1, axis=1)))


def largest(frame: Rendered) -> int:
    """Pixels of the largest thing."""
    return max(row["area"] for row in frame.story["objects"])


EXPECTED: dict[str, tuple[int, Callable[[Rendered], int]]] = {
    "an object is renumbered": (1, lambda frame: 2 * largest(frame)),
    "the index is shifted by a pixel": (3, lambda frame: 2 * shifted(frame.instances)),
    "the drawn labels are shifted by a pixel": (4, lambda frame: shifted(frame.instances)),
}
"""Frames, and how many differences there must be: index planes are compared twice, drawn labels once."""


@pytest.mark.blender
@pytest.mark.parametrize("deed", EXPECTED)
def test_the_audit_counts_every_pixel_that_is_wrong(deed: str, frames: dict[int, Rendered]) -> None:
    """Exactly."""
    place, expected = EXPECTED[deed]
    assert frames[place].story["differing"] == expected(frames[place])
    assert expected(frames[place]) > 0


@pytest.mark.blender
def test_the_audit_finds_nothing_where_nothing_is_wrong(frames: dict[int, Rendered]) -> None:
    """The same frame, left alone."""
    assert frames[0].story["differing"] == 0


@pytest.mark.blender
@pytest.mark.parametrize("place", [2, 5], ids=["an object is hidden", "other labels are drawn"])
def test_the_audit_sees_that_the_scene_has_changed(place: int, frames: dict[int, Rendered]) -> None:
    """Between the look and the picture."""
    assert frames[place].story["differing"] > 0.5 * largest(frames[place])
