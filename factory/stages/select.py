"""The model's doubt about real images becomes a ranked queue of regions worth a person's minute."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from factory.acquire.acquisition import Acquisition, class_of
from factory.acquire.candidates import Candidate, ranked, reason
from factory.acquire.committee import Committee
from factory.acquire.embeddings import Bank, Embedder
from factory.acquire.found import Found, place_of
from factory.acquire.regions import Regions
from factory.acquire.survey import Survey
from factory.acquire.tiles import best_seen
from factory.acquire.uncertainty import Uncertainty
from factory.core import digests
from factory.core.artefact import Identity, Model, Report
from factory.core.cache import Cache
from factory.core.classes import ClassList
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError, InputError
from factory.core.queue import LOG, QueueItem, write_items, write_maps
from factory.core.sample import Domain, Sample, Split, Supervision
from factory.core.version import code_version
from factory.core.writer import QueueWriter
from factory.execute.progress import Progress
from factory.measure.cost import Cost, read_log
from factory.segment.checkpoint import load
from factory.segment.predict import Predictor

ALTERNATIVES, LEAST_SHARE = 3, 0.05
"""How many other classes a queued region is said to be, at most, and the probability each has at least."""


MOST_REGIONS = 65535
"""Regions of one image that its map of 16 bits can tell apart."""


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
    temperature: float | None,
    examples: int,
    cache: str,
    cache_gib: float,
) -> None:
    """Rank regions of real training images that no person has vouched for; test and validation rows are never asked.

    From a ``log`` of how long people took before (see `factory.measure.cost.read_log`) their cost is learnt. Each
    queued region is shown with ``examples`` known pixels of other images that look like it. What was found of each
    image is kept in the cache: it serves every acquisition and cost, and a killed run goes on from there.
    """
    if examples < 0 or (temperature is not None and temperature <= 0):
        got = f"examples {examples}, temperature {temperature}"
        raise ConfigError("examples are 0 or more, temperature above 0 or null", where="select", got=got)
    out.classes = source.classes
    predictor = Predictor(trained=load(model.path("best.ckpt"), classes=source.classes))
    pool = [sample for sample in source.where(split=Split.TRAIN, domain=Domain.REAL) if _open(sample)]
    if not pool:
        todo = "give a data set with real training rows that have no human mask yet"
        raise InputError("no image is left to ask about", where=source.root, todo=todo)
    cost = cost.learnt(read_log(log if isinstance(log, Path) else log.path(LOG))) if log else cost
    survey = Survey(
        source=source,
        seed=seed,
        asked=partial(predictor.map, function=committee(predictor, uncertainty.extras)),
        uncertainty=uncertainty,
        regions=regions,
        cost=cost,
        temperature=temperature,
        embedder=Embedder(predictor=predictor) if examples or acquisition.looks else None,
    )
    with Cache.of(cache, cache_gib).kept(_survey_name(survey, model, committee)) as folder:
        candidates, bank = _surveyed(survey, pool, folder)
        seen = best_seen(candidates, {sample.id: place_of(sample) for sample in pool})
        chosen = acquisition(seen, seed=seed, known_nc=bank.vectors_nc)
        items = [_item(rank, one, bank, examples, source.classes) for rank, one in enumerate(chosen, 1)]
        _write(items, folder, out)
    if candidates and not chosen:
        said = f"none of {len(candidates)} regions was queued: all are below acquisition.min_pixels or over the budget"
        out.report("acquisition", said)
    out.figures = _figures(pool, candidates, chosen, cost)


def _open(sample: Sample) -> bool:
    return sample.supervision != Supervision.EXACT and (sample.supervision != Supervision.HUMAN or bool(sample.source))


def _survey_name(survey: Survey, model: Model, committee: Committee) -> str:
    """After all that decides what is found; which regions are chosen, and what their answers cost, is no part of it."""
    parts = {name: repr(getattr(survey, name)) for name in ("uncertainty", "regions", "temperature")}
    config = parts | {"committee": repr(committee), "embedded": survey.embedder is not None}
    folders = getattr(committee, "folders", {})
    inputs = {"model": model.digest, "source": survey.source.digest}
    inputs |= {name: digests.of_path(Path(path)) for name, path in folders.items()}
    identity = Identity(stage="survey", config=config, seed=survey.seed, inputs=inputs, code=code_version())
    return f"survey-{identity.name}"


def _surveyed(survey: Survey, pool: list[Sample], folder: Path) -> tuple[list[Candidate], Bank]:
    """All candidates, and what known pixels look like; what was found of each image lies in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    candidates, bank = [], Bank()
    with Progress("select", len(pool)) as progress:
        for sample in pool:
            place = folder / f"{sample.id}.npz"
            found = Found.load(place, sample, survey.cost)
            if found is None:
                found = survey(sample)
                found.save(place)
            candidates += found.candidates
            if found.vectors_nc is not None:
                bank.add(found.vectors_nc, found.examples)
            progress.advance()
    return candidates, bank


