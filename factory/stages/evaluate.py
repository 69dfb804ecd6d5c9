"""Measure a model, or masks that somebody made, against true masks; a classical method may stand beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor

from factory.core import digests, masks
from factory.core.artefact import Model, Report
from factory.core.dataset import Dataset, require_same_classes
from factory.core.errors import ArtefactError, ConfigError
from factory.core.sample import Sample, Split
from factory.core.spread import spread
from factory.core.writer import ReportWriter
from factory.execute.beside import ahead
from factory.execute.progress import Progress
from factory.measure import matrix
from factory.measure import pictures as drawing
from factory.measure.scores import Scores
from factory.measure.truth import tell_of_guesses
from factory.review import pictures as illustrated
from factory.segment.data import Size, resize_image, resize_label, resize_mask, size_of
from factory.segment.opening import open_model
from factory.segment.predict import Predictor, TileFunction, sound

Image8 = npt.NDArray[np.uint8]
FIGURES = ("miou", "pixel_accuracy", "f1", "boundary_iou", "coverage", "ece")


class Guess(NamedTuple):
    """What a method says of a picture: class ids, and how sure it is of each (0 to 255) if it says so."""

    mask_hw: Image8
    confidence_hw: Image8 | None = None

    def at(self, size_hw: Size | None) -> Guess:
        """The same at another size."""
        if self.confidence_hw is None:
            return Guess(resize_mask(self.mask_hw, size_hw))
        label_hwc = resize_label(np.stack([self.mask_hw, self.confidence_hw], axis=-1), size_hw)
        return Guess(label_hwc[..., 0], label_hwc[..., 1])


Method = Callable[[Sample, Image8], Guess]


class Peer(Protocol):
    """A method that needs no model: ``peer(image_hwc) -> class ids (H, W)``."""

    @property
    def ids(self) -> tuple[int, ...]:
        """The classes that it tells apart."""

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
    """Measure a model on the split's rows that have masks, or the masks that another data set has for these rows.

    Writes `metrics.json`, `confusion.png`, `predictions/<id>.png` (class ids) and `pictures/<id>.png`.
    """
    rows, size_hw = rows_of(source, split), size_of("size", size)
    tell_of_guesses(rows, source.root.name, out.report)
    if pictures < 0:
        raise ConfigError("pictures drawn are 0 or more", where="pictures", got=pictures)
    labels, of = (model, {sample.id: sample for sample in model.samples}) if isinstance(model, Dataset) else (None, {})
    if labels:
        _check_labels(labels, source, tta)
        rows = _labelled(labels, of, source, rows, out, any_size=size is not None)
        ours: Method = partial(_as_labelled, labels=labels, of=of)
    else:
        trained = open_model(model, checkpoint, classes=source.classes)
        predictor = Predictor(trained=trained, overlap=overlap, batch=batch, tta=tta)
        predictor.tell_of_looks("evaluate")
        ours = partial(_predicted, predictor=predictor)
    methods = {"ours": ours}
    if peer:
        methods[_named(peer, source, out)] = lambda _, image: Guess(peer(image))
    scores = {method: Scores(len(source.classes)) for method in methods}
    drawn = {sample.id for sample in spread(rows, pictures)}
    with Progress("evaluate", len(rows)) as progress:
        pairs = ahead(lambda sample: (source.image(sample), resize_mask(source.mask(sample), size_hw)), rows)
        for sample, (image_hwc, truth_hw) in zip(rows, pairs, strict=True):
            found = {method: guess(sample, image_hwc).at(size_hw) for method, guess in methods.items()}
            for method, guess in found.items():
                scores[method].add(truth_hw, guess.mask_hw, guess.confidence_hw)
            out.write(f"predictions/{sample.id}.png", masks.encode_png(found["ours"].mask_hw))
            if sample.id in drawn:
                small_hwc = resize_image(image_hwc, size_hw)
                before = [("photograph", small_hwc)]
                if labels:
                    before = illustrated.hinted(
                        labels.picture(of[sample.id]), labels.classes, found["ours"].confidence_hw
                    )
                title, mask_hw = "labels" if labels else "prediction", found["ours"].mask_hw
                sheet = drawing.strip(before, small_hwc, truth_hw, mask_hw, source.classes, title)
                out.write(f"pictures/{sample.id}.png", masks.encode_png(sheet))
            progress.advance()
    _state(out, name, split, scores, source)


def rows_of(source: Dataset, split: str) -> list[Sample]:
    """What is measured: the split's rows that have masks. `ArtefactError` where there are none."""
    if split not in set(Split):
        raise ConfigError("unknown evaluate.split", got=split, expected=", ".join(Split))
    rows = [sample for sample in source.where(split=Split(split)) if sample.mask]
    if not rows:
        there = [one for one in Split if any(sample.mask for sample in source.where(split=one))]
        choices = [f"split={one} measures on those" for one in there]
        todo = "; or ".join([*choices, "ingest pictures with masks by themselves, split=test"])
        raise ArtefactError(
            f"no {split} rows with masks to measure against",
            where=source.root,
            got=f"masks of {' and '.join(there)} rows" if there else "no masks",
            todo=todo,
        )
    return rows


