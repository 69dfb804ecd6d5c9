"""Predict a split and measure it; a classical method may be measured beside the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from factory.core import digests, masks
from factory.core.artefact import Model, Report
from factory.core.dataset import Dataset
from factory.core.errors import ArtefactError, ConfigError
from factory.core.sample import Sample, Split
from factory.core.writer import ReportWriter
from factory.execute.progress import Progress
from factory.measure import matrix
from factory.measure import pictures as drawing
from factory.measure.scores import Scores
from factory.segment.data import resize_image, resize_mask
from factory.segment.opening import open_model
from factory.segment.predict import Predictor, TileFunction

Image8 = npt.NDArray[np.uint8]


class Peer(Protocol):
    """A method that needs no model: ``peer(image_hwc) -> class ids (H, W)``."""

    def __call__(self, image_hwc: Image8) -> Image8:
        """Class ids of one picture."""


def run(
    *,
    model: Model | Report | Dataset | Path,
    source: Dataset,
    out: ReportWriter,
    name: str,
    split: str,
    checkpoint: str,
    tta: Callable[[TileFunction], TileFunction],
    peer: Peer | None,
    size: Sequence[int] | None,
    overlap: float,
    batch: int,
    pictures: int,
) -> None:
    """Measure the split's rows that have masks.

    Writes `metrics.json`, `confusion.png`, `predictions/<id>.png` (class ids) and `pictures/<id>.png`.
    """
    predictor = _predictor(model, source, checkpoint, overlap, batch, tta)
    rows = _rows(source, split)
    size_hw = (int(size[0]), int(size[1])) if size else None
    methods: dict[str, Callable[[Image8], Image8]] = {"ours": lambda image: _argmax(predictor, image, size_hw)}
    if peer:
        methods[type(peer).__name__.lower()] = lambda image: resize_mask(peer(image), size_hw)
    scores = {method: Scores(len(source.classes)) for method in methods}
    drawn = {rows[i].id for i in np.linspace(0, len(rows) - 1, min(pictures, len(rows))).round().astype(int)}
    with Progress("evaluate", len(rows)) as progress:
        for sample in rows:
            image_hwc, truth_hw = source.image(sample), resize_mask(source.mask(sample), size_hw)
            found = {method: predict(image_hwc) for method, predict in methods.items()}
            for method, guess_hw in found.items():
                scores[method].add(truth_hw, guess_hw)
            out.write(f"predictions/{sample.id}.png", masks.encode_png(found["ours"]))
            if sample.id in drawn:
                small_hwc = resize_image(image_hwc, size_hw)
                sheet = drawing.strip(small_hwc, truth_hw, found["ours"], source.classes, "prediction")
                out.write(f"pictures/{sample.id}.png", masks.encode_png(sheet))
            progress.advance()
    _state(out, name, split, scores, source)


def _state(out: ReportWriter, name: str, split: str, scores: dict[str, Scores], source: Dataset) -> None:
    out.classes = source.classes
    rows = [{"name": method, **score.figures(source.classes)} for method, score in scores.items()]
    metrics: dict[str, Any] = {
        "name": name,
        "split": split,
        "rows": rows,
        "confusion": {method: score.confusion.counts_kk.tolist() for method, score in scores.items()},
    }
    out.write("metrics.json", digests.canonical(metrics))
    out.write("confusion.png", masks.encode_png(matrix.draw(scores["ours"].confusion.counts_kk, source.classes)))
    for row in rows:
        prefix = "" if row["name"] == "ours" else f"{row['name']}_"
        out.figures |= {f"{prefix}{key}": row[key] for key in ("miou", "pixel_accuracy", "f1", "boundary_iou")}


def _argmax(predictor: Predictor, image_hwc: Image8, size_hw: tuple[int, int] | None) -> Image8:
    return resize_mask(predictor(image_hwc).argmax(axis=0).astype(np.uint8), size_hw)


def _predictor(
    model: Model | Report | Dataset | Path,
    source: Dataset,
    which: str,
    overlap: float,
    batch: int,
    tta: Callable[[TileFunction], TileFunction],
) -> Predictor:
    trained = open_model(model, which, classes=source.classes)
    return Predictor(trained=trained, overlap=overlap, batch=batch, tta=tta)


def _rows(source: Dataset, split: str) -> list[Sample]:
    if split not in set(Split):
        raise ConfigError("unknown evaluate.split", got=split, expected=", ".join(Split))
    rows = [sample for sample in source.where(split=Split(split)) if sample.mask]
    if not rows:
        raise ArtefactError(f"no {split} rows with masks to measure against", where=source.root)
    return rows
