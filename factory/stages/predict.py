"""A segmenter run on any pictures: masks with confidence, overlays for people, a table of class areas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from factory.core import digests, masks
from factory.core.artefact import Model, Report
from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError, InputError
from factory.core.sample import Domain, Hints, Origin, Sample, Split, Supervision
from factory.core.writer import DatasetWriter
from factory.execute.beside import ahead, behind
from factory.execute.progress import Progress
from factory.ingest import gather, pictures, splits
from factory.ingest.hints import HintTable
from factory.segment.areas import COLUMNS, areas, as_csv
from factory.segment.data import size_of
from factory.segment.opening import open_model
from factory.segment.overlays import overlay
from factory.segment.predict import Predictor, TileFunction, sound
from factory.segment.strips import strips

Image8 = npt.NDArray[np.uint8]

ROOM = 64_000_000
"""Pixels of pictures that are predicted and not yet written: some ten bytes each."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One picture to predict: ``file`` for messages and tables, and its row once its pixels are known."""

    id: str
    file: str
    read: Callable[[], Image8]
    row: Callable[[Image8], Sample]


def run(
    *,
    images: Dataset | Path,
    model: Model | Report | Dataset | Path,
    out: DatasetWriter,
    checkpoint: str,
    size: Sequence[int] | None,
    longest: int | None,
    tile: Sequence[int] | None,
    overlap: float,
    batch: int,
    tta: Callable[[TileFunction], TileFunction],
    min_confidence: float,
    overlays: bool,
    white_level: int,
    largest: float,
) -> None:
    """Write a data set of pseudo-labels, `areas.csv`, and `overlays/<id>.png` if ``overlays``.

    ``images`` is a folder, a file, or a data set, whose splits are kept and whose masks are not looked at. Pixels whose
    likeliest class is less probable than ``min_confidence`` are ignored. A picture that cannot be read is reported and
    left out. Memory does not grow with the number of classes times pixels: large pictures are predicted in strips.
    """
    if not 0 <= min_confidence <= 1:
        raise ConfigError("min_confidence is a probability", where="predict", got=min_confidence, expected="0 to 1")
    predictor = Predictor(
        trained=open_model(model, checkpoint),
        overlap=overlap,
        batch=batch,
        size=size_of("size", size),
        longest=longest,
        tile=size_of("tile", tile),
        tta=tta,
    )
    predictor.tell_of_looks("predict")
    out.classes = predictor.trained.classes
    read = partial(pictures.read, white_level=white_level, most_pixels=_pixels(largest))
    waiting = _of_dataset(images, out) if isinstance(images, Dataset) else _of_folder(images, read, out)
    done = out.done()
    left = [picture for picture in waiting if picture.id not in done]
    with Progress("predict", len(waiting)) as progress, behind(ROOM) as write:
        progress.advance(len(waiting) - len(left))
        for picture, image in zip(left, ahead(_read, left), strict=True):
            if isinstance(image, InputError):
                out.report(picture.file, image.one_line())
            else:
                found = _predict(predictor, image, min_confidence, picture.file)
                write(found[0].size, partial(_write, picture, image, *found, out=out, overlays=overlays))
            progress.advance()
    _finish(out, waiting)


def _read(picture: Piece) -> Image8 | InputError:
    try:
        return picture.read()
    except InputError as error:
        return error


def _write(
    picture: Piece, image_hwc: Image8, mask_hw: Image8, confidence_hw: Image8, *, out: DatasetWriter, overlays: bool
) -> None:
    assert out.classes is not None
    origin_hw = np.where(mask_hw == IGNORE, np.uint8(Origin.NONE), np.uint8(Origin.PSEUDO))
    maps = {"mask": mask_hw, "confidence": confidence_hw, "source": origin_hw}
    row = picture.row(image_hwc)
    table = as_csv(areas(picture.file, picture.id, mask_hw, confidence_hw, out.classes))
    digests.replace_with(_table(out, picture), table)
    if overlays:
        drawn_hwc = overlay(image_hwc, mask_hw, out.classes)
        out.write(f"overlays/{picture.id}.png", masks.encode_png(drawn_hwc))
    stated_hw = mask_hw != IGNORE
    coverage = float(stated_hw.mean())
    sure = float(confidence_hw.mean(where=stated_hw)) / 255 if coverage else 0.0
    out.add(
        row.replace(
            supervision=Supervision.PSEUDO,
            provenance=row.provenance | {"coverage": coverage, "confidence": sure},
            **{name: out.write_map(name, picture.id, pixels) for name, pixels in maps.items()},
        )
    )


