"""The render stage ends in the same sealed bytes, however many workers it had."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factory.core.artefact import Identity, Kind
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError
from factory.core.objects import SceneObjects
from factory.core.sample import MAPS, Domain, Split, Supervision
from factory.core.writer import open_writer
from factory.exchange import rle
from factory.execute.process import Process
from factory.render.audit import reasons
from factory.render.collect import split_of
from factory.render.frame import RawFrame
from factory.render.job import Job, Settings
from factory.stages import render
from scenes.coins.plan import Coins
from tests.render.test_blender import Broken

FRAMES = 3
SETTINGS = Settings(width=64, height=64, samples=2, denoise=False, outputs=(), device="cpu")
JOB = Job(scene=Coins(), seed=11, settings=SETTINGS)


def rendered(
    target: Path, *, workers: int, frames: int = FRAMES, val_share: float = 0.5, quota: Any = None, scene: Any = None
) -> Dataset:
    """A sealed data set of tiny pictures."""
    identity = Identity(stage="render", config={}, seed=11, inputs={}, code="test")
    with open_writer(target, identity, Kind.DATASET) as out:
        render.run(
            lacking=None,
            out=out,
            seed=11,
            scene=scene or Coins(),
            frames=frames,
            quota=quota or {},
            patience=20,
            width=64,
            height=64,
            samples=2,
            denoise=False,
            depth=True,
            normals=True,
            amodal=True,
            audit_share=0.5,
            device="cpu",
            val_share=val_share,
            executor=Process(count=workers),
        )
        out.seal()
    return Dataset.open(target)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """What one worker made."""
    return rendered(tmp_path_factory.mktemp("one") / "set", workers=1)


@pytest.mark.blender
def test_one_and_two_workers_seal_the_same_digest(one: Dataset, tmp_path: Path) -> None:
    """The artefact does not tell how it was made; its samples say all there is to say."""
    two = rendered(tmp_path / "two", workers=2)
    assert one.digest == two.digest
    assert one.damaged() == []
    assert [sample.id for sample in one.samples] == [f"scene-{index:05d}" for index in range(FRAMES)]
    for index, sample in enumerate(one.samples):
        assert (sample.domain, sample.supervision, sample.group) == (Domain.SYNTHETIC, Supervision.EXACT, sample.id)
        assert sample.split == split_of(11, index, 0.5)
        assert sample.provenance["plan"]["pack"] == "coins"
        assert None not in [getattr(sample, name) for name in MAPS if name != "confidence"]
    assert one.classes.names == ("background", "coin")


@pytest.mark.blender
def test_a_quota_is_met_with_the_same_bytes_whatever_the_workers(tmp_path: Path) -> None:
    """Which frames are made depends on what was reached before, and on nothing else."""
    quota = {"coin": {"instances": 12, "occlusion": [0, 0.01, 1]}}
    one, two = (rendered(tmp_path / str(n), workers=n, frames=9, quota=quota) for n in (1, 2))
    assert one.digest == two.digest
    figures = one.header.figures
    assert figures["quota"] == two.header.figures["quota"]
    assert [row["target"] for row in figures["quota"]] == [6, 6]
    assert figures["frames"] == len(one.samples) <= 9
    clear = sum(
        row.visible_share is not None and row.visible_share >= 0.99 and row.area >= 16
        for sample in one.samples
        for row in SceneObjects.read(one.path(sample.objects or "")).objects
    )
    assert clear == figures["quota"][0]["reached"]


@pytest.mark.blender
def test_amodal_masks_hold_the_visible_ones(one: Dataset) -> None:
    """The table of things agrees with the maps."""
    for sample in one.samples:
        instances = one.map(sample, "instances")
        for row in SceneObjects.read(one.path(sample.objects or "")).objects:
            visible, whole = instances == row.instance, rle.decode(row.amodal or "", instances.shape)
            assert not (visible & ~whole).any()
            assert (visible.sum(), whole.sum()) == (row.area, row.amodal_area)


@pytest.mark.blender
def test_a_frame_that_fails_is_left_out_with_its_seed(tmp_path: Path) -> None:
    """The others are there, and the report says which one is not and why; so it does of what the scene left out."""
    bad = JOB.plan(1, {})["seed"]
    data = rendered(tmp_path / "set", workers=1, scene=Broken(bad_seed=bad, left_out=("gone.ply: no such file",)))
    assert [sample.id for sample in data.samples] == ["scene-00000", "scene-00002"]
    issue, other = data.header.issues
    assert other == {"where": "scene", "reason": "gone.ply: no such file"}
    assert issue["where"] == "scene-00001"
    assert "scene seed 11, index 1" in issue["reason"]
    assert "ModuleNotFoundError" in issue["reason"]
    assert data.header.figures["left_out"] == 1


@pytest.mark.blender
@pytest.mark.parametrize(("objections", "kept"), [(1, 2), (2, 1)])
def test_a_frame_with_objections_is_rendered_once_more_then_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], objections: int, kept: int
) -> None:
    """What was a passing fault is mended, and said, not sealed; what stays is named with its seed."""
    told: list[str] = []

    def strict(frame: RawFrame, **known: Any) -> list[str]:
        if frame.story["index"] == 1 and len(told) < objections:
            told.append("object index and emission pass disagree on 9 pixels")
            return told[-1:]
        return reasons(frame, **known)

    monkeypatch.setattr("factory.stages.render.audit.reasons", strict)
    data = rendered(tmp_path / "set", workers=1, frames=2)
    assert (len(data.samples), data.header.figures["left_out"]) == (kept, 2 - kept)
    assert "1 pictures rendered again" in capfd.readouterr().err
    assert [issue["where"] for issue in data.header.issues] == ["scene-00001"] * (2 - kept)


@pytest.mark.blender
def test_a_quota_counts_the_pictures_that_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are made in place of those that the audit objects to."""

    def strict(frame: RawFrame, **known: Any) -> list[str]:
        return ["no"] if frame.story["index"] < 2 else reasons(frame, **known)

    monkeypatch.setattr("factory.stages.render.audit.reasons", strict)
    data = rendered(tmp_path / "set", workers=1, frames=6, quota={"coin": {"images": 3}})
    assert data.header.figures["left_out"] == 2
    (row,) = data.header.figures["quota"]
    assert row["reached"] == len(data.samples) >= 3


def test_a_split_does_not_depend_on_the_number_of_frames() -> None:
    """Each frame draws its split by itself, in the asked proportion."""
    splits = [split_of(0, index, 0.25) for index in range(2000)]
    assert np.mean([split is Split.VAL for split in splits]) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(("frames", "val_share"), [(0, 0.1), (3, 1.0), (3, -0.1)])
def test_impossible_requests_fail_before_anything_starts(tmp_path: Path, frames: int, val_share: float) -> None:
    """The error names the key."""
    with pytest.raises(ConfigError, match=r"frames|val_share"):
        rendered(tmp_path / "none", workers=1, frames=frames, val_share=val_share)