def _check_labels(labels: Dataset, source: Dataset, tta: Callable[[TileFunction], TileFunction]) -> None:
    """`ConfigError` for what masks have no use for, and for the very masks that they are measured against."""
    if labels.digest == source.digest:
        todo = "give inputs.model the masks to be judged, inputs.source those that are true"
        raise ConfigError("masks measured against themselves", where="inputs.model", got=labels.root, todo=todo)
    if tta(_as_it_is) is not _as_it_is:
        raise ConfigError(
            "several looks of a data set's masks", where="tta", todo="leave it out: masks are as they are"
        )


def _as_it_is(images_nchw: Tensor) -> Tensor:
    return images_nchw


def _named(peer: Peer, source: Dataset, out: ReportWriter) -> str:
    """The peer's name; the report says so where it does not know all classes."""
    name, names = type(peer).__name__.lower(), source.classes.names
    if (most := max(peer.ids)) >= len(names):
        expected = f"a class id up to {len(names) - 1} ({', '.join(names)})"
        raise ConfigError(
            "the peer finds a class that is not in the class list", where=name, got=most, expected=expected
        )
    if len(peer.ids) < len(names):
        known = ", ".join(names[class_id] for class_id in peer.ids)
        out.report(name, f"it knows {len(peer.ids)} of {len(names)} classes ({known}): the others count against it")
    return name


def _predicted(sample: Sample, image_hwc: Image8, *, predictor: Predictor) -> Guess:
    probability_khw = sound(predictor(image_hwc), sample.id)
    sure_hw = np.rint(255 * probability_khw.max(axis=0)).astype(np.uint8)
    return Guess(probability_khw.argmax(axis=0).astype(np.uint8), sure_hw)


def _as_labelled(sample: Sample, _: Image8, *, labels: Dataset, of: dict[str, Sample]) -> Guess:
    labelled = of[sample.id]
    return Guess(labels.mask(labelled), labels.map(labelled, "confidence") if labelled.confidence else None)


def _labelled(
    labels: Dataset,
    of: dict[str, Sample],
    source: Dataset,
    rows: Sequence[Sample],
    out: ReportWriter,
    *,
    any_size: bool,
) -> list[Sample]:
    """The rows that the data set has masks for, of the same size or, if ``any_size``, of the same shape; the others are
    reported.
    """
    require_same_classes(source, labels)
    found = []
    for sample in rows:
        if (labelled := of.get(sample.id)) is None or labelled.mask is None:
            out.report(sample.id, f"not measured: {labels.root.name} has no mask for it")
            continue
        here, there = ((one.height, one.width) for one in (sample, labelled))
        if here != there and not (any_size and _is_alike(here, there)):
            where, todo = f"{labels.root}: {sample.id}", "make both from the same pictures, at the same size"
            if _is_alike(here, there):
                todo += f"; or compare them at one size: size=[{here[0]},{here[1]}]"
            raise ArtefactError("the mask is of another size", where=where, got=there, expected=here, todo=todo)
        found.append(sample)
    if not found:
        todo = "give labels or predictions of the very pictures that source has masks for"
        raise ArtefactError("no picture is in both", where=f"{labels.root} and {source.root}", todo=todo)
    return found


def _is_alike(one_hw: Size, other_hw: Size) -> bool:
    """Whether pictures of both sizes may be the same one reduced: of one shape, to a pixel of the smaller."""
    small, large = sorted((one_hw, other_hw))
    return abs(large[0] * small[1] / large[1] - small[0]) < 1


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
        out.figures |= {f"{prefix}{key}": row[key] for key in FIGURES}
