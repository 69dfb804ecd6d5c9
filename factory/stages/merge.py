"""Corrections come back, and make the next version of the data set.

A person's pixels override every other origin (confidence 255, origin human, supervision human); what nobody stated
stays as it was. A pixel whose class changed is no longer part of the thing that was there. Ids, splits and everything
else are carried over; test images are never corrected.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from factory.core.artefact import Report
from factory.core.classes import IGNORE
from factory.core.dataset import Dataset, require_same_classes
from factory.core.errors import InputError
from factory.core.objects import SceneObjects
from factory.core.queue import ANSWERS, Queue
from factory.core.sample import Origin, Sample, Supervision
from factory.core.writer import DatasetWriter
from factory.exchange import Codec, Entry, Mask, labelme, png
from factory.exchange.cvat import Cvat
from factory.exchange.labelme import LabelMe
from factory.exchange.png import Png
from factory.exchange.unpacked import unpacked
from factory.review.corrections import (
    Asked,
    Known,
    Rules,
    Where,
    answered_before,
    apply,
    changed_regions,
    left_alone,
    mislabelled_regions,
)
from factory.review.returns import Intake
from factory.review.tally import Tally


def run(
    *,
    source: Dataset,
    corrections: Path | Report,
    queue: Queue | None,
    out: DatasetWriter,
    codec: Codec | None,
    rules: Rules,
    strict: bool,
) -> None:
    """Merge the masks in ``corrections`` into ``source``; see `Rules` for how far they count.

    Corrections may be what `factory answer` made: a rehearsal goes the way that people's answers go. Without a
    ``codec``, they are read as what they are.
    """
    rules, tally = rules.settled(queued=queue is not None), Tally()
    asked_ids = frozenset(item.sample_id for item in queue.items) if queue else None
    if queue:
        require_same_classes(source, queue)
    intake = Intake(
        samples={sample.id: sample for sample in source.samples},
        classes=source.classes,
        asked=None if rules.scope == "image" else asked_ids,
        report=out.report,
        strict=strict,
    )
    out.classes = source.classes
    corrected = set()
    for sample, stated_hw in intake.accept(_entries(corrections, codec, intake)):
        asked = Asked.of(queue, sample) if queue and asked_ids and sample.id in asked_ids else None
        if _merge_one(source, sample, stated_hw, asked, rules, tally, out):
            corrected.add(sample.id)
    if intake.left_out and not corrected:
        _nothing_changed(intake, corrections, out)
    for sample in source.samples:
        if sample.id not in corrected:
            out.add(out.carry(source, sample))
    if tally.regions_left_alone:
        said = (
            "came back as proposed in images that were corrected: left alone; rules.unchanged=image takes them as right"
        )
        out.report("regions", f"{tally.regions_left_alone} {said}")
    unbiased = rules.unchanged != "skip" or rules.scope == "image"
    out.figures |= tally.figures(source.classes, left_out=len(intake.left_out), unbiased=unbiased)


def _nothing_changed(intake: Intake, corrections: Path | Report, out: DatasetWriter) -> None:
    """`InputError` where nothing can be used; otherwise said before all else, for others came back as they were."""
    if not intake.seen:
        out.discard()
        got = "\n".join(intake.left_out[:3])
        where = corrections if isinstance(corrections, Path) else corrections.root
        raise InputError(
            "none of the corrections can be used", where=where, got=got, todo="correct them, and export again"
        )
    said = f"changed nothing: what came back as it was is left alone, {len(intake.left_out)} cannot be used"
    out.issues.insert(0, {"where": "corrections", "reason": f"{said}, first {intake.left_out[0]}"})


def _entries(corrections: Path | Report, codec: Codec | None, intake: Intake) -> Iterator[Entry]:
    if isinstance(corrections, Path):
        with unpacked(corrections) as files:
            yield from (codec or _fitting(files, intake)).read(files)
    elif (answered := corrections.path(ANSWERS)).is_dir():
        yield from Png().read(answered)


def _fitting(corrections: Path, intake: Intake) -> Codec:
    """What reads these corrections: JSON is LabelMe's, a folder without XML or JSON one of PNGs, all else CVAT's.

    `InputError` for a folder of several, as `review` hands it out: only one was corrected, and nothing says which.
    """
    if not corrections.is_dir():
        return LabelMe() if corrections.suffix.lower() == labelme.ENDING else Cvat()
    there: dict[str, Codec] = {}
    if any(corrections.rglob("*.xml")):
        there["CVAT's XML"] = Cvat()
    if labelme.is_any(corrections):
        there["LabelMe's JSON"] = LabelMe()
    if there and any(intake.takes(entry) for entry in png.entries(corrections) if not _is_shown(entry.name)):
        there["mask PNGs"] = Png()
    if len(there) > 1:
        todo = "give the one that was corrected: the XML, the folder of LabelMe's files, or that of the masks"
        raise InputError("corrections in several formats", where=corrections, got=" and ".join(there), todo=todo)
    return next(iter(there.values()), Png())


def _is_shown(name: str) -> bool:
    """Whether a picture lies in a folder of those that are handed out, and that CVAT exports: it is no mask."""
    return not {"images", "overlays"}.isdisjoint(name.split("/")[:-1])


def _merge_one(
    source: Dataset,
    sample: Sample,
    stated_hw: Mask,
    asked: Asked | None,
    rules: Rules,
    tally: Tally,
    out: DatasetWriter,
) -> bool:
    """Write one corrected sample; False where the correction says nothing, or nothing that counts."""
    stated_hw = rules.stated(stated_hw)
    if asked and (stated_hw == asked.proposal_hw).all():
        tally.images_unchanged += 1
        if rules.unchanged == "skip":
            out.report(
                sample.id, "came back exactly as proposed: left alone; rules.unchanged=confirm takes it as right"
            )
            return False
    known = Known.of(source, sample)
    after = apply(known, stated_hw, asked, rules)
    if asked:
        wrong = mislabelled_regions(known.mask_hw, np.where(after.human_hw, stated_hw, IGNORE), asked)
        left, before = left_alone(stated_hw, asked, rules), answered_before(known, asked)
        tally.regions(*changed_regions(stated_hw, after.human_hw, asked, rules), left, wrong, before)
    if not after.human_hw.any() and (after.maps.mask_hw == known.mask_hw).all():
        out.report(
            sample.id, "says nothing that counts here: left alone; rules.scope and rules.unstated decide what does"
        )
        return False
    overruled_hw = (known.source_hw == Origin.HUMAN) & (after.maps.mask_hw != known.mask_hw)
    if overruled_hw.any():
        out.report(
            sample.id, f"{overruled_hw.sum()} pixels were stated otherwise by people before: the newer word counts"
        )
    tally.image(known, after)
    carried = out.carry(source, sample, "image", "instances", "depth", "normals", "objects")
    written = {
        "mask": out.write_map("mask", sample.id, after.maps.mask_hw),
        "confidence": out.write_map("confidence", sample.id, after.maps.confidence_hw),
        "source": out.write_map("source", sample.id, after.maps.source_hw),
        **_things_left(source, sample, after.maps.mask_hw != known.mask_hw, out),
    }
    human = after.human_hw.any() or sample.supervision == Supervision.HUMAN
    supervision = Supervision.HUMAN if human else sample.supervision
    out.add(carried.replace(**written, supervision=supervision))
    return True


def _things_left(source: Dataset, sample: Sample, changed_hw: Where, out: DatasetWriter) -> dict[str, str]:
    """The instances map and what is told of its things, where a class changed under one of them."""
    if sample.instances is None:
        return {}
    instances_hw = source.map(sample, "instances")
    left_hw = np.where(changed_hw, 0, instances_hw)
    if (left_hw == instances_hw).all():
        return {}
    written = {"instances": out.write_map("instances", sample.id, left_hw)}
    if sample.objects is not None:
        told = SceneObjects.read(source.path(sample.objects)).seen_in(left_hw)
        written["objects"] = out.write(sample.objects, told.encode())
    return written
