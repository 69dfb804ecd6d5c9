"""How fast a training step is beside the plain loop: the same pictures, model, batch, loss and optimiser.

``python -m tests.benchmarks.training_speed <label artefact> <weights> ours|plain <steps> [key=value]`` runs one of
them and prints seconds a step (wall and of the processor, medians after warming up) and the most memory it held.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from factory.command.bind import bind
from factory.core.artefact import Kind
from factory.core.dataset import Dataset
from factory.segment.evidence import Evidence
from factory.segment.losses.cross_entropy import CrossEntropy
from factory.segment.models import Outputs
from factory.stages import train
from tests.artefacts import written
from tests.benchmarks import plain_loop
from tests.command.composing import composed

WARM = 5


@dataclass
class Clock:
    """Notes the time whenever a step comes by."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def tick(self) -> None:
        """One step."""
        self.wall.append(time.perf_counter())
        self.processor.append(time.process_time())

    def figures(self) -> dict[str, float]:
        """Medians over the steps after the first few, and their mean: a GPU's steps are asked for ahead; MiB."""
        steps = {name: np.diff(times)[WARM:] for name, times in (("wall", self.wall), ("processor", self.processor))}
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        medians = {name: float(np.median(values)) for name, values in steps.items()}
        return medians | {"mean": float(np.mean(steps["wall"])), "memory": memory}


@dataclass(frozen=True, kw_only=True)
class Ticking(CrossEntropy):
    """Cross-entropy that tells a clock."""

    clock: Clock

    def __call__(self, outputs: Outputs, evidence: Evidence) -> torch.Tensor:
        """See `CrossEntropy`."""
        self.clock.tick()
        return super().__call__(outputs, evidence)


def ours(data: Dataset, weights: Path | None, steps: int, *words: str, clock: Clock | None = None) -> dict[str, float]:
    """The train stage without a validation, flips for augmentation as in the plain loop."""
    chosen = ["loss=ce", "augmentation=flip", "precision=32-true", f"steps={steps}", "save_every=100000", *words]
    ((config, _),) = composed("train", *chosen)
    clock = clock or Clock()
    with tempfile.TemporaryDirectory() as folder, written(Path(folder) / "model", Kind.MODEL) as out:
        replaced = {"loss": {"ce": Ticking(clock=clock)}, "cache": folder}
        parts: dict[str, Any] = dict(bind("train", config).parts) | replaced
        inputs: dict[str, Any] = dict.fromkeys(config["inputs"]) | {"real": data, "weights": weights}
        train.run(**parts, **inputs, out=out)
    return clock.figures()


def plain(data: Dataset, weights: Path, steps: int) -> dict[str, float]:
    """The loop that anyone would write."""
    clock = Clock()
    plain_loop.train(data, weights, steps=steps, batch=8, seed=0, tick=clock.tick)
    return clock.figures()


if __name__ == "__main__":
    where, file, who, count, *more = sys.argv[1:]
    torch.set_num_threads(1)
    contestants: dict[str, Callable[..., dict[str, float]]] = {"ours": ours, "plain": plain}
    print(json.dumps(contestants[who](Dataset.open(Path(where)), Path(file), int(count), *more)))
