"""Pictures of dark discs on a bright ground, and calibrations on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from factory.__main__ import main
from factory.core.artefact import Report
from factory.core.classes import ClassList

CLASSES = ClassList.of(["ground", "disc"])


def scene(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A dark disc somewhere on a bright, noisy ground, and its mask."""
    rng = np.random.default_rng(number)
    rows, columns = np.mgrid[0:48, 0:64]
    middle = rng.uniform(14, 34), rng.uniform(14, 50)
    mask = ((rows - middle[0]) ** 2 + (columns - middle[1]) ** 2 < rng.uniform(7, 12) ** 2).astype(np.uint8)
    image = 180 - 90 * mask[..., None] + rng.normal(0, 12, (48, 64, 3))
    return image.clip(0, 255).astype(np.uint8), mask


def calibrate(scenes: Path, out: Path, *words: str, status: int = 0) -> Report | None:
    """From the command line, few trials."""
    given = [f"source={scenes}", "supervision.count=8", "trials=4", "executor=serial", "drawn=2", f"out={out}", *words]
    assert main(["calibrate", *given]) == status
    return Report.open(out) if status == 0 else None
