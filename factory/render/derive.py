"""Quotas nobody has to think of: from a data set that lacks classes, or from the last selection's doubts."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from factory.core import masks
from factory.core.classes import ClassList
from factory.core.dataset import Dataset
from factory.core.errors import InputError
from factory.core.queue import Queue
from factory.core.sample import Sample, Split


def derived(lacking: Dataset | Queue, classes: ClassList, *, frames: int) -> dict[str, Any]:
    """A quota for at most ``frames`` pictures of the pack's ``classes``; classes are matched by name."""
    assert lacking.classes is not None
    if not (shared := [name for name in classes.names if name in lacking.classes.names]):
        got, expected = ", ".join(lacking.classes.names), f"some of {', '.join(classes.names)}"
        raise InputError("no class in common with the scene", where=lacking.root, got=got, expected=expected)
    wanted = _of_queue(lacking, shared, frames) if isinstance(lacking, Queue) else _of_dataset(lacking, shared, frames)
    return {name: {"images": images} for name, images in wanted.items() if images}


def _of_dataset(data: Dataset, shared: list[str], frames: int) -> dict[str, int]:
    """Bring every class up to the median number of training images in which classes are seen, of those that are.

    No class is asked for in more than three of four frames, so that several can be met by the same frames. `InputError`
    where no class is seen at all.
    """
    images: Counter[str] = Counter()
    for sample in data.where(split=Split.TRAIN):
        images.update(_seen(data, sample))
    if not (seen := [images[name] for name in shared if images[name]]):
        todo = "say what is wanted, as in quota.<class>.images=40"
        raise InputError("no training picture shows a class of the scene", where=data.root, got=shared, todo=todo)
    goal = math.ceil(float(np.median(seen)))
    most = max(1, frames * 3 // 4)
    return {name: min(max(goal - images[name], 0), most) for name in shared}


def _seen(data: Dataset, sample: Sample) -> set[str]:
    """Names of the classes that the sample's mask or hints show."""
    hints = sample.hints
    ids = {*hints.tags, *(point[2] for point in hints.points), *(box[4] for box in hints.boxes)}
    drawn = filter(None, (hints.scribbles, hints.masks, sample.mask))
    ids.update(*(np.unique(masks.read_png(data.path(path))).tolist() for path in drawn))
    return {data.classes.names[i] for i in ids if i < len(data.classes)}


def _of_queue(queue: Queue, shared: list[str], frames: int) -> dict[str, int]:
    """Share the frames among the classes in proportion to the uncertainty (score) queued for each."""
    assert queue.classes is not None
    doubt: Counter[str] = Counter()
    for item in queue.items:
        doubt[queue.classes.names[item.class_id]] += max(item.score, 0.0)  # type: ignore[assignment]
    total = sum(doubt[name] for name in shared)
    if not total:
        raise InputError("the queue doubts none of the scene's classes", where=queue.root, expected=", ".join(shared))
    return {name: round(frames * doubt[name] / total) for name in shared}
