"""Train a segmenter on rendered and real pictures, validate it, keep the best."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from factory.core import digests
from factory.core.dataset import Dataset, require_same_classes
from factory.core.errors import ArtefactError, ConfigError
from factory.core.writer import ModelWriter
from factory.segment import checkpoint
from factory.segment.data import PixelCache, Row, TrainingBatches, training_rows, validation_rows
from factory.segment.fit import Log, fit
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

    Learns from the train split of ``real`` and ``synthetic`` (at least one; ``synthetic_share`` of the pictures are
    rendered where both are given) and validates on the val split of ``validation``, else of real, else of synthetic.
    ``size`` is the (height, width) every picture is brought to, ``crop`` the part of it a step sees.
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
    given = [dataset for dataset in (real, synthetic, validation) if dataset]
    sources = _sources({"synthetic": training_rows(synthetic), "real": training_rows(real)}, given)
    for other in given[1:]:
        require_same_classes(given[0], other)
    out.classes = given[0].classes
    size_hw, budget = _pair("size", size), int(cache_gib * 2**30)
    caches = {
        name: PixelCache(rows=rows, size_hw=size_hw, min_confidence=min_confidence, budget=budget)
        for name, rows in sources.items()
    }
    largest = [cache.largest() for cache in caches.values()]
    module = SegmentationModule(
        model=build(model, out.classes, weights=weights, seed=seed),
        loss=loss,
        augmentation=augmentation,
        recipe=recipe,
        batches=TrainingBatches(
            sources=caches,
            shares=_shares(list(caches), synthetic_share),
            batch=batch,
            crop_hw=_pair("crop", crop) or (max(h for h, _ in largest), max(w for _, w in largest)),
            seed=seed,
        ),
        validation=PixelCache(rows=validation_rows(validation, real, synthetic), size_hw=size_hw, budget=budget),
        seed=seed,
    )
    if not len(module.validation):
        out.report("validation", "no val rows with masks to trust: the last weights stand for the best")

    def pack() -> bytes:
        return checkpoint.encode(
            checkpoint.Trained(model=module.model, size_hw=size_hw, tile_hw=module.tile_hw, step=module.step)
        )

    log = fit(module, state=out.scratch / "state.pt", keep_best=lambda data: out.write("best.ckpt", data), pack=pack)
    _finish(out, log, pack())


def _finish(out: ModelWriter, log: Log, last: bytes) -> None:
    out.write("last.ckpt", last)
    if log.best is None:
        out.write("best.ckpt", last)
    out.write("history.json", digests.canonical(log.history))
    out.write("validation.json", digests.canonical(log.best or {}))
    out.figures = {
        "val_miou": log.best and log.best["miou"],
        "best_step": log.best and log.best["step"],
        "steps": log.history[-1]["step"],
    }


def _sources(rows: dict[str, list[Row]], given: list[Dataset]) -> dict[str, list[Row]]:
    found = {name: some for name, some in rows.items() if some}
    if not found:
        raise ArtefactError(
            "there is nothing to train on",
            where=", ".join(str(dataset.root) for dataset in given) or "inputs.real and inputs.synthetic",
            expected="rows of the train split that have masks",
            todo="give inputs.real=… or inputs.synthetic=…, or run label first",
        )
    return found


def _shares(names: list[str], synthetic_share: float) -> dict[str, float]:
    if not 0 < synthetic_share < 1:
        raise ConfigError("synthetic_share lies between 0 and 1", got=synthetic_share, todo="leave out the other input")
    both = {"synthetic": synthetic_share, "real": 1 - synthetic_share}
    return both if len(names) == 2 else {names[0]: 1.0}


def _pair(key: str, value: Sequence[int] | None) -> tuple[int, int] | None:
    if value is None:
        return None
    if len(value) != 2 or min(value) < 16:
        raise ConfigError(f"{key} is [height, width], 16 or more each, or null", got=list(value))
    return int(value[0]), int(value[1])