def _predict(predictor: Predictor, image_hwc: Image8, min_confidence: float, where: str) -> tuple[Image8, Image8]:
    """Class ids and confidence (255 is certain), both (H, W)."""
    mask_hw, confidence_hw = (np.empty(image_hwc.shape[:2], np.uint8) for _ in range(2))
    for top, found_khw in strips(predictor, image_hwc):
        likeliest = found_khw.max(dim=0)
        ids_hw, sure_hw = likeliest.indices.byte().cpu().numpy(), sound(likeliest.values.cpu().numpy(), where)
        unsure_hw = sure_hw < min_confidence
        ids_hw[unsure_hw], sure_hw[unsure_hw] = IGNORE, 0
        rows = slice(top, top + len(ids_hw))
        mask_hw[rows], confidence_hw[rows] = ids_hw, np.rint(255 * sure_hw.clip(0, 1)).astype(np.uint8)
    return mask_hw, confidence_hw


def _of_folder(images: Path, read: Callable[[Path], Image8], out: DatasetWriter) -> list[Piece]:
    found = gather.sources(gather.found(images), HintTable(), {})
    for where, reason in gather.unread(images):
        out.report(where, reason)
    for source in found:
        for reason in pictures.passed_over(source.path):
            out.report(source.file, reason)
    return [
        Piece(
            id=source.id,
            file=source.file,
            read=partial(read, source.path),
            row=partial(_new_row, source=source, out=out),
        )
        for source in found
    ]


def _new_row(image_hwc: Image8, *, source: gather.Source, out: DatasetWriter) -> Sample:
    path, sha256 = out.write_image(source.id, image_hwc)
    return Sample(
        id=source.id,
        image=path,
        width=image_hwc.shape[1],
        height=image_hwc.shape[0],
        split=Split.TRAIN,
        group=splits.group_of(source.name, None),
        domain=Domain.REAL,
        supervision=Supervision.PSEUDO,
        image_sha256=sha256,
        provenance={"file": source.name, "offset": [0, 0]},
    )


def _of_dataset(dataset: Dataset, out: DatasetWriter) -> list[Piece]:
    return [
        Piece(
            id=sample.id,
            file=sample.id,
            read=partial(dataset.image, sample),
            row=partial(_carried, dataset=dataset, sample=sample, out=out),
        )
        for sample in dataset.samples
    ]


def _carried(_: Image8, *, dataset: Dataset, sample: Sample, out: DatasetWriter) -> Sample:
    """The row with its picture alone; hints stay where the classes they name are the model's."""
    assert out.classes is not None
    same = dataset.classes.names == out.classes.names
    return out.carry(dataset, sample if same else sample.replace(hints=Hints()), "image")


def _finish(out: DatasetWriter, waiting: Sequence[Piece]) -> None:
    samples = list(out.samples())
    if not samples:
        reasons = [f"{issue['where']}: {issue['reason']}" for issue in out.issues[:3]]
        got = "\n".join(reasons) or "no picture"
        raise InputError("nothing could be predicted", got=got, todo="see the reasons")
    known = {sample.id for sample in samples}
    tables = [_table(out, picture).read_bytes() for picture in waiting if picture.id in known]
    out.write("areas.csv", as_csv([COLUMNS]) + b"".join(tables))
    out.figures = {"images": len(samples), "left_out": len(waiting) - len(samples)}
    for figure in ("confidence", "coverage"):
        out.figures[figure] = float(np.mean([sample.provenance[figure] for sample in samples]))


def _table(out: DatasetWriter, picture: Piece) -> Path:
    """The picture's rows of `areas.csv`, kept until all are there."""
    return out.scratch / f"{picture.id}.csv"


def _pixels(largest: float) -> int:
    if largest <= 0:
        raise ConfigError("largest is a number of megapixels above 0", where="predict", got=largest)
    return int(largest * 1e6)
