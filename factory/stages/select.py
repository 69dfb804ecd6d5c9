"""The model's doubt about real images becomes a ranked queue of regions worth a person's minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from factory.acquire.acquisition import Acquisition, class_of
from factory.acquire.candidates import Candidate, describe, reason
from factory.acquire.committee import Committee
from factory.acquire.moments import Moments
from factory.acquire.regions import Regions, Sight
from factory.acquire.tiles import best_seen
from factory.acquire.uncertainty import MutualInformation, PredictiveEntropy, Uncertainty
from factory.core.artefact import Model, Report
from factory.core.classes import ClassList
from factory.core.dataset import Dataset
from factory.core.errors import InputError
from factory.core.queue import LOG, QueueItem, write_items, write_maps
from factory.core.sample import Domain, Origin, Sample, Split, Supervision
from factory.core.seeds import derive, generator
from factory.core.writer import QueueWriter
from factory.execute.progress import Progress
from factory.measure.cost import Cost, read_log
from factory.segment.checkpoint import load
from factory.segment.predict import Predictor

TRUSTED = (Origin.EXACT, Origin.HINT, Origin.HUMAN)
"""Origins of pixels that are known: rendered, clicked or painted."""
ALTERNATIVES, LEAST_SHARE = 3, 0.05
"""How many other classes a queued region is said to be, at most, and the probability each has at least."""


@dataclass(frozen=True)
class Doubt:
    """What the model thinks of one image: mean probabilities, predictive entropy, and its regions."""

    mean_khw: npt.NDArray[np.float32]
    entropy_hw: npt.NDArray[np.float32]
    regions_hw: npt.NDArray[np.intp]


def run(
    *,
    model: Model,
    source: Dataset,
    log: Path | Report | None,
    out: QueueWriter,
    seed: int,
    committee: Committee,
    uncertainty: Uncertainty,
    regions: Regions,
    acquisition: Acquisition,
    cost: Cost,
) -> None:
    """Rank regions of real training images that no person has vouched for; test and validation rows are never asked.

    From a ``log`` of how long people took before (see `factory.measure.cost.read_log`) their cost is learnt.
    """
    out.classes = source.classes
    predictor = Predictor(trained=load(model.path("best.ckpt"), classes=source.classes))
    pool = [sample for sample in source.where(split=Split.TRAIN, domain=Domain.REAL) if _open(sample)]
    if not pool:
        todo = "give a data set with real training rows that have no human mask yet"
        raise InputError("no image is left to ask about", where=source.root, todo=todo)
    cost = cost.learnt(read_log(log if isinstance(log, Path) else log.path(LOG))) if log else cost
    asked = partial(predictor.map, function=committee(predictor, uncertainty.extras))
    candidates: list[Candidate] = []
    with Progress("select", len(pool)) as progress:
        for sample in pool:
            doubt, found = _examine(sample, source, asked, seed, uncertainty, regions, cost)
            np.savez(out.scratch / f"{sample.id}.npz", **vars(doubt))
            candidates += found
            progress.advance()
    chosen = acquisition(best_seen(candidates, {sample.id: _place(sample) for sample in pool}), seed=seed)
    _write(chosen, source.classes, out)
    out.figures = {"images": len(pool), "candidates": len(candidates), "queued": len(chosen)}
    out.figures |= {"images_queued": len({c.sample_id for c in chosen}), "clicks": sum(c.clicks for c in chosen)}
    out.figures |= {"seconds": round(sum(c.seconds for c in chosen) + cost.image * out.figures["images_queued"], 1)}
    out.figures |= {"cost": {name: round(getattr(cost, name), 4) for name in ("image", "region", "border")}}
    if chosen:
        out.figures |= {"mean_score_queued": float(np.mean([c.score for c in chosen]))}
        out.figures |= {"mean_score_all": float(np.mean([c.score for c in candidates]))}


def _open(sample: Sample) -> bool:
    return sample.supervision != Supervision.EXACT and (sample.supervision != Supervision.HUMAN or bool(sample.source))


def _examine(
    sample: Sample,
    source: Dataset,
    asked: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]],
    seed: int,
    uncertainty: Uncertainty,
    regions: Regions,
    cost: Cost,
) -> tuple[Doubt, list[Candidate]]:
    image_hwc = source.image(sample)
    with torch.random.fork_rng():
        torch.manual_seed(derive(seed, "dropout", sample.id))
        moments = Moments.of_channels(asked(image_hwc), uncertainty.extras)
    named = {"entropy": PredictiveEntropy()(moments), "mutual_information": MutualInformation()(moments)}
    picture, (x, y, _, _) = _place(sample)
    score_hw, askable_hw = uncertainty(moments), _askable(sample, source)
    sight = Sight(image_hwc, moments.mean_khw.argmax(axis=0).astype(np.uint8), score_hw, askable_hw)
    regions_hw = regions(sight, rng=generator(seed, "regions", sample.id))
    found = describe(sample.id, (picture, x, y), regions_hw, askable_hw, moments.mean_khw, score_hw, named, cost)
    return Doubt(moments.mean_khw, named["entropy"], regions_hw), found


def _place(sample: Sample) -> tuple[str, tuple[int, int, int, int]]:
    """The picture a sample was cut from, and the box it shows of it; a whole picture shows all."""
    x, y = (int(n) for n in sample.provenance.get("offset", (0, 0)))
    return str(sample.provenance.get("file", sample.id)), (x, y, x + sample.width, y + sample.height)


def _askable(sample: Sample, source: Dataset) -> npt.NDArray[np.bool_]:
    """Pixels that nobody has vouched for."""
    if sample.source is None:
        return np.ones((sample.height, sample.width), bool)
    return ~np.isin(source.map(sample, "source"), TRUSTED)


def _alternatives(candidate: Candidate) -> tuple[tuple[int, float], ...]:
    """Other classes than the likeliest that are worth a thought."""
    order = np.argsort(candidate.probabilities, kind="stable")[::-1][1 : 1 + ALTERNATIVES]
    shares = [(int(i), round(float(candidate.probabilities[i]), 3)) for i in order]
    return tuple((class_id, share) for class_id, share in shares if share >= LEAST_SHARE)


def _write(chosen: list[Candidate], classes: ClassList, out: QueueWriter) -> None:
    items = [
        QueueItem(
            rank=rank,
            sample_id=candidate.sample_id,
            region=candidate.region,
            box=candidate.box,
            pixels=candidate.pixels,
            class_id=class_of(candidate),
            score=round(candidate.score, 6),
            scores=candidate.scores,
            reason=reason(candidate, classes),
            alternatives=_alternatives(candidate),
            border=candidate.border,
            clicks=candidate.clicks,
            seconds=round(candidate.seconds, 2),
        )
        for rank, candidate in enumerate(chosen, 1)
    ]
    write_items(out, items)
    for sample_id in sorted({item.sample_id for item in items}):
        doubt = np.load(out.scratch / f"{sample_id}.npz")
        queued = [item.region for item in items if item.sample_id == sample_id]
        regions_hw = doubt["regions_hw"]
        uncertain_hw = 255 * doubt["entropy_hw"] / max(np.log(len(classes)), 1e-9)
        write_maps(
            out,
            sample_id,
            regions=np.where(np.isin(regions_hw, queued), regions_hw, 0).astype(np.uint16),
            proposal=doubt["mean_khw"].argmax(axis=0).astype(np.uint8),
            uncertainty=np.clip(np.rint(uncertain_hw), 0, 255).astype(np.uint8),
        )
