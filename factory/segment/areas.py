"""How much of a picture each class covers, as rows of a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from factory.core.classes import IGNORE, ClassList

COLUMNS = ("file", "id", "class", "pixels", "share", "mean_confidence")
UNSURE = "(unsure)"
"""Stands for a class where pixels were not sure enough to be given one."""

ROWS = 256
"""Rows counted at a time: counting widens each pixel to eight bytes."""

Map8 = npt.NDArray[np.uint8]


def areas(
    file: str, sample_id: str, mask_hw: Map8, confidence_hw: Map8, classes: ClassList
) -> Iterator[tuple[str, ...]]:
    """A row a class, there or not, then one for ignored pixels if there are any.

    Confidence (255 is certain) is averaged over the class's pixels, and empty where it has none.
    """
    counts, sums = np.zeros(256, np.int64), np.zeros(256)
    for top in range(0, len(mask_hw), ROWS):
        ids, sure = mask_hw[top : top + ROWS].ravel(), confidence_hw[top : top + ROWS].ravel()
        counts += np.bincount(ids, minlength=256)
        sums += np.bincount(ids, weights=sure, minlength=256)
    named = [*enumerate(classes.names), *([(IGNORE, UNSURE)] if counts[IGNORE] else [])]
    for class_id, name in named:
        pixels = int(counts[class_id])
        known = pixels and class_id != IGNORE
        confidence = f"{sums[class_id] / pixels / 255:.4f}" if known else ""
        yield file, sample_id, name, str(pixels), f"{pixels / mask_hw.size:.6f}", confidence


def as_csv(rows: Iterable[tuple[str, ...]]) -> bytes:
    """Rows as UTF-8 text with commas."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
