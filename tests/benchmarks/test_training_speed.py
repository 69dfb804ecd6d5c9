"""A training step beside the plain loop's: time and memory, turn by turn in processes of their own.

Run by ``make bench``; FACTORY_DATA and FACTORY_WEIGHTS say where data and weights are. Prints the figures that
BENCHMARKS.md keeps.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from factory.__main__ import main
from tests.benchmarks import training_speed
from tests.benchmarks.test_camvid import DATA, WEIGHTS
from tests.segment.training import bright_squares

PLAIN = ("model.encoder_weights=null", "model.encoder=tu-mobilenetv3_small_050", "model=unet")
ROUNDS, STEPS = int(os.environ.get("BENCH_ROUNDS", "3")), int(os.environ.get("BENCH_STEPS", "25"))


def measured(who: str, data: Path) -> dict[str, float]:
    """Medians of one process."""
    command = [sys.executable, "-m", "tests.benchmarks.training_speed", str(data), str(WEIGHTS), who, str(STEPS)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=dict(os.environ, OMP_NUM_THREADS="1")
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_step_can_be_timed(tmp_path: Path) -> None:
    """Ours in a few steps, so that the long measurement below is not the first to notice what has changed."""
    found = training_speed.ours(
        bright_squares(tmp_path / "squares", 8), None, training_speed.WARM + 3, "batch=2", *PLAIN
    )
    assert found["wall"] > 0
    assert found["memory"] > 0


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir() or not WEIGHTS.is_file(), reason=f"no CamVid at {DATA} or no {WEIGHTS}")
def test_a_step_takes_no_longer_than_the_plain_loops(tmp_path: Path) -> None:
    """By the processor's time, which neighbours on the machine disturb least; and no more memory."""
    words = ["run", "experiment=camvid", "supervision=full", f"root={tmp_path}", "line=[ingest,label]"]
    assert main(words) == 0
    rounds = [{who: measured(who, tmp_path / "label") for who in ("plain", "ours")} for _ in range(ROUNDS)]
    table = {
        who: {name: [one[who][name] for one in rounds] for name in ("processor", "wall", "memory")}
        for who in ("plain", "ours")
    }
    for who, figures in table.items():
        said = ", ".join(f"{name} {np.mean(values):.2f} ± {np.std(values):.2f}" for name, values in figures.items())
        print(f"\n{who}: {said} (seconds a step, seconds, MiB)")
    ratios = [one["plain"]["processor"] / one["ours"]["processor"] for one in rounds]
    print(f"pictures a second beside the plain loop: {np.mean(ratios):.2f} ± {np.std(ratios):.2f}")
    assert np.mean(ratios) >= 0.97
