"""The refiners beside pydensecrf and scikit-image, on CamVid's validation frames at full size.

Run by ``make bench``; FACTORY_DATA and FACTORY_WEIGHTS say where data and weights are, BENCH_PICTURES (21) how many
frames. Prints the table that BENCHMARKS.md keeps; its model is trained for 300 steps first, 8 minutes.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from factory.__main__ import main
from tests.benchmarks.refiners import CLASSES, clicked, contestants
from tests.benchmarks.test_camvid import DATA, WEIGHTS

PICTURES = os.environ.get("BENCH_PICTURES", "21")


def test_everybody_can_take_part() -> None:
    """On a smooth picture: the benchmark is run by hand, and must not fall behind what it measures."""
    image = np.repeat(np.linspace(90, 110, 24 * 32, dtype=np.uint8).reshape(24, 32, 1), 3, axis=2)
    truth = np.repeat(np.arange(CLASSES, dtype=np.uint8), 3)[:24, None].repeat(32, axis=1)
    for kind, scores in clicked(image, truth, 0):
        for name, decide in contestants().items():
            if name != "scikit-image" or kind == "clicks":
                assert decide(image, scores).shape == truth.shape


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir() or not WEIGHTS.is_file(), reason=f"no CamVid at {DATA} or no {WEIGHTS}")
def test_refiners_are_as_good_as_their_peers_in_a_fraction_of_the_time(tmp_path: Path) -> None:
    """Of the processor's time, on one thread, from one run in which all take turns."""
    words = ["run", "experiment=camvid", "supervision=full", f"root={tmp_path}", "train.steps=300"]
    assert main([*words, "line=[ingest,validation,label,train]"]) == 0
    command = [sys.executable, "-m", "tests.benchmarks.refiners", str(tmp_path / "train"), PICTURES]
    environment = dict(os.environ, OMP_NUM_THREADS="1", FACTORY_DATA=str(DATA.parent))
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    print("\n" + done.stdout)
    figures = json.loads(done.stdout.splitlines()[-1])
    crf, peer = figures["fast_crf"], figures["dense_crf, as fast_crf"]
    for kind in ("model", "points"):
        assert peer[kind]["ms"] / crf[kind]["ms"] >= 8
        assert crf[kind]["miou"] > peer[kind]["miou"] - 0.3
    walk, walker = figures["random_walk"]["clicks"], figures["scikit-image"]["clicks"]
    assert walker["ms"] / walk["ms"] >= 30
    assert walk["miou"] > walker["miou"] - 0.1
    assert "gpu" not in figures or crf["model"]["ms"] / figures["gpu"]["fast_crf"]["ms"] >= 100
