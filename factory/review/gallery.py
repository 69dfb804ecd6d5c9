"""The ranked queue as a gallery: one card a region, and the uncertainty of whole images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from factory.core import masks
from factory.core.dataset import Dataset
from factory.core.queue import Example, Queue, QueueItem
from factory.core.sample import Sample
from factory.core.words import many
from factory.review import pictures
from factory.review.charts import number
from factory.review.pictures import Picture
from factory.review.queue import overlay, queued_samples
from factory.review.sections import Section, Strip, Table

CARDS, ROWS = 48, 1000


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """A known pixel that looks like the region, in the middle of its surroundings."""

    class_name: str
    colour: tuple[int, int, int]
    picture: Picture


@dataclass(frozen=True, kw_only=True)
class Card:
    """One queued region; ``share`` is its part of the image."""

    rank: int
    sample_id: str
    class_name: str
    colour: tuple[int, int, int]
    score: str
    scores: tuple[tuple[str, str], ...]
    pixels: int
    share: float
    reason: str
    alternatives: str
    takes: str
    pictures: tuple[Picture, Picture]
    nearest: tuple[Nearest, ...]


def uncertainty(queue: Queue, source: Dataset, *, examples: int) -> Section | None:
    """Whole images with their queued regions, most urgent first."""
    strips = []
    for sample in queued_samples(queue, source)[:examples]:
        doubt = pictures.heat(queue.map("uncertainty", sample.id).astype(np.uint8))
        mine = [item.rank for item in queue.items if item.sample_id == sample.id]
        strips.append(
            Strip(
                name=sample.id,
                note=f"{many(len(mine), 'region')}, {'the first ' if mine[1:] else ''}ranked {mine[0]}",
                pictures=(
                    pictures.photo(source.image(sample), f"Real image {sample.id}", longest=640),
                    pictures.photo(overlay(queue, source, sample), f"{sample.id}: proposal and regions", longest=640),
                    pictures.flat(doubt, f"Uncertainty of {sample.id}, bright is unsure"),
                ),
            )
        )
    if not strips:
        return None
    lead = "Where the model is unsure about real images, and the regions that are worth a person's look."
    columns = ("Image", "Proposal, regions by rank", "Uncertainty (bright is unsure)")
    return Section(key="uncertainty", title="Uncertainty", lead=lead, columns=columns, strips=tuple(strips))


def cards(queue: Queue, source: Dataset) -> list[Card]:
    """The first `CARDS` regions."""
    there = {sample.id: sample for sample in source.samples}

    @lru_cache(maxsize=8)
    def maps(sample_id: str) -> tuple[pictures.Image8, pictures.Image8, npt.NDArray[Any]]:
        proposal = queue.map("proposals", sample_id).astype(np.uint8)
        return source.image(there[sample_id]), proposal, queue.map("regions", sample_id)

    return [_card(item, source, there, *maps(item.sample_id)) for item in queue.items[:CARDS]]


def table(queue: Queue, source: Dataset) -> Table:
    """Every region in words, up to `ROWS`."""
    names = source.classes.names
    rows = tuple(
        (item.rank, item.sample_id, names[item.class_id], f"{item.pixels:,}", number(item.score), item.reason)
        for item in queue.items[:ROWS]
    )
    title = f"The first {ROWS} regions" if len(queue.items) > ROWS else "Every region"
    return Table(title=title, head=("Rank", "Image", "Class", "Pixels", "Score", "Reason"), rows=rows)


def _card(
    item: QueueItem,
    source: Dataset,
    there: Mapping[str, Sample],
    image: pictures.Image8,
    proposal_hw: pictures.Image8,
    regions_hw: npt.NDArray[Any],
) -> Card:
    sample = there[item.sample_id]
    window = pictures.around(item.box, (sample.height, sample.width))
    region_hw = (regions_hw == item.region)[window].astype(np.uint8)
    factor = max(1, -(-240 // max(region_hw.shape)))
    plain = pictures.enlarged(image[window], factor, smooth=True)
    outline, proposal_hw = (
        pictures.enlarged(layer, factor, smooth=False) for layer in (region_hw, proposal_hw[window])
    )
    laid = masks.overlay(plain, proposal_hw, source.classes, opacity=0.45)
    name, width = f"Region {item.rank} of {sample.id}", max(2, max(outline.shape) // 165)
    shown = [
        pictures.photo(pictures.outlined(view, outline, width=width), what, longest=330)
        for view, what in ((plain, f"{name}, photograph"), (laid, f"{name}, with the proposal"))
    ]
    return Card(
        rank=item.rank,
        sample_id=item.sample_id,
        class_name=source.classes.names[item.class_id],
        colour=source.classes.colours[item.class_id],
        score=number(item.score),
        scores=tuple((name.replace("_", " "), number(value)) for name, value in sorted(item.scores.items())),
        pixels=item.pixels,
        share=item.pixels / (sample.width * sample.height),
        reason=item.reason,
        alternatives=", ".join(f"{source.classes.names[other]} {share:.0%}" for other, share in item.alternatives[1:]),
        takes=f"about {item.seconds:.0f} s, {many(item.clicks, 'click')}",
        pictures=(shown[0], shown[1]),
        nearest=tuple(_nearest(example, source, there) for example, _ in item.nearest),
    )


def _nearest(example: Example, source: Dataset, there: Mapping[str, Sample]) -> Nearest:
    sample = there[example.sample_id]
    side = min(max(sample.width, sample.height) // 6 + 1, sample.width, sample.height)
    rows, columns = (_span(*place, side) for place in ((example.y, sample.height), (example.x, sample.width)))
    around_hwc = source.image(sample)[rows, columns]
    factor = max(1, -(-96 // max(around_hwc.shape)))
    name = source.classes.names[example.class_id]
    shown = pictures.photo(pictures.enlarged(around_hwc, factor, smooth=True), f"{name} in {sample.id}", longest=120)
    return Nearest(class_name=name, colour=source.classes.colours[example.class_id], picture=shown)


def _span(middle: int, length: int, side: int) -> slice:
    """``side`` pixels around one, moved to lie within ``length``."""
    start = min(max(middle - side // 2, 0), length - side)
    return slice(start, start + side)
