"""A search without training: a smooth hill over two keys. Run as a program, to be killed or to have company."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from factory.core.artefact import Identity
from factory.execute.reporting import Listener
from factory.tune.ledger import Claim, Ledger
from factory.tune.pruners import Never, Pruner
from factory.tune.samplers import Sampler, Tpe
from factory.tune.search import Figures, search
from factory.tune.space import Choices, Dimension, Numbers

SPACE = {"lr": Numbers(low=1e-5, high=1.0, log=True), "kind": Choices(words=("a", "b"))}

PAUSE = 0.03 if __name__ == "__main__" else 0.0
"""Between reports: time to be killed in."""


def opened(
    folder: Path,
    *,
    sampler: Sampler | None = None,
    pruner: Pruner | None = None,
    direction: str = "maximize",
    keep: str = "best",
    space: Mapping[str, Dimension] = SPACE,
    **config: Any,
) -> Ledger:
    """The study in a folder."""
    return Ledger.open(
        folder,
        settings=Identity(stage="tune", config=config, seed=0, inputs={}, code=""),
        space=space,
        sampler=sampler or Tpe(startup=3),
        pruner=pruner or Never(),
        direction=direction,
        keep=keep,
    )


def height(words: dict[str, str]) -> float:
    """Highest, 1.5, at lr 0.01 and kind a."""
    return (words["kind"] == "a") + 0.5 - abs(math.log10(float(words["lr"])) + 2) / 8


def climb(claim: Claim, listener: Listener) -> Figures:
    """Five reports on the way up; a file says that the trial was begun."""
    claim.folder.mkdir(parents=True, exist_ok=True)
    with (claim.folder.parents[1] / "begun.txt").open("a") as log:
        log.write(f"{claim.number} {claim.words['lr']}\n")
    for step in range(1, 6):
        time.sleep(PAUSE)
        listener(step, height(claim.words) * step / 5)
    (claim.folder / "made").write_text("whole")
    return {"height": height(claim.words)}


def done(ledger: Ledger, trials: int) -> list[int]:
    """The numbers of the trials that this process finished."""
    return [trial.number for trial in search(ledger, trials=trials, figure="height", carry_out=climb)]


if __name__ == "__main__":
    print(*done(opened(Path(sys.argv[1])), int(sys.argv[2])))
