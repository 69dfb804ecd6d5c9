"""A training's history as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any


def as_csv(history: Sequence[Mapping[str, Any]]) -> bytes:
    """One line a validation, nested figures as ``val_iou.<class>``; nothing where a figure does not exist."""
    rows = [_flat(row) for row in history]
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        inner = (
            {f"{name}.{key}": child for key, child in value.items()} if isinstance(value, Mapping) else {name: value}
        )
        flat |= inner
    return flat
