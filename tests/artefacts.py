"""Small real artefacts for tests, written with the factory's own writer."""

from __future__ import annotations

import contextlib
import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from factory.core import masks
from factory.core.artefact import Artefact, Identity, Kind, Model, Report
from factory.core.classes import IGNORE, ClassList
from factory.core.dataset import Dataset
from factory.core.queue import Queue, QueueItem, write_items, write_maps
from factory.core.sample import Domain, Hints, Origin, Sample, Split, Supervision
from factory.core.writer import Writer, open_writer

CLASSES = ClassList.of(["background", "coin", "wood & <cloth>"])


def identity(stage: str, **config: Any) -> Identity:
    """An identity no two different configurations share."""
    return Identity(stage=stage, config=config, seed=0, inputs={}, code="test")


def sealed(target: Path, kind: Kind, fill: Callable[[Writer], None], classes: ClassList | None = CLASSES) -> Path:
    """A sealed artefact whose content ``fill`` writes."""
    with open_writer(target, identity(target.name), kind) as out:
        out.classes = classes
        fill(out)
        out.seal()
    return target


@contextlib.contextmanager
def written(target: Path, kind: Kind = Kind.DATASET, **config: Any) -> Iterator[Writer]:
    """A writer that is sealed at the end of the block: what the command line does around a stage."""
    with open_writer(target, identity(target.name, **config), kind) as out:
        yield out
        out.seal()


def photograph(size_hw: tuple[int, int], key: int) -> npt.NDArray[np.uint8]:
    """A smooth colourful picture that differs by key."""
    down, across = np.mgrid[0 : size_hw[0], 0 : size_hw[1]] / max(size_hw)
    waves = [np.sin(6 * across * (k + 1) + 5 * down + key + k) for k in range(3)]
    return np.asarray(127 + 110 * np.stack(waves, axis=-1), np.uint8)


def add_sample(
    out: Writer,
    sample_id: str,
    mask_hw: npt.NDArray[np.uint8] | None,
    *,
    split: Split = Split.TRAIN,
    domain: Domain = Domain.REAL,
    supervision: Supervision = Supervision.PSEUDO,
    origin: Origin = Origin.PSEUDO,
    hints: Hints | None = None,
    size_hw: tuple[int, int] = (24, 32),
    image: npt.NDArray[np.uint8] | None = None,
    photograph_of: str | None = None,
) -> Sample:
    """Write one sample; with a mask also confidence 150 and an origin map (none where ignored).

    ``photograph_of`` is the file that it is a tile of.
    """
    shown = image if image is not None else mask_hw
    size_hw = size_hw if shown is None else (shown.shape[0], shown.shape[1])
    path, sha = out.write_image(sample_id, photograph(size_hw, sum(sample_id.encode())) if image is None else image)
    maps: dict[str, str] = {}
    if mask_hw is not None:
        stated = mask_hw != IGNORE
        layers = {"mask": mask_hw, "confidence": 150 * stated, "source": int(origin) * stated}
        maps = {name: out.write_map(name, sample_id, np.asarray(pixels, np.uint8)) for name, pixels in layers.items()}
    sample = Sample(
        id=sample_id,
        image=path,
        width=size_hw[1],
        height=size_hw[0],
        split=split,
        group=sample_id,
        domain=domain,
        supervision=supervision if mask_hw is not None or hints else Supervision.NONE,
        image_sha256=sha,
        hints=hints or Hints(),
        provenance={} if photograph_of is None else {"file": photograph_of},
        **maps,
    )
    out.add(sample)
    return sample


def grey_png(rows: list[list[int]], bits: int, clear: int | None = None) -> bytes:
    """A grey PNG of so few bits, which Pillow does not write; ``clear`` is the value that is transparent."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    texts = ["".join(f"{value:0{bits}b}" for value in row) for row in rows]
    packed = [bytes(int(text[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(text), 8)) for text in texts]
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), bits, 0, 0, 0, 0)
    transparent = b"" if clear is None else chunk(b"tRNS", struct.pack(">H", clear))
    data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in packed)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + transparent + data + chunk(b"IEND", b"")


def dataset(target: Path, masks: Mapping[str, npt.NDArray[np.uint8] | None], **about: Any) -> Dataset:
    """A sealed data set with one sample for each mask; ``about`` goes to `add_sample`."""

    def fill(out: Writer) -> None:
        for sample_id, mask_hw in masks.items():
            add_sample(out, sample_id, mask_hw, **about)

    return Dataset.open(sealed(target, Kind.DATASET, fill))


def queue(target: Path, asked: Mapping[str, tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint8]]]) -> Queue:
    """A sealed queue of (regions map, proposal) pairs; items in order of id and region number."""

    def fill(out: Writer) -> None:
        found = [(sample_id, int(n)) for sample_id, (regions, _) in asked.items() for n in np.unique(regions) if n]
        items = []
        for rank, (sample_id, number) in enumerate(found, start=1):
            regions, proposal = asked[sample_id]
            rows, columns = np.nonzero(regions == number)
            box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
            ids = np.bincount(proposal[regions == number])
            items.append(
                QueueItem(
                    rank=rank,
                    sample_id=sample_id,
                    region=number,
                    box=box,
                    pixels=len(rows),
                    class_id=int(ids.argmax()),
                    score=1.0 / rank,
                    scores={"entropy": 0.7 / rank, "mutual_information": 0.1 / rank},
                    reason="The model is torn between coin and background here.",
                )
            )
        for sample_id, (regions, proposal) in asked.items():
            doubt = np.asarray(np.where(regions > 0, 220, 30), np.uint8)
            write_maps(out, sample_id, regions=regions, proposal=proposal, uncertainty=doubt)
        write_items(out, items)

    return Queue.open(sealed(target, Kind.QUEUE, fill))


def model(target: Path, history: list[dict[str, float | None]]) -> Model:
    """A sealed model that holds nothing but its history."""
    return Model.open(sealed(target, Kind.MODEL, lambda out: _json(out, "history.json", history)))


def report(
    target: Path,
    metrics: dict[str, Any],
    pictures: Mapping[str, npt.NDArray[np.uint8]] | None = None,
    *,
    name: str = "metrics.json",
) -> Report:
    """A sealed measurement, its figures in the file ``name``; ``pictures`` maps a path inside it to pixels."""

    def fill(out: Writer) -> None:
        _json(out, name, metrics)
        for relative, pixels in (pictures or {}).items():
            out.write(relative, masks.encode_png(pixels))

    return Report.open(sealed(target, Kind.REPORT, fill))


def reopened(artefact: Artefact) -> Artefact:
    """The same artefact, read again from the disk."""
    return type(artefact).open(artefact.root)


def _json(out: Writer, relative: str, value: Any) -> None:
    out.write(relative, json.dumps(value).encode())
