"""A training's history as rows of plain numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any


def as_csv(history: Sequence[Mapping[str, Any]]) -> bytes:
    """One line a validation, nested figures as ``val_iou.<class>``; nothing where a figure does not exist."""
    rows = [flat(row, ".") for row in history]
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def flat(row: Mapping[str, Any], separator: str) -> dict[str, Any]:
    """Nested figures on one level, ``val_iou`` and ``car`` as one name with a separator between."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        inner = flat(value, separator) if isinstance(value, Mapping) else None
        found |= {name: value} if inner is None else {f"{name}{separator}{key}": one for key, one in inner.items()}
    return found
