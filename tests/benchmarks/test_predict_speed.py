"""`factory predict` of a folder beside the loop that anyone would write, both from start to end."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from factory.core.dataset import Dataset
from factory.segment.models import SegmenterSpec
from tests.benchmarks.test_ingest_speed import photographs
from tests.segment.training import bright_squares, trained

KINDS = {"large": (12, 3000, 4000), "small": (800, 96, 96)}
TILES = {"large": (480, 640), "small": (96, 96)}


def seconds(module: str, *words: object) -> float:
    """How long a program took by the clock, start-up and all."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", module, *map(str, words)], check=True, capture_output=True)
    return time.perf_counter() - began


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_predict_beside_a_plain_loop(kind: str, tmp_path: Path) -> None:
    """Turn about, three times; the factory writes the picture, confidence, origin and areas besides."""
    spec = SegmenterSpec(architecture="deeplabv3plus", encoder="mobilenet_v2")
    trained(tmp_path / "model", real=bright_squares(tmp_path / "squares", 12), model=spec, steps=12)
    photographs(images := tmp_path / "images", *KINDS[kind])
    checkpoint, tile = tmp_path / "model" / "best.ckpt", TILES[kind]
    looks = [f"longest={max(tile)}", f"tile={list(tile)}".replace(" ", "")]
    found = []
    for turn in range(3):
        (theirs := tmp_path / f"plain{turn}").mkdir()
        ours = tmp_path / f"ours{turn}"
        mine = seconds("factory", "predict", f"model={checkpoint}", f"images={images}", f"out={ours}", *looks)
        other = seconds("tests.benchmarks.plain_predict", checkpoint, images, theirs, max(tile))
        found.append((mine, other))
    assert agreement(Dataset.open(ours), theirs) > 0.95
    print(f"\n{kind}: " + "; ".join(f"{mine:.1f} s beside {other:.1f}, {mine / other:.2f}" for mine, other in found))


def agreement(ours: Dataset, theirs: Path) -> float:
    """Share of pixels of the same class."""
    same = [
        np.mean(ours.mask(sample) == np.asarray(Image.open(theirs / f"{sample.id}.png"))) for sample in ours.samples
    ]
    return float(np.mean(same))
