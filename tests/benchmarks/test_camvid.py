"""CamVid from clicks and from full masks: our training beside a plain loop, same data, same steps, same measure.

Run by ``make bench``; FACTORY_DATA and FACTORY_WEIGHTS say where data and weights are, BENCH_STEPS (600) how long and
BENCH_SEED (0) which seed. Prints the row that BENCHMARKS.md keeps.
"""

import os
import time
from pathlib import Path

import pytest

from factory.__main__ import main
from factory.core.artefact import Report
from factory.core.dataset import Dataset
from tests.benchmarks.plain_loop import train_and_measure

DATA = Path(os.environ.get("FACTORY_DATA", "../shared/data")) / "camvid"
WEIGHTS = Path(os.environ.get("FACTORY_WEIGHTS", "../shared/weights")) / "mobilenet_v2_imagenet.safetensors"
STEPS, SEED = int(os.environ.get("BENCH_STEPS", "600")), int(os.environ.get("BENCH_SEED", "0"))


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir() or not WEIGHTS.is_file(), reason=f"no CamVid at {DATA} or no {WEIGHTS}")
@pytest.mark.parametrize("supervision", ["points", "full"])
def test_training_is_at_least_as_good_as_a_plain_loop(supervision: str, tmp_path: Path) -> None:
    """The mean IoU over all validation frames; the plain loop's figure comes from the same run."""
    words = [f"supervision={supervision}", f"root={tmp_path}", f"seed={SEED}", f"train.steps={STEPS}"]
    began = time.monotonic()
    assert main(["run", "experiment=camvid", *words, "line=[ingest,validation,label,train,evaluate]"]) == 0
    ours, middle = Report.open(tmp_path / "evaluate").figures["miou"], time.monotonic()
    train, val = (Dataset.open(tmp_path / name) for name in ("label", "validation"))
    plain = train_and_measure(train, val, WEIGHTS, steps=STEPS, batch=8, seed=SEED)
    ended = time.monotonic()
    figures = f"ours {100 * ours:.1f}, plain loop {100 * plain:.1f} mIoU"
    seconds = f"seconds {middle - began:.0f} and {ended - middle:.0f}"
    print(f"\ncamvid {supervision}, {STEPS} steps, seed {SEED}: {figures}; {seconds}")
    assert ours >= plain
