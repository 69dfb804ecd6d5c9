"""The object index of the one colour pass is exactly what BlenderProc's separate segmentation pass says."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from factory.render.job import Job, Settings
from scenes.coins.plan import Coins
from scenes.kit.distractors import Distractors

SIZE = 96
SETTINGS = Settings(width=SIZE, height=SIZE, samples=1, denoise=False, outputs=(), device="cpu")


@pytest.mark.blender
@pytest.mark.parametrize("index", [0, 1])
def test_object_index_equals_the_segmentation_pass(tmp_path: Path, index: int) -> None:
    """Pixel for pixel, for classes and for instances."""
    scene = Coins(rows_share=0, overlap_share=1, count=(12, 12), distractors=Distractors(count=(4, 4)))
    plan = Job(scene=scene, seed=3, settings=SETTINGS).plan(index, {})
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    command = [sys.executable, "-m", "tests.render.segmap", tmp_path / "plan.json", tmp_path, str(SIZE)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2], capture_output=True)
    maps = np.load(tmp_path / "maps.npz")
    assert np.array_equal(maps["class_ids"], maps["reference_classes"])
    coins = maps["class_ids"] == 1
    pairs = set(zip(maps["instances"][coins].tolist(), maps["reference_instances"][coins].tolist(), strict=True))
    assert len(pairs) == len({ours for ours, _ in pairs}) == len({theirs for _, theirs in pairs})
    assert len(pairs) >= 3
