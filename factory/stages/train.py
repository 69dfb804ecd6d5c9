"""Train a segmenter on rendered and real pictures, validate it, keep the best."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from factory.core import digests
from factory.core.classes import ClassList
from factory.core.dataset import Dataset, require_same_classes
from factory.core.errors import ArtefactError, ConfigError
from factory.core.writer import ModelWriter
from factory.segment import checkpoint
from factory.segment.data import PixelCache, Row, Size, TrainingBatches, training_rows, validation_rows
from factory.segment.fit import fit
from factory.segment.losses import Loss
from factory.segment.models import SegmenterSpec, build
from factory.segment.module import Augment, Recipe, SegmentationModule


def run(
    *,
    real: Dataset | None,
    synthetic: Dataset | None,
    validation: Dataset | None,
    weights: Path | None,
    out: ModelWriter,
    seed: int,
    model: SegmenterSpec,
    loss: Loss,
    augmentation: Augment,
    size: Sequence[int] | None,
    crop: Sequence[int] | None,
    synthetic_share: float,
    min_confidence: float,
    cache_gib: float,
    steps: int,
    batch: int,
    validate_every: int,
    save_every: int,
    encoder_lr: float,
    decoder_lr: float,
    weight_decay: float,
    power: float,
    warmup: int,
    clip_norm: float | None,
    precision: str,
) -> None:
    """Write `best.ckpt`, `last.ckpt`, `history.json` and `validation.json`.

    Learns from the train split of ``real`` and ``synthetic`` (at least one) and validates on the val split of
    ``validation``, else of real, else of synthetic. ``size`` and ``crop`` are (height, width); see conf/train.yaml.
    """
    recipe = Recipe(
        steps=steps,
        batch=batch,
        validate_every=validate_every,
        save_every=save_every,
        encoder_lr=encoder_lr,
        decoder_lr=decoder_lr,
        weight_decay=weight_decay,
        power=power,
        warmup=warmup,
        clip_norm=clip_norm,
        precision=precision,
    )
    size_hw = _pair("size", size)
    pixels = partial(PixelCache, size_hw=size_hw, budget=int(cache_gib * 2**30))
    out.classes = _classes(real, synthetic, validation)
    sources = {name: pixels(rows=rows, min_confidence=min_confidence) for name, rows in _rows(real, synthetic).items()}
    module = SegmentationModule(
        model=build(model, out.classes, weights=weights, seed=seed),
        loss=loss,
        augmentation=augmentation,
        recipe=recipe,
        batches=_batches(sources, synthetic_share, batch, _pair("crop", crop), seed),
        validation=pixels(rows=validation_rows(validation, real, synthetic)),
        seed=seed,
    )
    _train(module, size_hw, out)


def _train(module: SegmentationModule, size_hw: Size | None, out: ModelWriter) -> None:
    def pack() -> bytes:
        return checkpoint.encode(
            checkpoint.Trained(model=module.model, size_hw=size_hw, tile_hw=module.tile_hw, step=module.step)
        )

    if not len(module.validation):
        out.report("validation", "no val rows with masks to trust: the last weights stand for the best")
    log = fit(module, state=out.scratch / "state.pt", keep_best=lambda data: out.write("best.ckpt", data), pack=pack)
    last = pack()
    out.write("last.ckpt", last)
    if log.best is None:
        out.write("best.ckpt", last)
    out.write("history.json", digests.canonical(log.history))
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


def _rows(real: Dataset | None, synthetic: Dataset | None) -> dict[str, list[Row]]:
    """The train rows by kind; `ArtefactError` without any."""
    rows = {"synthetic": training_rows(synthetic), "real": training_rows(real)}
    if not any(rows.values()):
        raise ArtefactError(
            "there is nothing to train on",
            where=", ".join(str(dataset.root) for dataset in (real, synthetic) if dataset),
            expected="rows of the train split that have masks",
            todo="give inputs.real=… or inputs.synthetic=…, or run label first",
        )
    return {name: some for name, some in rows.items() if some}


def _batches(
    sources: dict[str, PixelCache], synthetic_share: float, batch: int, crop_hw: Size | None, seed: int
) -> TrainingBatches:
    """Without a crop size, steps see the whole of the largest picture."""
    heights, widths = zip(*(cache.largest() for cache in sources.values()), strict=True)
    shares = _shares(list(sources), synthetic_share)
    crop_hw = crop_hw or (max(heights), max(widths))
    return TrainingBatches(sources=sources, shares=shares, batch=batch, crop_hw=crop_hw, seed=seed)


def _shares(names: list[str], synthetic_share: float) -> dict[str, float]:
    if not 0 < synthetic_share < 1:
        raise ConfigError("synthetic_share lies between 0 and 1", got=synthetic_share, todo="leave out the other input")
    both = {"synthetic": synthetic_share, "real": 1 - synthetic_share}
    return both if len(names) == 2 else {names[0]: 1.0}


def _pair(key: str, value: Sequence[int] | None) -> Size | None:
    if value is None:
        return None
    if len(value) != 2 or min(value) < 16:
        raise ConfigError(f"{key} is [height, width], 16 or more each, or null", got=list(value))
    return int(value[0]), int(value[1])
