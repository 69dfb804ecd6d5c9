"""The render stage ends in the same sealed bytes, however many workers it had."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factory.core.artefact import Identity, Kind
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError
from factory.core.sample import MAPS, Domain, Split, Supervision
from factory.core.writer import open_writer
from factory.execute.process import Process
from factory.render.collect import split_of
from factory.stages import render
from scenes.coins.plan import Coins

FRAMES = 3


def rendered(target: Path, *, workers: int, frames: int = FRAMES, val_share: float = 0.5, quota: Any = None) -> Dataset:
    """A sealed data set of tiny pictures."""
    identity = Identity(stage="render", config={}, seed=11, inputs={}, code="test")
    with open_writer(target, identity, Kind.DATASET) as out:
        render.run(
            lacking=None,
            out=out,
            seed=11,
            scene=Coins(),
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


@pytest.mark.blender
def test_one_and_two_workers_seal_the_same_digest(tmp_path: Path) -> None:
    """The artefact does not tell how it was made; its samples say all there is to say."""
    one, two = (rendered(tmp_path / str(count), workers=count) for count in (1, 2))
    assert one.digest == two.digest
    assert one.damaged() == []
    assert [sample.id for sample in one.samples] == [f"scene-{index:05d}" for index in range(FRAMES)]
    for index, sample in enumerate(one.samples):
        assert (sample.domain, sample.supervision, sample.group) == (Domain.SYNTHETIC, Supervision.EXACT, sample.id)
        assert sample.split == split_of(11, index, 0.5)
        assert sample.provenance["plan"]["pack"] == "coins"
        assert None not in [getattr(sample, name) for name in MAPS if name != "confidence"]
    assert one.classes.names == ("background", "coin")


def test_a_split_does_not_depend_on_the_number_of_frames() -> None:
    """Each frame draws its split by itself, in the asked proportion."""
    splits = [split_of(0, index, 0.25) for index in range(2000)]
    assert np.mean([split is Split.VAL for split in splits]) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(("frames", "val_share"), [(0, 0.1), (3, 1.0), (3, -0.1)])
def test_impossible_requests_fail_before_anything_starts(tmp_path: Path, frames: int, val_share: float) -> None:
    """The error names the key."""
    with pytest.raises(ConfigError, match=r"frames|val_share"):
        rendered(tmp_path / "none", workers=1, frames=frames, val_share=val_share)
