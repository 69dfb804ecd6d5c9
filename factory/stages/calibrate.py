"""Tune and calibrate labeler and refiner where the truth is known, before real data is touched."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from factory.calibrate.audit import Audit, Outcome, Supervision, both
from factory.calibrate.judge import Judge
from factory.calibrate.settings import best_settings, space_of
from factory.calibrate.verdict import Curve, Verdict, compared, conclude
from factory.core import digests, masks
from factory.core.artefact import Model, Report
from factory.core.cache import Cache
from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.errors import ArtefactError, ConfigError, InputError
from factory.core.photographs import shuffled
from factory.core.sample import TRUSTED, Hints, Sample, Split
from factory.core.spread import spread
from factory.core.words import many
from factory.core.writer import ReportWriter
from factory.execute import Executor
from factory.ingest.supervision.tags import among
from factory.label import Labeler, Workshop
from factory.label.calibrated import NAME, with_settings
from factory.label.dense import SHORTEST, Densifier
from factory.measure import pictures as drawing
from factory.refine import Refiner
from factory.review import pictures
from factory.tune import results
from factory.tune.samplers import Sampler

LEAST_PICTURES = 4
"""Two to search on, two to judge on."""
LEAST = {"trials": 1, "images": LEAST_PICTURES, "drawn": 0, "longest": SHORTEST}


def run(
    *,
    source: Dataset,
    model: Model | Report | Path | None,
    out: ReportWriter,
    seed: int,
    supervision: Supervision | None,
    labeler: Labeler,
    refiner: Refiner,
    confidence: Curve,
    sampler: Sampler,
    space: dict[str, Any] | None,
    trials: int,
    pool: int,
    mirrored: bool,
    images: int,
    longest: int,
    drawn: int,
    executor: Executor,
    cache: str,
    cache_gib: float,
) -> None:
    """Search settings on one half of the pictures, fit the curve of confidence there, judge both on the other half.

    Labelers of the ``pool`` best settings are pooled, and asked about ``mirrored`` pictures too, unless that is worse
    on the other half beyond doubt. A refiner that makes masks worse there is refused. So much is decided where it is
    judged: see `Verdict`.
    Hints are simulated by ``supervision`` on exact or human masks (None: the hints that the pictures have). Writes
    `calibration.json`, `trials.json` and `pictures/<id>.png`.
    """
    _check(trials=trials, pool=pool, images=images, drawn=drawn, longest=longest)
    with_settings(labeler, refiner, [{}], mirrored=mirrored)  # refuses before anything is searched
    varying = space_of(space, labeler, refiner)
    searched, held = _halves(source, images, seed)
    if supervision is None:
        _tell_bare([*searched, *held], out, answerable=model is not None)
    shop = Workshop(
        scratch=out.scratch / "learnt", cache=Cache.of(cache, cache_gib), tell=out.report, executor=executor,
        model=model,
    )  # fmt: skip
    judge = Judge(
        audit=Audit(source=source, supervision=among(supervision, len(source.classes)), seed=seed),
        rows=[*searched, *held], labeler=labeler, refiner=refiner, longest=longest, shop=shop,
    )  # fmt: skip
    found, ledger = best_settings(
        judge, searched, varying, sampler=sampler, trials=trials, most=pool, identity=out.identity,
        folder=out.scratch / "study",
    )  # fmt: skip
    settings, judge, judged = _agreed(judge, found, held, mirrored, out)
    verdict = conclude(
        judge(settings, searched, title="fit confidence"), judged, settings=settings, mirrored=judge.mirrored,
        labeler=labeler, refiner=refiner, curve=confidence, seed=seed, hints=judge.audit.kinds(searched),
    )  # fmt: skip
    out.classes = source.classes
    out.write(NAME, digests.canonical(verdict.as_json()))
    out.write("trials.json", results.history(ledger))
    _tell_failed(results.rows(ledger), out)
    densifier = replace(judge.densifier(settings), curve=verdict.calibration.curve)
    for sample in spread(held, drawn):
        _draw(sample, densifier, judge.audit, out)
    _tell(verdict, out)


def _check(*, pool: int, **numbers: int) -> None:
    """`ConfigError` for numbers that nothing can be done with."""
    for name, value in numbers.items():
        if value < (least := LEAST[name]):
            raise ConfigError(f"calibrate.{name} is too small", got=value, expected=f"{least} or more")
    if not 1 <= pool <= (trials := numbers["trials"]):
        raise ConfigError("pool is a number of trials", where="calibrate", got=pool, expected=f"1 to trials={trials}")


def _tell_bare(rows: Sequence[Sample], out: ReportWriter, *, answerable: bool) -> None:
    """Report how many of the pictures whose own hints are used have none.

    `InputError` where that is all of them, unless a model may be asked instead of a person.
    """
    bare = sum(sample.hints == Hints() for sample in rows)
    if bare == len(rows) and not answerable:
        got = f"no hints in any of {many(bare, 'picture')} with masks"
        todo = "leave out supervision=null: hints are simulated then; or give factory ingest hints (points=…)"
        raise InputError("nothing to label from", where="calibrate.inputs.source", got=got, todo=todo)
    if bare:
        out.report("hints", f"{bare} of {len(rows)} pictures have none; supervision=… simulates them")


def _tell_failed(trials: Sequence[results.Row], out: ReportWriter) -> None:
    """Report how many settings came to nothing, and why the first did."""
    if failed := [trial for trial in trials if trial.reason]:
        first = f"trial {failed[0].number} ({', '.join(failed[0].words.values())}): {failed[0].reason}"
        out.report("trials", f"{len(failed)} of {len(trials)} failed, first {first}")


def _halves(source: Dataset, images: int, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Pictures with masks beyond doubt, at most so many, at random in two halves; those kept for tests never.

    The tiles of a photograph, which may overlap, are in one half. A mask that is ignored throughout is none.
    """
    there = {s.id: s for s in source.samples if s.mask and s.supervision in TRUSTED and s.split != Split.TEST}
    drawn = shuffled({sample_id: sample.photograph for sample_id, sample in there.items()}, seed, "audit")

    def known(sample_id: str) -> bool:
        return bool((source.truth(there[sample_id]) != IGNORE).any())

    searched, held = (
        sorted(itertools.islice(filter(known, itertools.chain(*drawn[start::2])), (images + 1 - start) // 2))
        for start in (0, 1)
    )
    if min(len(searched), len(held)) < LEAST_PICTURES // 2:
        todo = "render some scenes, or give a data set in which some photographs have masks"
        expected = f"{LEAST_PICTURES} or more pictures with exact or human masks of known classes, of two photographs"
        got = f"{len(searched)} to search on and {len(held)} to judge on"
        raise ArtefactError("too few to calibrate on", where=source.root, got=got, expected=expected, todo=todo)
    return [there[sample_id] for sample_id in searched], [there[sample_id] for sample_id in held]


def _agreed(
    judge: Judge, found: Sequence[dict[str, Any]], held: Sequence[Sample], mirrored: bool, out: ReportWriter
) -> tuple[Sequence[dict[str, Any]], Judge, list[Outcome]]:
    """The settings that will be used, whoever judges with them, and what comes of the pictures held back."""
    settings, judged = found[:1], judge(found[:1], held, title="judge")
    if len(found) > 1:
        together = judge(found, held, title="judge pooled")
        if _worthwhile("pooled", together, judged, judge, out):
            settings, judged = found, together
    if mirrored:
        twice = replace(judge, mirrored=True)
        both_ways = twice(settings, held, title="judge mirrored")
        if _worthwhile("mirrored", both_ways, judged, judge, out):
            judge, judged = twice, both_ways
    return settings, judge, judged


def _worthwhile(
    name: str, after: Sequence[Outcome], before: Sequence[Outcome], judge: Judge, out: ReportWriter
) -> bool:
    """Whether more looks at a picture are kept; what they are worth becomes figures."""
    seen = compared(after, before, seed=judge.audit.seed)
    out.figures |= {f"{name}_miou": seen.miou, f"{name}_gain": seen.miou - seen.before}
    if seen.refused:
        reason = f"refused: mIoU {seen.miou:.3f} with it, {seen.before:.3f} without, on {many(len(after), 'picture')}"
        out.report(name, reason)
    return not seen.refused


def _draw(sample: Sample, densifier: Densifier, audit: Audit, out: ReportWriter) -> None:
    """Hints, confidence, truth, the dense mask and where it is wrong."""
    given, truth_hw, classes = audit.hinted(sample), audit.source.truth(sample), audit.source.classes
    dense, _ = both(given, densifier, len(classes))
    sure_hw = np.rint(255 * dense.confidence_hw).astype(np.uint8)
    before = pictures.hinted(given, classes, sure_hw)
    sheet = drawing.strip(before, given.image, truth_hw, dense.mask_hw, classes, "dense mask")
    out.write(f"pictures/{sample.id}.png", masks.encode_png(sheet))


def _tell(verdict: Verdict, out: ReportWriter) -> None:
    bounds = zip(("miou_low", "miou_high"), verdict.miou_interval or (), strict=False)
    out.figures |= {
        "expected_miou": verdict.miou,
        **{name: round(value, 4) for name, value in bounds},
        "gain": verdict.gain,
        "ece": verdict.ece,
        "ece_as_stated": verdict.ece_as_stated,
        "refused": verdict.calibration.refused,
    }
    if verdict.miou_interval is None:
        out.report(
            "mIoU", "no interval: the pictures held back are of one photograph, which does not say how others differ"
        )
    if verdict.curve_refused:
        reason = f"curve refused: error {verdict.curve_ece:.3f} with it, {verdict.ece_as_stated:.3f} as stated"
        out.report("confidence", f"{reason}, on {many(verdict.pictures, 'picture')} held back; labels keep their own")
    if verdict.calibration.refused:
        gain = "95 %: {:+.3f} to {:+.3f}".format(*verdict.gain_interval) if verdict.gain_interval else "no interval"
        reason = (
            f"refused: it makes masks worse (mIoU {verdict.refined_miou:.3f} with it, {verdict.plain_miou:.3f} "
            f"without, on {many(verdict.pictures, 'picture')} held back; {gain}); labels will be made without it"
        )
        out.report(f"refiner {verdict.calibration.refiner}", reason)
