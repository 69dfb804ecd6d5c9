"""Photographs, and whatever is known of them, become a sealed data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError, InputError
from factory.core.picture import Picture
from factory.core.sample import Domain, Origin, Sample, Split, Supervision
from factory.core.writer import DatasetWriter
from factory.execute import Executor
from factory.ingest import class_list as class_lists
from factory.ingest import gather, hints, maps, splits
from factory.ingest.gather import Settings, SupervisionFilter, Taken


def run(
    *,
    images: Path,
    class_list: Path | None,
    tags: Path | None,
    points: Path | None,
    boxes: Path | None,
    scribbles: Path | None,
    masks: Path | None,
    noisy_masks: Path | None,
    out: DatasetWriter,
    seed: int,
    classes: Sequence[str | int] | None,
    colours: list[list[int]] | None,
    supervision: SupervisionFilter,
    size: list[int] | None,
    tile: int | None,
    tile_overlap: float,
    mask_ids: list[list[int]],
    scribble_ids: list[list[int]] | None,
    tags_are_complete: bool,
    white_level: int,
    split: str,
    group_pattern: str | None,
    val_share: float,
    test_share: float,
    strict: bool,
    executor: Executor,
) -> None:
    """Read a folder (or one picture); what cannot be used is reported and left out, or stops the run if ``strict``."""
    out.classes = class_lists.choose(class_list, classes, colours)
    settings = Settings(
        classes=out.classes,
        supervision=supervision,
        seed=seed,
        white_level=white_level,
        mask_ids=_translation("mask_ids", mask_ids),
        scribble_ids=_translation("scribble_ids", mask_ids if scribble_ids is None else scribble_ids),
        size=_size(size),
        tile=tile,
        tile_overlap=tile_overlap,
    )
    drawn = {"mask": masks, "scribbles": scribbles, "noisy_mask": noisy_masks}
    folders = {field: folder for field, folder in drawn.items() if folder}
    names = gather.found(images, folders.values())
    table = hints.read(out.classes, names, tags=tags, points=points, boxes=boxes)
    if tags_are_complete:
        table.complete()
    files = {field: maps.find(folder, names) for field, folder in folders.items()}
    found = gather.sources(names, table, files)
    splits.check_pattern(group_pattern)
    groups = [splits.group_of(source.name, group_pattern) for source in found]
    chosen = splits.assign(groups, fixed=split, val_share=val_share, test_share=test_share, seed=seed)
    unused = [*table.strays(names), *maps.unused(list(files.values()), names)]
    for where, reason in [*table.refused, *table.disputed(), *unused]:
        out.report(where, reason)
    seen: dict[str, str] = {}
    taken = executor.map(partial(gather.take, settings=settings), found, title="ingest")
    for one, group in zip(taken, groups, strict=True):
        _keep(one, group, chosen[group], seen, out)
    _finish(out, strict=strict)


def _keep(one: Taken, group: str, split: Split, seen: dict[str, str], out: DatasetWriter) -> None:
    for reason in one.reasons:
        out.report(one.source.file, reason)
    if one.photos and (first := seen.setdefault(one.sha256, one.source.file)) != one.source.file:
        out.report(one.source.file, f"the same picture as {first}: left out")
        return
    for photo in one.photos:
        _add(photo, one.source.name, group, split, out)


def _add(photo: Picture, name: str, group: str, split: Split, out: DatasetWriter) -> None:
    height, width = photo.image.shape[:2]
    image, sha256 = out.write_image(photo.id, photo.image)
    known = {}
    if photo.mask is not None:
        origin = np.where(photo.mask != IGNORE, Origin.HUMAN, Origin.NONE).astype(np.uint8)
        known = {key: out.write_map(key, photo.id, ids) for key, ids in (("mask", photo.mask), ("source", origin))}
    drawn = {"scribbles": photo.scribbles, "masks": photo.noisy_mask}
    paths: dict[str, Any] = {
        name: out.write_map("hints", f"{photo.id}.{name}", ids) for name, ids in drawn.items() if ids is not None
    }
    sample = Sample(
        id=photo.id, image=image, width=width, height=height, split=split, group=group, domain=Domain.REAL,
        supervision=_supervision(photo), image_sha256=sha256, hints=replace(photo.hints, **paths), **known,
        provenance={"file": name, "offset": list(photo.offset)},
    )  # fmt: skip
    out.add(sample)


def _supervision(photo: Picture) -> Supervision:
    told = (
        (Supervision.HUMAN, photo.mask is not None),
        (Supervision.SCRIBBLES, photo.scribbles is not None),
        (Supervision.POINTS, photo.hints.points),
        (Supervision.BOXES, photo.hints.boxes),
        (Supervision.MASKS, photo.noisy_mask is not None),
        (Supervision.TAGS, photo.hints.tags or photo.hints.absent),
    )
    return next((kind for kind, there in told if there), Supervision.NONE)


def _finish(out: DatasetWriter, *, strict: bool) -> None:
    samples = list(out.samples())
    if strict and out.issues:
        first = f"{out.issues[0]['where']}: {out.issues[0]['reason']}"
        todo = "correct them, or run without strict=true to leave them out"
        out.discard()
        raise InputError(f"{len(out.issues)} problems in the input", where=first, todo=todo)
    if not samples:
        reasons = [f"{issue['where']}: {issue['reason']}" for issue in out.issues[:3]]
        raise InputError("nothing could be ingested", got=reasons or "no picture", todo="see the reasons")
    out.figures = {"images": len(samples), "points": sum(len(s.hints.points) for s in samples)}
    out.figures |= {f"{split}": n for split in Split if (n := sum(s.split == split for s in samples))}


def _translation(key: str, pairs: list[list[int]]) -> dict[int, int]:
    if all(len(pair) == 2 and all(0 <= value <= 255 for value in pair) for pair in pairs):
        return {pair[0]: pair[1] for pair in pairs}
    raise ConfigError(f"{key} is a list of [found, meant] pairs of ids 0-255", where=f"ingest.{key}", got=pairs)


def _size(size: list[int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    if len(size) != 2 or not all(isinstance(n, int) and n > 0 for n in size):
        raise ConfigError("size must be [width, height]", where="ingest.size", got=size)
    return (size[0], size[1])
