"""Photographs, and whatever is known of them, become a sealed data set."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from factory.core.errors import ConfigError, InputError
from factory.core.sample import Domain, Hints, Sample, Split
from factory.core.writer import DatasetWriter
from factory.execute import Executor
from factory.ingest import class_list as class_lists
from factory.ingest import gather, hints, maps, splits
from factory.ingest.encoded import Encoded
from factory.ingest.gather import Settings, Source, SupervisionFilter, Taken
from factory.ingest.supervision.tags import among
from factory.ingest.told import MAPS, Told, counted

Place = tuple[str, Split]
"""A picture's group, and the split that it is in."""

MOST_SIDE = 32_767
"""Pixels that OpenCV can make of a side."""

LARGE = 4e6
"""Pixels beyond which a data set of pictures is slow enough to be told."""


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
    longest: int | None,
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
        supervision=among(supervision, len(out.classes)),
        seed=seed,
        white_level=white_level,
        mask_ids=_translation("mask_ids", mask_ids),
        scribble_ids=_translation("scribble_ids", mask_ids if scribble_ids is None else scribble_ids),
        size=_size(size),
        longest=longest,
        tile=tile,
        tile_overlap=tile_overlap,
    )
    said = {"tags": tags, "points": points, "boxes": boxes}
    said |= {"scribbles": scribbles, "masks": masks, "noisy_masks": noisy_masks}
    given = {kind: path for kind, path in said.items() if path}
    folders = {field: given[kind] for kind, field in MAPS.items() if kind in given}
    names = gather.found(images, folders.values())
    table = hints.read(out.classes, names, tags=tags, points=points, boxes=boxes)
    if tags_are_complete:
        table.complete()
    files = {field: maps.find(folder, names) for field, folder in folders.items()}
    found = gather.sources(names, table, files)
    shares = partial(splits.assign, fixed=split, val_share=val_share, test_share=test_share, seed=seed)
    placed = _placed(found, group_pattern, shares)
    unused = [*gather.unread(images, folders.values()), *table.strays(names), *maps.unused([*files.values()], names)]
    _report([*table.refused, *table.disputed(out.classes), *unused], out)
    told = _take_all(found, placed, settings, executor, out)
    _report(doubtful := told.hardly_ignored(out.classes, given, settings.translations), out)
    _refuse(told, given, out, strict=strict)
    _report([*told.likely_per_cent(given), *told.nearly_black()], out)
    if split == "auto":
        _require_training(out)
        _report([*splits.unfilled(placed.values(), val_share, test_share), *told.untaught(out.classes)], out)
    if {"mask", "noisy_mask"} & folders.keys() and not doubtful:
        _report_unnamed(told, out)
    _report_large(out)
    _figures(out, given)


def _placed(
    found: Sequence[Source], pattern: str | None, assign: Callable[[Sequence[str]], Mapping[str, Split]]
) -> dict[str, Place]:
    """Group and split of each file."""
    splits.check_pattern(pattern)
    groups = {source.file: splits.group_of(source.name, pattern) for source in found}
    chosen = assign([*groups.values()])
    return {file: (group, chosen[group]) for file, group in groups.items()}


def _report(issues: Iterable[tuple[str, str]], out: DatasetWriter) -> None:
    for where, reason in issues:
        out.report(where, reason)


def _take_all(
    found: Sequence[Source], placed: Mapping[str, Place], settings: Settings, executor: Executor, out: DatasetWriter
) -> Told:
    """Write what can be taken, of equal pictures the first, with what is said of the others; what is told of it all."""
    kept: dict[str, Source] = {}
    again: dict[str, Source] = {}
    told = Told()
    for one in executor.map(partial(gather.take, settings=settings), found, title="ingest"):
        first = kept.setdefault(one.sha256, one.source) if one.parts else one.source
        if first is one.source:
            _keep(one, placed, told, out)
        else:
            out.report(one.source.file, _twice(first, one.source, settings.classes.names))
            if (joined := gather.joined(first, one.source)) != first:
                kept[one.sha256] = again[first.id] = joined
    for source in again.values():
        known = {issue["reason"] for issue in out.issues if issue["where"] == source.file}
        one = gather.take(source, settings)
        _keep(replace(one, reasons=tuple(reason for reason in one.reasons if reason not in known)), placed, told, out)
    return told


