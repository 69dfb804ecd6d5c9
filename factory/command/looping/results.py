"""What the rounds of a loop brought: kept beside its steps, point by point, and drawn on one page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from factory.core import digests
from factory.core.dataset import Dataset
from factory.core.errors import ArtefactError
from factory.review.rounds import Point, Row
from factory.review.rounds_page import page
from factory.tune.locks import holding

FIGURES, PAGE, LOCK = "loop.json", "loop.html", ".loop.lock"


def keep(root: Path, point: Point) -> None:
    """Put a point's rows beside those of others, also of earlier sweeps into this folder, and draw the page anew."""
    root.mkdir(parents=True, exist_ok=True)
    with holding(root / LOCK):
        points = [other for other in read(root) if other.key != point.key] + [point]
        points.sort(key=lambda one: one.key)
        digests.write_atomically(root / FIGURES, digests.canonical([one.as_json() for one in points]))
        digests.write_atomically(root / PAGE, page(points, title=root.name))


def read(root: Path) -> list[Point]:
    """The points kept in a folder; none where nothing was kept."""
    path = root / FIGURES
    if not path.exists():
        return []
    try:
        return [Point.from_json(record) for record in json.loads(path.read_text())]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtefactError.of(error, what="unreadable figures of a loop", where=path, todo="delete it") from error


def start(judged: dict[str, Any], asked: Path) -> Row:
    """The row before anybody is asked: the clicks that the data set to be asked about holds already."""
    clicks = sum(len(sample.hints.points) for sample in Dataset.open(asked).samples)
    return Row(round=0, regions=0, pixels=clicks, seconds=0.0, precision=None, miou=_measured(judged))


def _measured(judged: dict[str, Any]) -> float | None:
    """None where there is nothing to measure on, or nobody knows the truth."""
    miou: float | None = judged.get("miou", judged.get("val_miou"))
    return miou


def pixels_added(figures: dict[str, Any]) -> int:
    """Pixels that a merge made people's, and that were not before."""
    return int(figures["pixels_human"]) - int(figures["pixels_replaced_by_origin"]["human"])


def regions_added(figures: dict[str, Any]) -> int:
    """Regions that came back in a merge; none where all it says was said before, as of the same answers again."""
    return int(figures["regions_returned"]) if pixels_added(figures) else 0


def row_of(
    number: int, *, seconds: float, merged: Sequence[dict[str, Any]], judged: dict[str, Any], before: Row
) -> Row:
    """A round's row: what its answers took, what its merges counted, how its model did; sums go on over the rounds.

    A region that several people answered counts once, though each of them says whether it was worth asking.
    The precision is None where a merge cannot tell it: see `factory.review.tally.Tally.figures`.
    """
    new = [one for one in merged if pixels_added(one)]
    regions, changed = (sum(int(one[name]) for one in new) for name in ("regions_returned", "regions_changed"))
    told = all(one["queue_precision"] is not None for one in new if one["regions_returned"])
    return Row(
        round=number,
        regions=before.regions + regions - sum(int(one["regions_again"]) for one in new),
        pixels=before.pixels + sum(map(pixels_added, merged)),
        seconds=round(before.seconds + seconds, 1),
        precision=changed / regions if regions and told else None,
        miou=_measured(judged),
    )