def _item(rank: int, candidate: Candidate, bank: Bank, examples: int, classes: ClassList) -> QueueItem:
    vector_c = candidate.embedding
    nearest = [] if vector_c is None else bank.nearest(vector_c, examples, elsewhere=candidate.sample_id)
    return QueueItem(
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
        nearest=tuple((example, round(likeness, 3)) for example, likeness in nearest),
    )


def _alternatives(candidate: Candidate) -> tuple[tuple[int, float], ...]:
    """Other classes than the likeliest that are worth a thought."""
    shares = [(i, round(candidate.probabilities[i], 3)) for i in ranked(candidate)[1 : 1 + ALTERNATIVES]]
    return tuple((class_id, share) for class_id, share in shares if share >= LEAST_SHARE)


def _write(items: list[QueueItem], folder: Path, out: QueueWriter) -> None:
    """The queue; regions are numbered anew in each image: a large one has more of them than 16 bits can count."""
    number_of: dict[str, dict[int, int]] = defaultdict(dict)
    for item in sorted(items, key=lambda item: item.region):
        number_of[item.sample_id][item.region] = len(number_of[item.sample_id]) + 1
    write_items(out, [replace(item, region=number_of[item.sample_id][item.region]) for item in items])
    for sample_id, numbers in sorted(number_of.items()):
        if len(numbers) > MOST_REGIONS:
            todo = "ask about fewer of one image, or larger ones: acquisition.per_image=…, regions=…"
            raise ConfigError("too many regions of one image", where=sample_id, got=len(numbers), todo=todo)
        with np.load(folder / f"{sample_id}.npz") as held:
            regions_hw, proposal_hw, uncertain_hw = (
                held[f"{name}_hw"] for name in ("regions", "proposal", "uncertain")
            )
        number_r = np.zeros(int(regions_hw.max(initial=0)) + 1, np.uint16)
        number_r[list(numbers)] = list(numbers.values())
        write_maps(out, sample_id, regions=number_r[regions_hw], proposal=proposal_hw, uncertainty=uncertain_hw)


def _figures(pool: list[Sample], candidates: list[Candidate], chosen: list[Candidate], cost: Cost) -> dict[str, Any]:
    """Counts, what the answers are expected to take, and how doubtful what was queued is beside everything."""
    images = len({candidate.sample_id for candidate in chosen})
    found: dict[str, Any] = {
        "images": len(pool),
        "candidates": len(candidates),
        "queued": len(chosen),
        "images_queued": images,
        "clicks": sum(candidate.clicks for candidate in chosen),
        "seconds": round(sum(candidate.seconds for candidate in chosen) + cost.image * images, 1),
        "cost": {name: round(getattr(cost, name), 4) for name in ("image", "region", "border")},
    }
    if chosen:
        found["mean_score_queued"] = float(np.mean([candidate.score for candidate in chosen]))
        found["mean_score_all"] = float(np.mean([candidate.score for candidate in candidates]))
    return found
