"""Counting what a frame shows towards a quota, before its colours are paid for.

A *wish* is {class_id, count: pixels | instances | images, size: [low, high) in shares of the frame, occlusion:
[low, high) in shares hidden, least: pixels below which a thing does not count}.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def tally(wishes: list[dict[str, Any]], class_ids_hw: npt.NDArray[Any], rows: list[dict[str, Any]]) -> list[int]:
    """How much the frame counts towards each wish."""
    return [_count(wish, _shown(wish["class_id"], class_ids_hw, rows), class_ids_hw.size) for wish in wishes]


def is_wanted(wishes: list[dict[str, Any]], counts: list[int]) -> bool:
    """Whether the frame brings anything that is still ``missing``."""
    return any(wish["missing"] > 0 and count > 0 for wish, count in zip(wishes, counts, strict=True))


def _count(wish: dict[str, Any], shown: list[tuple[int, float]], frame: int) -> int:
    (small, large), (clear, hidden) = wish["size"], wish["occlusion"]
    areas = [
        area
        for area, visible in shown
        if area >= wish["least"] and small <= area / frame < large and clear <= 1 - visible < hidden
    ]
    return {"pixels": sum(areas), "instances": len(areas), "images": min(len(areas), 1)}[wish["count"]]


def _shown(class_id: int, class_ids_hw: npt.NDArray[Any], rows: list[dict[str, Any]]) -> list[tuple[int, float]]:
    """(visible area, visible share) of each thing of the class; of stuff, all of it as one."""
    things = [(row["area"], row.get("visible_share", 1.0)) for row in rows if row["class_id"] == class_id]
    stuff = int(np.count_nonzero(class_ids_hw == class_id)) if not things else 0
    return things or ([(stuff, 1.0)] if stuff else [])
