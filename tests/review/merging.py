"""What tests of merging share: corrections as they come back, and the data set they make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from factory.core.artefact import Artefact
from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.queue import Queue
from factory.exchange.cvat import Cvat
from factory.review.corrections import Rules
from factory.stages import merge
from tests import artefacts
from tests.artefacts import CLASSES

CVAT = Cvat()
SIZE = (6, 8)
COINS = np.array([[0, 0, 1, 1, IGNORE, IGNORE, 0, 0]] * 6, np.uint8)
HALF = np.array([[1, 1, 1, 1, 0, 0, 0, 0]] * 6, np.uint16)


def xml(folder: Path, masks: Mapping[str, np.ndarray]) -> Path:
    """The masks as CVAT would return them."""
    ((_, data),) = CVAT.write(masks.items(), CLASSES)
    (folder / "back.xml").write_bytes(data)
    return folder / "back.xml"


def merged(
    source: Dataset,
    corrections: Path,
    *,
    queue: Queue | None = None,
    name: str = "merged",
    codec: Any = CVAT,
    strict: bool = False,
    **rules: str,
) -> Dataset:
    """The data set `merge` makes."""
    target = corrections.parent / name
    with artefacts.written(target) as out:
        merge.run(
            source=source,
            corrections=corrections,
            queue=queue,
            out=out,
            codec=codec,
            rules=Rules(**rules),
            strict=strict,
        )
    return Dataset.open(target)


def only(data: Dataset, sample_id: str) -> Any:
    """A sample by its id."""
    return next(sample for sample in data.samples if sample.id == sample_id)


def reasons(artefact: Artefact) -> list[str]:
    """Where and why, for everything reported."""
    return [f"{issue['where']}: {issue['reason']}" for issue in artefact.header.issues]
