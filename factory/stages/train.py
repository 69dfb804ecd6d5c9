"""Train a segmenter on rendered and real pictures, validate it, keep the best."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from factory.core import digests
from factory.core.artefact import Model
from factory.core.cache import Cache
from factory.core.classes import IGNORE, ClassList
from factory.core.dataset import Dataset, require_same_classes
from factory.core.errors import ArtefactError, ConfigError, FactoryError
from factory.core.flat import FLAT
from factory.core.words import many
from factory.core.writer import ModelWriter
from factory.execute.ranks import rank, started
from factory.measure.truth import tell_of_guesses
from factory.segment import checkpoint
from factory.segment import weights as weight_files
from factory.segment.cache import PixelCache, largest
from factory.segment.data import Row, bare_rows, decode, training_rows, validation_rows
from factory.segment.history import as_csv
from factory.segment.latency import describe
from factory.segment.losses.term import Term
from factory.segment.mixing import Mixing
from factory.segment.models import SegmenterSpec, best_device
from factory.segment.module import Augment, SegmentationModule
from factory.segment.predict import Predictor
from factory.segment.rare import RareClasses
from factory.segment.recipe import Recipe
from factory.segment.recorder import Log
from factory.segment.teacher import Teacher
from factory.segment.temperature import fitted, parted
from factory.segment.track import Tracks
from factory.segment.trained_teacher import TrainedTeacher
from factory.segment.training import Training
from factory.segment.weighing import PixelWeights

FIGURES = ("val_miou", "best_step", "steps", "temperature")
"""All that a training may state."""


def run(
    *,
    real: Dataset | None,
    synthetic: Dataset | None,
    unlabelled: Dataset | None,
    validation: Dataset | None,
    teacher_model: Model | Path | None,
    weights: Model | Path | None,
    out: ModelWriter,
    seed: int,
    model: SegmenterSpec,
    loss: Mapping[str, Term],
    augmentation: Augment,
    pixel_weights: PixelWeights,
    sampling: RareClasses | None,
    mixing: Mixing,
    teacher: Teacher | TrainedTeacher | None,
    size: Sequence[int] | None,
    crop: Sequence[int] | None,
    synthetic_share: float,
    unlabelled_share: float,
    aside: float,
    recipe: Annotated[Recipe, FLAT],
    devices: int,
    cache: str,
    cache_gib: float,
    tensorboard: str | None,
    mlflow: str | None,
) -> None:
    """Write `best.ckpt`, `last.ckpt`, `history.json`, `history.csv`, `validation.json`, and what cycles leave.

    Learns from the train split of ``real`` and ``synthetic`` (at least one), by way of ``teacher`` from the pictures of
    ``unlabelled`` too (a `TrainedTeacher` is the model in ``teacher_model``), and validates on the val split of
    ``validation``, else of real, else of synthetic. ``size`` and ``crop`` are (height, width). Of the labelled pictures
    of ``real``, or else of synthetic, the share ``aside`` is not learnt from: on them the temperature is set that makes
    the model as sure as it is right. The recipe's fields are keys of the stage; see conf/train.yaml.
    """
    _check(devices, unlabelled, teacher)
    training = Training(
        model=model, loss=loss, augmentation=augmentation, pixel_weights=pixel_weights, sampling=sampling,
        mixing=mixing, teacher=teacher, size=size, crop=crop, recipe=recipe,
    )  # fmt: skip
    out.classes = _classes(real, synthetic, validation, unlabelled)
    pixels = partial(PixelCache, size_hw=training.size_hw, cache=Cache.of(cache, cache_gib))
    rows = _rows(real, synthetic, unlabelled)
    shares = _shares(rows, synthetic_share, unlabelled_share)
    kind = "real" if "real" in rows else "synthetic"
    rows[kind], kept = _parted(rows[kind], aside, seed, out)
    sources = {name: pixels(rows=some) for name, some in rows.items()}
    start = weights.root if isinstance(weights, Model) else weights
    counted = {name: pixel_weights.count_in(source) for name, source in sources.items()}
    if not any(counted.values()) and not _can_teach(teacher, start):
        raise _nothing_counts(sources.values(), pixel_weights, real, synthetic)
    judged = pixels(rows=_judges(validation, real, synthetic, out))
    _require_readable(judged, kept)
    given = {"real": real, "synthetic": synthetic, "unlabelled": unlabelled}
    _tell_of_idle(given, counted if teacher is None else dict.fromkeys(counted, True), judged.rows, out)
    module = training.module(
        out.classes, sources=sources, shares=shares, validation=judged, weights=start,
        teacher_model=teacher_model, seed=seed, report=out.report,
    )  # fmt: skip
    _announce(module, out)
    log, last = training.fit(module, out, tracks=_tracks(out, tensorboard, mlflow), devices=devices)
    _write(module, log, last, out)
    if kept and not rank():
        temper(out, kept, seed)


def _check(devices: int, unlabelled: Dataset | None, teacher: Teacher | TrainedTeacher | None) -> None:
    if devices == 1 and started() > 1:
        todo = "give devices=<processes a machine>, two or more, or start one process"
        raise ConfigError("several processes, but each would train alone", where="devices", got=started(), todo=todo)
    if unlabelled is not None and teacher is None:
        todo = "teacher=ema or teacher=trained, or leave them out"
        raise ConfigError("pictures for a teacher, but no teacher", where="inputs.unlabelled", todo=todo)


def _parted(rows: Sequence[Row], aside: float, seed: int, out: ModelWriter) -> tuple[list[Row], list[Row]]:
    learnt, kept = parted(rows, aside, seed)
    if aside and not kept:
        out.report("aside", f"{aside:g} of {many(len(rows), 'picture')} is none: no temperature was set")
    return learnt, kept


def _require_readable(judged: PixelCache, kept: Sequence[Row]) -> None:
    """Decode what is looked at late: what cannot be read is to be known before the first step, not after the last."""
    judged.decode()
    for row in kept:
        decode(row, None)


def temper(out: ModelWriter, kept: Sequence[Row], seed: int) -> None:
    """Set the temperature of each checkpoint, snapshots too, whatever an earlier try has set."""
    for name in ("best.ckpt", "last.ckpt", *sorted(path.name for path in out.root.glob("snapshot-*.ckpt"))):
        trained = checkpoint.load(out.path(name))
        trained.model.temperature = 1.0
        found = fitted(Predictor(trained=trained), kept, seed)
        if found is None:
            out.report("aside", "too few known pixels in the pictures kept aside: no temperature was set")
            return
        trained.model.temperature = found
        out.write(name, checkpoint.encode(trained))
        out.figures |= {"temperature": found} if name == "best.ckpt" else {}


def _tracks(out: ModelWriter, tensorboard: str | None, mlflow: str | None) -> Tracks:
    name = f"{out.target.parent.name}/{out.target.name}"
    return Tracks(tensorboard=tensorboard, mlflow=mlflow, name=name, parameters=out.identity.config)


def _announce(module: SegmentationModule, out: ModelWriter) -> None:
    if not rank():
        print(describe(module.model.to(best_device()), module.tile_hw), file=sys.stderr)
        shown, whole = module.tile_hw, largest(module.batches.sources.values())
        if shown[0] < whole[0] or shown[1] < whole[1]:
            sizes = "{}×{} of pictures of up to {}×{}".format(*shown, *whole)
            print(f"steps see {sizes}, at random (height × width; train.crop)", file=sys.stderr)
    if not len(module.validation):
        unused = "" if module.recipe.patience is None else ", and patience has nothing to go by"
        lacking = "no val rows with masks to trust (validation=… takes a data set with masks)"
        out.report("validation", f"{lacking}: the last weights stand for the best{unused}")


def _write(module: SegmentationModule, log: Log, last: bytes, out: ModelWriter) -> None:
    out.write("last.ckpt", last)
    if log.best is None:
        out.write("best.ckpt", last)
    if module.parts > module.recipe.accumulate:
        did = f"it was worked through in {module.parts} parts, each of equal weight"
        reason = f"a batch of {module.recipe.batch} did not fit: {did}"
        out.report("memory", reason)
    out.write("history.json", digests.canonical(log.history))
    out.write("history.csv", as_csv(log.history))
    out.write("validation.json", digests.canonical(log.best or {}))
    out.figures = {
        "val_miou": log.best and log.best["miou"],
        "best_step": log.best and log.best["step"],
        "steps": module.step,
    }


def _classes(*given: Dataset | None) -> ClassList:
    datasets = [dataset for dataset in given if dataset]
    if not datasets:
        raise ArtefactError("there is nothing to train on", todo="give inputs.real=… or inputs.synthetic=…")
    for other in datasets[1:]:
        require_same_classes(datasets[0], other)
    return datasets[0].classes


def _rows(real: Dataset | None, synthetic: Dataset | None, unlabelled: Dataset | None) -> dict[str, list[Row]]:
    """The train rows by kind; `ArtefactError` without any that are labelled."""
    rows = {"synthetic": training_rows(synthetic), "real": training_rows(real)}
    if not any(rows.values()):
        raise _nothing_to_learn("there is nothing to train on", real, synthetic)
    return {name: some for name, some in (rows | {"unlabelled": bare_rows(unlabelled)}).items() if some}


def _judges(validation: Dataset | None, real: Dataset | None, synthetic: Dataset | None, out: ModelWriter) -> list[Row]:
    """The rows to validate on; the report says so where their masks are no truth."""
    rows = validation_rows(validation, real, synthetic)
    if rows:
        tell_of_guesses([row.sample for row in rows], rows[0].dataset.root.name, out.report)
    return rows


def _tell_of_idle(
    given: Mapping[str, Dataset | None], teaches: Mapping[str, bool], judged: Sequence[Row], out: ModelWriter
) -> None:
    """Report data sets of which nothing is learnt, nor measured; ``teaches`` holds those with pictures to show."""
    for name, dataset in given.items():
        if name in teaches and not teaches[name]:
            out.report(name, "no pixel of its pictures counts, and they take their share of every batch: leave it out")
        elif dataset and name not in teaches and not any(row.dataset is dataset for row in judged):
            lacking = "pictures of split train" + (" that have masks" if name != "unlabelled" else "")
            out.report(name, f"it has no {lacking}: nothing is learnt from it")


def _nothing_to_learn(what: str, *given: Dataset | None) -> ArtefactError:
    where = ", ".join(str(dataset.root) for dataset in given if dataset) or None
    expected = "rows of the train split that have masks, and not all of them empty"
    todo = "give inputs.real=… or inputs.synthetic=…, or run label first"
    return ArtefactError(what, where=where, expected=expected, todo=todo)


def _nothing_counts(
    sources: Iterable[PixelCache], weights: PixelWeights, real: Dataset | None, synthetic: Dataset | None
) -> FactoryError:
    if not any(source.counts_nk[:, :IGNORE].any() for source in sources):
        return _nothing_to_learn("no pixel of any picture to learn from is labelled", real, synthetic)
    got = ", ".join(f"{name}={value:g}" for name, value in asdict(weights).items())
    todo = "give weight to an origin that the pictures have, or a lower pixel_weights.least"
    return ConfigError("the weights leave no pixel to learn from", where="train.pixel_weights", got=got, todo=todo)


def _can_teach(teacher: Teacher | TrainedTeacher | None, weights: Path | None) -> bool:
    """Whether a teacher knows something that nobody labelled: it is a trained model, or begins as one."""
    if isinstance(teacher, Teacher):
        return weights is not None and weight_files.read(weights).origin is not None
    return teacher is not None


def _shares(sources: Mapping[str, Any], synthetic: float, unlabelled: float) -> dict[str, float]:
    """Which part of a batch each source supplies."""
    for name, share in (("synthetic_share", synthetic), ("unlabelled_share", unlabelled)):
        if not 0 < share < 1:
            todo = "leave out the input that is not to be learnt from"
            raise ConfigError(f"{name} lies between 0 and 1", where=f"train.{name}", got=share, todo=todo)
    labelled = 1 - unlabelled if "unlabelled" in sources else 1.0
    both = {"synthetic", "real"} <= set(sources)
    parts = {"synthetic": synthetic if both else 1.0, "real": 1 - synthetic if both else 1.0}
    shares = {name: labelled * part for name, part in parts.items() if name in sources}
    return shares | ({"unlabelled": unlabelled} if "unlabelled" in sources else {})
