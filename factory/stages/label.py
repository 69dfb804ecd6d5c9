"""Weak hints become dense masks with a confidence and an origin for every pixel."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError
from factory.core.sample import Origin, Sample, Split, Supervision
from factory.core.writer import DatasetWriter
from factory.execute import Executor
from factory.label import Labeler
from factory.refine import Refiner

TRUSTED = (Supervision.EXACT, Supervision.HUMAN)


def run(
    *,
    source: Dataset,
    out: DatasetWriter,
    labeler: Labeler,
    refiner: Refiner,
    min_confidence: float,
    executor: Executor,
) -> None:
    """Label every sample but test rows and those with a trusted mask, which are carried over as they are."""
    if not 0 <= min_confidence <= 1:
        raise ConfigError("min_confidence is a probability", where="label", got=min_confidence, expected="0 to 1")
    out.classes = source.classes
    done = out.done()
    waiting = [sample for sample in source.samples if sample.id not in done]
    work = partial(_one, source=source, out=out, labeler=labeler, refiner=refiner, min_confidence=min_confidence)
    for _ in executor.map(work, waiting, title="label"):
        pass
    out.figures = _figures(list(out.samples()))
    for sample in out.samples():
        if sample.provenance.get("coverage") == 0:
            out.report(sample.id, "no pixel could be labelled: no hint in the image, or none trusted enough")


def _one(
    sample: Sample, *, source: Dataset, out: DatasetWriter, labeler: Labeler, refiner: Refiner, min_confidence: float
) -> None:
    if sample.split == Split.TEST or sample.supervision in TRUSTED:
        out.add(out.carry(source, sample))
        return
    image_hwc = source.image(sample)
    scores_khw = labeler(image_hwc, sample.hints, len(source.classes))
    mask_hw, confidence_hw = refiner(image_hwc, scores_khw)
    origin_hw = np.full(mask_hw.shape, Origin.PSEUDO, np.uint8)
    unsure = confidence_hw < min_confidence
    mask_hw[unsure], confidence_hw[unsure], origin_hw[unsure] = IGNORE, 0, Origin.NONE
    for x, y, class_id in sample.hints.points:
        mask_hw[y, x], confidence_hw[y, x], origin_hw[y, x] = class_id, 1, Origin.HINT
    maps = {"mask": mask_hw, "confidence": np.rint(255 * confidence_hw).astype(np.uint8), "source": origin_hw}
    coverage = float((mask_hw != IGNORE).mean())
    labelled = out.carry(source, sample, "image").replace(
        supervision=Supervision.PSEUDO,
        provenance=sample.provenance | {"labeler": repr(labeler), "refiner": repr(refiner), "coverage": coverage},
        **{name: out.write_map(name, sample.id, pixels) for name, pixels in maps.items()},
    )
    out.add(labelled)


def _figures(samples: list[Sample]) -> dict[str, Any]:
    covered = [sample.provenance["coverage"] for sample in samples if "coverage" in sample.provenance]
    return {"labelled": len(covered), "carried": len(samples) - len(covered)} | (
        {"coverage": float(np.mean(covered))} if covered else {}
    )
