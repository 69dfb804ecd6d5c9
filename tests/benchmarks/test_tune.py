"""What a search is worth: CamVid's full masks at 80 × 60, forty steps of four pictures, from poor learning rates.

Run by ``make bench``; FACTORY_DATA and FACTORY_WEIGHTS say where data and weights are, BENCH_TRIALS (12) how many
trials, BENCH_SEED (0) which seed. Prints the row that BENCHMARKS.md keeps.
"""

import json
import os
import time
from pathlib import Path

import pytest

from factory.__main__ import main
from factory.core.artefact import Report

DATA = Path(os.environ.get("FACTORY_DATA", "../shared/data")) / "camvid"
WEIGHTS = Path(os.environ.get("FACTORY_WEIGHTS", "../shared/weights")) / "mobilenet_v2_imagenet.safetensors"
TRIALS, SEED = int(os.environ.get("BENCH_TRIALS", "12")), int(os.environ.get("BENCH_SEED", "0"))
SMALL = ["ingest.size=[80,60]", "validation.size=[80,60]", "train.steps=40", "train.batch=4", "train.validate_every=10"]
POOR = ["train.encoder_lr=1e-5", "train.decoder_lr=1e-4"]
SPACE = ["space.train.encoder_lr=log:1e-5:1e-1", "space.train.decoder_lr=log:1e-5:1e-1"]


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir() or not WEIGHTS.is_file(), reason=f"no CamVid at {DATA} or no {WEIGHTS}")
def test_a_search_repairs_poor_learning_rates(tmp_path: Path) -> None:
    """Mean IoU over the validation frames with poor rates, with the factory's own, and with those that were found."""
    line = ["experiment=camvid", "supervision=full", *SMALL, f"seed={SEED}", f"root={tmp_path}/root"]
    steps = "line=[ingest,validation,label,train,evaluate]"
    figures = {}
    for name, words in (("poor", POOR), ("default", [])):
        assert main(["run", *line, steps, *words, "overwrite=true"]) == 0
        figures[name] = Report.open(tmp_path / "root" / "evaluate").figures["miou"]
    began = time.monotonic()
    assert (
        main(["tune", "stage=run", *line, *SPACE, "sampler.startup=5", f"trials={TRIALS}", f"out={tmp_path}/tune"]) == 0
    )
    seconds = time.monotonic() - began
    assert main(["run", f"experiment={tmp_path}/tune/best.yaml", f"root={tmp_path}/again", steps]) == 0
    figures["found"] = Report.open(tmp_path / "again" / "evaluate").figures["miou"]
    trials = json.loads((tmp_path / "tune" / "history.json").read_text())
    given_up = sum(trial["state"] == "given up" for trial in trials)
    best = max((trial for trial in trials if trial["state"] == "done"), key=lambda trial: trial["value"])
    row = ", ".join(f"{name} {100 * value:.1f}" for name, value in figures.items())
    print(f"\ncamvid at 80 × 60, 40 steps of 4, seed {SEED}: mIoU {row}")
    print(f"{TRIALS} trials, {given_up} given up, {seconds:.0f} s")
    print(f"found {best['settings']} in trial {best['trial']}")
    assert figures["found"] == best["value"]
    assert figures["found"] > 1.5 * figures["poor"]
