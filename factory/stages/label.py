"""Weak hints become dense masks with a confidence and an origin for every pixel."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from factory.core.artefact import Model, Report
from factory.core.cache import Cache
from factory.core.dataset import Dataset
from factory.core.sample import Sample, Split, Supervision
from factory.core.writer import DatasetWriter
from factory.execute import Executor
from factory.label import Labeler, Workshop, calibrated, learnt
from factory.label.corpus import TRUSTED, corpus_of
from factory.label.dense import Densifier
from factory.refine import Refiner


def run(
    *,
    source: Dataset,
    calibration: Report | None,
    model: Model | Report | Path | None,
    out: DatasetWriter,
    seed: int,
    labeler: Labeler,
    refiner: Refiner,
    min_confidence: float,
    longest: int,
    executor: Executor,
    cache: str,
    cache_gib: float,
) -> None:
    """Label every sample but test rows and those with a trusted mask, which are carried over as they are.

    A ``calibration`` brings settings of its own for labeler and refiner, and the curve of their confidence; ``model``
    is a trained segmenter, for labelers that ask one.
    """
    curve: tuple[float, ...] = ()
    if calibration:
        found = calibrated.read(calibration)
        labeler, refiner = found.apply(labeler, refiner)
        curve = found.curve
        for issue in calibration.header.issues:
            out.report(issue["where"], issue["reason"])
    densifier = Densifier(labeler=labeler, refiner=refiner, min_confidence=min_confidence, longest=longest, curve=curve)
    out.classes = source.classes
    done = out.done()
    waiting = [sample for sample in source.samples if sample.id not in done]
    if not all(_is_settled(sample) for sample in waiting):
        shop = Workshop(
            scratch=out.scratch, cache=Cache.of(cache, cache_gib), tell=out.report, executor=executor, model=model
        )
        densifier = replace(densifier, labeler=learnt(labeler, corpus_of(source), seed=seed, shop=shop))
    made_by = {"labeler": repr(labeler), "refiner": repr(refiner)}
    work = partial(_one, source=source, out=out, densifier=densifier, made_by=made_by)
    for _ in executor.map(work, waiting, title="label"):
        pass
    out.figures = _figures(list(out.samples())) | _expected(calibration)
    for sample in out.samples():
        if sample.provenance.get("coverage") == 0:
            out.report(sample.id, "no pixel could be labelled: no hint in the image, or none trusted enough")


def _is_settled(sample: Sample) -> bool:
    """Nothing is to be made of its hints."""
    return sample.split == Split.TEST or sample.supervision in TRUSTED


def _one(sample: Sample, *, source: Dataset, out: DatasetWriter, densifier: Densifier, made_by: dict[str, str]) -> None:
    if _is_settled(sample):
        out.add(out.carry(source, sample))
        return
    dense = densifier(source.picture(sample), len(source.classes))
    confidence_hw = np.rint(255 * dense.confidence_hw).astype(np.uint8)
    maps = {"mask": dense.mask_hw, "confidence": confidence_hw, "source": dense.origin_hw}
    labelled = out.carry(source, sample, "image").replace(
        supervision=Supervision.PSEUDO,
        provenance=sample.provenance | made_by | {"coverage": dense.coverage},
        **{name: out.write_map(name, sample.id, pixels) for name, pixels in maps.items()},
    )
    out.add(labelled)


def _expected(calibration: Report | None) -> dict[str, Any]:
    """What the calibration lets one expect."""
    names = ("expected_miou", "miou_low", "miou_high", "ece", "refused")
    return {name: calibration.figures[name] for name in names} if calibration else {}


def _figures(samples: list[Sample]) -> dict[str, Any]:
    covered = [sample.provenance["coverage"] for sample in samples if "coverage" in sample.provenance]
    return {"labelled": len(covered), "carried": len(samples) - len(covered)} | (
        {"coverage": float(np.mean(covered))} if covered else {}
    )
