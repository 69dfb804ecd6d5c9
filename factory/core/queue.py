"""The correction queue: ranked regions of real images worth a person's minute, as a sealed artefact.

queue.json              the items in rank order
regions/<id>.png        16-bit: the item's `region` number, 0 for pixels not queued
proposals/<id>.png      8-bit: the model's class ids over the whole image, the pre-annotation
uncertainty/<id>.png    8-bit: predictive entropy, 255 = log(number of classes)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from factory.core import digests, masks
from factory.core.artefact import Artefact, Kind
from factory.core.errors import ArtefactError
from factory.core.writer import Writer

NAME = "queue.json"
ANSWERS, LOG = "masks", "log.csv"
"""Where a report of answers to a queue holds them: PNGs of class ids, and a table of the times they took."""
MAPS = ("regions", "proposals", "uncertainty")


class Example(NamedTuple):
    """A pixel whose class is known: the picture it is in, its place (x right, y down), and its class."""

    sample_id: str
    x: int
    y: int
    class_id: int


@dataclass(frozen=True, kw_only=True)
class QueueItem:
    """One region to look at.

    ``region`` is its number in the image's regions map, ``box`` is (x0, y0, x1, y1) with exclusive ends, ``class_id``
    the model's majority class there, ``score`` what it was ranked by, ``scores`` every figure known of it (means over
    the region, in nats), ``reason`` one sentence for the annotator. ``alternatives`` are other classes it may be, each
    (class id, probability), the likeliest first. ``border``, ``clicks`` and ``seconds`` are what the answer is expected
    to take, by the proposal: pixels of border within the region, clicks, time without that of opening the image.
    ``nearest`` are known pixels of other images that look most like it to the model, with the cosine of the angle.
    """

    rank: int
    sample_id: str
    region: int
    box: tuple[int, int, int, int]
    pixels: int
    class_id: int
    score: float
    scores: dict[str, float]
    reason: str
    alternatives: tuple[tuple[int, float], ...] = ()
    border: int = 0
    clicks: int = 1
    seconds: float = 0.0
    nearest: tuple[tuple[Example, float], ...] = ()


class Queue(Artefact):
    """A sealed queue opened for reading."""

    kind = Kind.QUEUE

    @cached_property
    def items(self) -> tuple[QueueItem, ...]:
        """The items, most urgent first."""
        try:
            rows = json.loads(self.path(NAME).read_text())
            return tuple(_item(row) for row in rows)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtefactError.of(error, what="unreadable queue", where=self.path(NAME)) from error

    def map(self, name: str, sample_id: str) -> npt.NDArray[Any]:
        """One of the image-sized maps (see `MAPS`) of an image that has items in the queue."""
        return masks.read_png(self.path(f"{name}/{sample_id}.png"))


def _item(row: dict[str, Any]) -> QueueItem:
    others = tuple((int(class_id), float(sure)) for class_id, sure in row.get("alternatives", ()))
    nearest = tuple((Example(*example), float(likeness)) for example, likeness in row.get("nearest", ()))
    return QueueItem(**row | {"box": tuple(row["box"]), "alternatives": others, "nearest": nearest})


def write_maps(
    out: Writer,
    sample_id: str,
    *,
    regions: npt.NDArray[np.uint16],
    proposal: npt.NDArray[np.uint8],
    uncertainty: npt.NDArray[np.uint8],
) -> None:
    """Write the three maps of one image."""
    for name, pixels in zip(MAPS, (regions, proposal, uncertainty), strict=True):
        out.write(f"{name}/{sample_id}.png", masks.encode_png(np.asarray(pixels)))


def write_items(out: Writer, items: Sequence[QueueItem]) -> None:
    """Write the queue's list."""
    out.write(NAME, digests.canonical([asdict(item) for item in items]))
