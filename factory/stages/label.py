"""Weak hints become dense masks with a confidence and an origin for every pixel."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from factory.core.artefact import Model, Report
from factory.core.cache import Cache
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError, InputError
from factory.core.sample import Origin, Sample, Split, Supervision
from factory.core.words import many
from factory.core.writer import DatasetWriter
from factory.execute import Executor
from factory.label import Labeler, Workshop, calibrated, learnt
from factory.label.calibrated import Calibration
from factory.label.corpus import corpus_of
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
    finished: float,
    executor: Executor,
    cache: str,
    cache_gib: float,
) -> None:
    """Label every sample but test rows and those with a finished mask, which are carried over as they are.

    Masks are finished if they are exact, or painted by people to a share of at least ``finished``; in those less
    painted the pixels that were stand as they are, and help to label the rest. A ``calibration`` brings settings of its
    own for labeler and refiner, and the curve of their confidence; ``model`` is a trained segmenter, for labelers that
    ask one.
    """
    if not 0 < finished <= 1:
        raise ConfigError("finished is a share above 0", where="label", got=finished, expected="up to 1")
    curve: tuple[float, ...] = ()
    expected: dict[str, Any] = {}
    if calibration:
        found = calibrated.read(calibration)
        labeler, refiner = found.apply(labeler, refiner)
        curve, expected = found.curve, _expected(calibration, found, source, out)
    densifier = Densifier(labeler=labeler, refiner=refiner, min_confidence=min_confidence, longest=longest, curve=curve)
    out.classes = source.classes
    settled = {sample.id for sample in source.samples if _is_settled(sample, source, finished)}
    if waiting := _waiting(source, out, settled):
        _check_hints(labeler, source)
        shop = Workshop(
            scratch=out.scratch, cache=Cache.of(cache, cache_gib), tell=out.report, executor=executor, model=model
        )
        densifier = replace(densifier, labeler=learnt(labeler, corpus_of(source), seed=seed, shop=shop))
    made_by = {"labeler": repr(labeler), "refiner": repr(refiner)}
    work = partial(_one, source=source, out=out, densifier=densifier, made_by=made_by)
    for _ in executor.map(work, waiting, title="label"):
        pass
    _conclude(source, settled, out)
    out.figures |= expected


def _check_hints(labeler: Labeler, source: Dataset) -> None:
    """`InputError` for a labeler of one kind of hint where no picture has any: it would label clicked pixels alone."""
    kind = getattr(labeler, "NEEDS", None)
    if kind and not any(getattr(sample.hints, kind) for sample in source.samples):
        words = "noisy_masks" if kind == "masks" else kind
        todo = f"give them to factory ingest ({words}=…), or take a labeler for the hints that there are"
        got = ", ".join(calibrated.kinds_of(sample.hints for sample in source.samples)) or "no hints at all"
        raise InputError(f"no picture has {kind} to label from", where=source.root, got=got, todo=todo)


def _waiting(source: Dataset, out: DatasetWriter, settled: Collection[str]) -> list[Sample]:
    """The samples that are to be labelled still; those that are settled are carried over."""
    left, done = [], out.done()
    for sample in source.samples:
        if sample.id in done:
            continue
        if sample.id in settled:
            out.add(out.carry(source, sample))
        else:
            left.append(sample)
    return left


def _conclude(source: Dataset, settled: Collection[str], out: DatasetWriter) -> None:
    """Figures, and what no label came of; `InputError` where the data set has none at all that one can learn from."""
    coverage = {sample.id: sample.provenance["coverage"] for sample in out.samples() if sample.id not in settled}
    bare = [name for name, share in coverage.items() if not share]
    carried = [sample for sample in source.samples if sample.id in settled and sample.split != Split.TEST]
    if bare and len(bare) == len(coverage) and not any(sample.mask for sample in carried):
        out.discard()
        got = f"{many(len(bare), 'picture')}, with no hint in them or none trusted enough"
        todo = "give factory ingest hints (points=…), or take another labeler or a lower min_confidence"
        raise InputError("no pixel of any picture could be labelled", where=source.root, got=got, todo=todo)
    for name in bare:
        out.report(name, "no pixel could be labelled: no hint in the image, or none trusted enough")
    out.figures = {"labelled": len(coverage) - len(bare), "carried": len(settled)}
    out.figures |= {"unlabelled": len(bare)} if bare else {}
    out.figures |= {"coverage": float(np.mean([*coverage.values()]))} if coverage else {}


def _is_settled(sample: Sample, source: Dataset, finished: float) -> bool:
    """Nothing is to be made of its hints."""
    if sample.split == Split.TEST or sample.supervision == Supervision.EXACT:
        return True
    if sample.supervision != Supervision.HUMAN or sample.source is None:
        return sample.supervision == Supervision.HUMAN
    return float((source.map(sample, "source") == Origin.HUMAN).mean()) >= finished


def _one(sample: Sample, *, source: Dataset, out: DatasetWriter, densifier: Densifier, made_by: dict[str, str]) -> None:
    dense = densifier(source.as_said(sample), len(source.classes))
    confidence_hw = np.rint(255 * dense.confidence_hw).astype(np.uint8)
    maps = {"mask": dense.mask_hw, "confidence": confidence_hw, "source": dense.origin_hw}
    if sample.supervision == Supervision.HUMAN:
        _keep_painted(maps, source, sample)
    labelled = out.carry(source, sample, "image").replace(
        supervision=Supervision.HUMAN if sample.supervision == Supervision.HUMAN else Supervision.PSEUDO,
        provenance=sample.provenance | made_by | {"coverage": dense.coverage},
        **{name: out.write_map(name, sample.id, pixels) for name, pixels in maps.items()},
    )
    out.add(labelled)


def _keep_painted(maps: dict[str, npt.NDArray[np.uint8]], source: Dataset, sample: Sample) -> None:
    """What people said stands to the pixel, also that one is of no class."""
    painted_hw = source.map(sample, "source") == Origin.HUMAN
    for name, pixels in maps.items():
        pixels[painted_hw] = source.map(sample, name)[painted_hw]


def _expected(calibration: Report, found: Calibration, source: Dataset, out: DatasetWriter) -> dict[str, Any]:
    """What the calibration lets one expect of these pictures; nothing where it was made of another kind, which is told.

    Its own issues are the labels' too.
    """
    for issue in calibration.header.issues:
        out.report(issue["where"], issue["reason"])
    hints = calibrated.kinds_of(sample.hints for sample in source.samples if sample.split != Split.TEST)
    others = calibration.classes.names if calibration.classes else ()
    apart = [
        f"it was made {word} {', '.join(theirs)}, and these pictures have {', '.join(ours) or 'none'}"
        for word, theirs, ours in (("of the classes", others, source.classes.names), ("with", found.hints, hints))
        if theirs and theirs != ours
    ]
    if apart:
        out.report("calibration", f"{'; '.join(apart)}: its settings are used, what it expects does not hold here")
        return {}
    names = {"expected_miou": "expected_miou", "miou_low": "miou_low", "miou_high": "miou_high"}
    names |= {"ece": "expected_ece", "refused": "refiner_refused"}
    return {names[key]: value for key, value in calibration.figures.items() if key in names}
