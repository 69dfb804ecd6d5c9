"""A user's folder, the ingest stage run on it from the command line, and what it said."""

from pathlib import Path

import numpy as np
from PIL import Image

from factory.__main__ import main
from factory.core.dataset import Dataset

RNG = np.random.default_rng(1)
BOTH = np.repeat(np.array([[0, 1]], np.uint8), [20, 12], axis=1).repeat(24, axis=0)
"""A mask of sky and car, of a picture's size."""


def picture(path: Path, size_wh: tuple[int, int] = (32, 24)) -> Path:
    """A random photograph on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 255, (*size_wh[::-1], 3), np.uint8)).save(path)
    return path


def ingest(tmp_path: Path, *words: str, status: int = 0, name: str = "out") -> Dataset | None:
    """Run the stage from the command line."""
    given = [f"inputs.images={tmp_path}/in", "classes=[sky,car]", "executor=serial", f"out={tmp_path}/{name}", *words]
    assert main(["ingest", *given]) == status
    return Dataset.open(tmp_path / name) if status == 0 else None


def reasons(made: Dataset) -> dict[str, str]:
    """What was left out, and why."""
    return {issue["where"]: issue["reason"] for issue in made.header.issues}
