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
import skimage.data
import torch

from factory.__main__ import main
from tests.benchmarks.refiners import CLASSES, clicked, configured, contestants, milliseconds
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


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_refines_a_hundred_times_as_fast_as_one_core() -> None:
    """Eight photographs of 360 × 480 in a batch; the core takes them one by one, on one thread."""
    image = skimage.data.astronaut()[:360, :480]
    scores = np.random.default_rng(0).dirichlet(np.full(CLASSES, 0.3), image.shape[:2]).transpose(2, 0, 1)
    images = torch.tensor(np.stack([image] * 8)).permute(0, 3, 1, 2)
    batch = torch.tensor(np.stack([scores] * 8), dtype=torch.float32)
    refiner, threads = configured("refiner", "fast_crf"), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        core = milliseconds(lambda: refiner.posterior(images[:1], batch[:1]))
    finally:
        torch.set_num_threads(threads)
    there = images.cuda(), batch.cuda()
    gpu = milliseconds(lambda: refiner.posterior(*there)) / len(batch)
    print(f"\nfast_crf: {core:.1f} ms a picture on one core, {gpu:.3f} on a GPU: {core / gpu:.0f} times as fast")
    assert core / gpu >= 100
