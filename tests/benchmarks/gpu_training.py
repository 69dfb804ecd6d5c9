"""How fast a GPU trains by us and by a plain Lightning loop, and how busy it is meanwhile.

``python -m tests.benchmarks.gpu_training ours|plain <steps> [key=value]`` runs one of them on photographs of 360 × 480
and prints pictures a second (steps after the first few), the share of time in which the GPU had work (nvidia-smi) and
the most of its memory that was taken.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
import torch

from factory.core.classes import ClassList
from factory.core.dataset import Dataset
from factory.core.sample import Supervision
from tests.artefacts import add_sample, written
from tests.benchmarks import lightning_loop, training_speed
from tests.benchmarks.training_speed import WARM, Clock

BATCH, CLASSES = 8, 11
ASK = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--loop-ms=200")


@dataclass
class Watch(Clock):
    """A clock that has the GPU watched once the first steps are through."""

    watcher: subprocess.Popen[str] | None = None

    def tick(self) -> None:
        """One step."""
        super().tick()
        if len(self.wall) == WARM and torch.cuda.is_available():
            self.watcher = subprocess.Popen(ASK, stdout=subprocess.PIPE, text=True)

    def busy(self) -> float | None:
        """Per cent of the time; None without a GPU, or where it was watched too shortly."""
        if self.watcher is None:
            return None
        self.watcher.terminate()
        said, _ = self.watcher.communicate()
        looks = [float(line) for line in said.split()]
        return float(np.mean(looks)) if looks else None


def photographs(target: Path, count: int, size_hw: tuple[int, int] = (360, 480)) -> Dataset:
    """Windows of scikit-image's astronaut; brightness, in eleven steps, is the class."""
    rng, whole, (height, width) = np.random.default_rng(0), skimage.data.astronaut(), size_hw
    with written(target) as out:
        out.classes = ClassList.of([f"class {number}" for number in range(CLASSES)])
        for number in range(count):
            top, left = (int(rng.integers(0, end - side + 1)) for end, side in zip(whole.shape, size_hw, strict=False))
            image = whole[top : top + height, left : left + width]
            mask = (image.mean(axis=2) * CLASSES / 256).astype(np.uint8)
            add_sample(out, f"window{number}", mask, image=image, supervision=Supervision.EXACT)
    return Dataset.open(target)


def measured(who: str, data: Dataset, steps: int, *words: str) -> dict[str, float | None]:
    """Pictures a second, per cent of the time that the GPU is busy, MiB of its memory."""
    clock = Watch()
    if who == "ours":
        chosen = ("model=deeplabv3plus", "model.encoder_weights=null", f"batch={BATCH}", "precision=auto", *words)
        training_speed.ours(data, None, steps, *chosen, clock=clock)
    else:
        lightning_loop.train(data, steps=steps, batch=BATCH, tick=clock.tick)
    busy = clock.busy()
    memory = torch.cuda.max_memory_reserved() / 2**20 if torch.cuda.is_available() else None
    return {"pictures": BATCH / clock.figures()["mean"], "busy": busy, "memory": memory}


if __name__ == "__main__":
    contestant, count, *more = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measured(contestant, photographs(Path(folder) / "data", 256), int(count), *more)))