def _twice(first: Source, again: Source, names: Sequence[str]) -> str:
    """What becomes of a picture that is there already."""
    lost = [kind for kind, path in again.files.items() if path and first.files[kind]]
    lost += [f"the tag {names[class_id]}" for class_id in sorted(hints.contradicted(first.hints, again.hints))]
    told = again.hints != Hints() or any(again.files.values())
    said = "; what is said of it counts for that one" if told else ""
    return f"the same picture as {first.file}: left out{said}{', but for ' if lost else ''}{', '.join(lost)}"


def _keep(one: Taken, placed: Mapping[str, Place], told: Told, out: DatasetWriter) -> None:
    for reason in one.reasons:
        out.report(one.source.file, reason)
    told.add(one.told, trains=placed[one.source.file][1] == Split.TRAIN)
    for part in one.parts:
        about: dict[str, Any] = {"file": one.source.name, "offset": list(part.offset)}
        about |= {"brought_to": dict(one.brought_to)} if one.brought_to else {}
        _add(part, about, *placed[one.source.file], out)


def _add(part: Encoded, about: dict[str, Any], group: str, split: Split, out: DatasetWriter) -> None:
    drawn: dict[str, Any] = {name: out.write_png("hints", f"{part.id}.{name}", png) for name, png in part.drawn.items()}
    maps: dict[str, Any] = {name: out.write_png(name, part.id, png) for name, png in part.maps.items()}
    sample = Sample(
        id=part.id, width=part.width, height=part.height, split=split, group=group, domain=Domain.REAL,
        supervision=part.supervision, image_sha256=part.sha256, hints=replace(part.hints, **drawn), provenance=about,
        **maps,
    )  # fmt: skip
    out.add(sample)


def _refuse(told: Told, given: Mapping[str, Path], out: DatasetWriter, *, strict: bool) -> None:
    """`InputError` where nothing can be taken, where hints were given in vain, and for any issue if ``strict``."""
    reasons = [f"{issue['where']}: {issue['reason']}" for issue in out.issues]
    if strict and reasons:
        out.discard()
        todo = "correct them, or run without strict=true to leave them out"
        raise InputError(f"{len(reasons)} problems in the input", got="\n".join(reasons[:12]), todo=todo)
    if not any(out.samples()):
        raise InputError(
            "nothing could be ingested", got="\n".join(reasons[:3]) or "no picture", todo="see the reasons"
        )
    for kind in told.in_vain(given):
        out.discard()
        todo = f"correct them, or leave inputs.{kind} out"
        raise InputError(f"none of the {kind} could be used", where=given[kind], got="\n".join(reasons[:5]), todo=todo)


def _require_training(out: DatasetWriter) -> None:
    """`InputError` where the pictures that were to train are all among those that could not be taken."""
    if not any(sample.split == Split.TRAIN for sample in out.samples()):
        got = "\n".join(f"{issue['where']}: {issue['reason']}" for issue in out.issues[:5])
        out.discard()
        todo = "correct them, or give more pictures, or split=… for all"
        raise InputError("no picture is left to train on", got=got, todo=todo)


def _report_unnamed(told: Told, out: DatasetWriter) -> None:
    """Not a problem of the input: classes may be rare."""
    assert out.classes is not None
    for class_id in told.unnamed(out.classes):
        out.report("classes", f"{out.classes.names[class_id]} is in no mask, and named by no hint")


def _report_large(out: DatasetWriter) -> None:
    """Nor is this: every step after takes time in proportion, which nobody expects of a telephone's photographs."""
    pixels = statistics.median(sample.width * sample.height for sample in out.samples())
    if pixels > LARGE:
        how = "longest=1600 makes them smaller here, and tile=1024 cuts them; factory predict gives masks of any size"
        out.report("size", f"half of the pictures have {pixels / 1e6:.0f} megapixels or more, and take long: {how}")


def _figures(out: DatasetWriter, given: Iterable[str]) -> None:
    samples = list(out.samples())
    out.figures = {"images": len(samples)} | counted(samples, given)
    out.figures |= {f"{split}": n for split in Split if (n := sum(s.split == split for s in samples))}


def _translation(key: str, pairs: list[list[int]]) -> dict[int, int]:
    if all(len(pair) == 2 and all(0 <= value <= 255 for value in pair) for pair in pairs):
        return {pair[0]: pair[1] for pair in pairs}
    raise ConfigError(f"{key} is a list of [found, meant] pairs of ids 0-255", where=f"ingest.{key}", got=pairs)


def _size(size: list[int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    if len(size) != 2 or not all(isinstance(n, int) and 0 < n <= MOST_SIDE for n in size):
        expected = f"two whole numbers, 1 to {MOST_SIDE:,} each"
        raise ConfigError("size must be [width, height]", where="ingest.size", got=size, expected=expected)
    return (size[0], size[1])
