"""Training on a GPU beside a plain Lightning loop: 360 × 480, batches of 8, turn by turn in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.benchmarks import lightning_loop
from tests.benchmarks.gpu_training import Watch, measured, photographs

ROUNDS, STEPS = int(os.environ.get("BENCH_ROUNDS", "3")), int(os.environ.get("BENCH_STEPS", "600"))
SMALL = ("model.encoder=tu-test_efficientnet", "model=unet")


@pytest.mark.filterwarnings("ignore:.*does not have many workers", "ignore:.*LeafSpec.*is deprecated")
def test_both_can_take_part(tmp_path: Path) -> None:
    """On a processor, in a few steps: whoever has a GPU must not be the first to notice what has changed."""
    data, clock = photographs(tmp_path / "data", 9, (40, 64)), Watch()
    found = measured("ours", data, 8, *SMALL)
    assert found["pictures"] is not None
    assert found["pictures"] > 0
    lightning_loop.train(data, steps=8, batch=4, tick=clock.tick, workers=0)
    assert len(clock.wall) == 8
    for busy in (found["busy"], clock.busy()):
        assert busy is None or (torch.cuda.is_available() and 0 <= busy <= 100)


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_trains_half_as_fast_again_as_by_a_plain_loop() -> None:
    """And has work for at least 85 % of the time."""
    module = [sys.executable, "-m", "tests.benchmarks.gpu_training"]
    rounds: list[dict[str, dict[str, float]]] = []
    for _ in range(ROUNDS):
        said = {
            who: subprocess.run([*module, who, str(STEPS)], capture_output=True, text=True, check=True).stdout
            for who in ("plain", "ours")
        }
        rounds.append({who: json.loads(text.splitlines()[-1]) for who, text in said.items()})
        print("\n", rounds[-1])
    assert np.mean([one["ours"]["pictures"] / one["plain"]["pictures"] for one in rounds]) >= 1.5
    assert np.mean([one["ours"]["busy"] for one in rounds]) >= 85
