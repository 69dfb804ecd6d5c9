"""A queue answered by a simulated person: the rehearsal before people are asked."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import numpy.typing as npt

from factory.core import masks
from factory.core.classes import IGNORE
from factory.core.dataset import Dataset, require_same_classes
from factory.core.errors import ArtefactError
from factory.core.queue import ANSWERS, LOG, Queue
from factory.core.sample import Sample
from factory.core.seeds import generator
from factory.core.writer import ReportWriter
from factory.execute.progress import Progress
from factory.ingest.supervision.annotator import Annotator, Answer
from factory.measure.cost import TAKEN, Cost


def run(*, queue: Queue, truth: Dataset, out: ReportWriter, seed: int, annotator: Annotator, cost: Cost) -> None:
    """Answer every picture of the queue from its true mask; ``cost`` says how long the person takes.

    Writes `masks/<id>.png` and `log.csv`. Each picture's slips are drawn by ``seed`` and its id alone.
    """
    out.classes = require_same_classes(truth, queue)
    asked = _asked(queue, truth)
    rows: list[list[object]] = []
    counted = {"images": 0, "images_unanswered": 0, "regions": 0, "pixels": 0, "pixels_wrong": 0}
    with Progress("answer", len(asked)) as progress:
        for sample in asked:
            regions_hw, truth_hw = queue.map("regions", sample.id), truth.truth(sample)
            answer = annotator(truth_hw, regions_hw, generator(seed, "answer", sample.id))
            progress.advance()
            if answer is None:
                counted["images_unanswered"] += 1
                continue
            out.write(f"{ANSWERS}/{sample.id}.png", masks.encode_png(answer.said_hw))
            mine = _times(queue, sample, answer, cost)
            rows += mine
            counted["images"] += 1
            counted["regions"] += len(mine)
            for name, value in _compared(answer.said_hw, truth_hw).items():
                counted[name] += value
    out.write(LOG, _table(rows))
    out.figures = counted | {"seconds": round(sum(float(str(row[-1])) for row in rows), 1)}


def _asked(queue: Queue, truth: Dataset) -> list[Sample]:
    there = {sample.id: sample for sample in truth.samples if sample.mask}
    wanted = list(dict.fromkeys(item.sample_id for item in queue.items))
    if absent := [sample_id for sample_id in wanted if sample_id not in there]:
        todo = "give a data set with the true masks of the pictures that were asked about"
        raise ArtefactError("the queue asks for pictures without truth", where=truth.root, got=absent[:5], todo=todo)
    for sample_id in wanted:
        size_hw = (there[sample_id].height, there[sample_id].width)
        if (got := queue.map("regions", sample_id).shape) != size_hw:
            todo = "give a truth of the size at which the queue was selected"
            raise ArtefactError(
                "the truth is not of the queue's size", where=f"{truth.root}: {sample_id}", got=size_hw, expected=got,
                todo=todo,
            )  # fmt: skip
    return [there[sample_id] for sample_id in wanted]


def _times(queue: Queue, sample: Sample, answer: Answer, cost: Cost) -> list[list[object]]:
    """A row for each of a picture's regions; opening it is told with the first."""
    rows: list[list[object]] = []
    for item in queue.items:
        if item.sample_id == sample.id:
            border = int(answer.border_r[item.region])
            seconds = cost.seconds(border) + (0 if rows else cost.image)
            rows.append([item.rank, sample.id, item.region, border, f"{seconds:.2f}"])
    return rows


def _compared(said_hw: npt.NDArray[np.uint8], truth_hw: npt.NDArray[np.uint8]) -> dict[str, int]:
    said = said_hw != IGNORE
    return {"pixels": int(said.sum()), "pixels_wrong": int((said & (said_hw != truth_hw)).sum())}


def _table(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["rank", "image", "region", "border", TAKEN])
    table.writerows(sorted(rows))
    return text.getvalue().encode()
