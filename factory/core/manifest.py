"""The manifest: the only index of a data set, one Parquet row a sample."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from factory.core.errors import ArtefactError
from factory.core.sample import MAPS, Domain, Hints, Sample, Split, Supervision

NAME = "manifest.parquet"

SCHEMA = pa.schema(
    [
        *[pa.field(name, pa.string(), nullable=False) for name in ("id", "image")],
        *[pa.field(name, pa.string()) for name in MAPS],
        *[pa.field(name, pa.int32(), nullable=False) for name in ("width", "height")],
        *[
            pa.field(n, pa.string(), nullable=False)
            for n in ("split", "group", "domain", "supervision", "image_sha256")
        ],
        *[pa.field(name, pa.string(), nullable=False) for name in ("hints", "provenance")],
    ]
)


def to_record(sample: Sample) -> dict[str, Any]:
    """A sample as plain values; hints and provenance as JSON text."""
    shallow = {field.name: getattr(sample, field.name) for field in dataclasses.fields(sample)}
    nested = {"hints": sample.hints.as_json(), "provenance": sample.provenance}
    return shallow | {key: json.dumps(value, sort_keys=True) for key, value in nested.items()}


def from_record(record: dict[str, Any]) -> Sample:
    """Inverse of `to_record`."""
    typed = {
        "split": Split(record["split"]),
        "domain": Domain(record["domain"]),
        "supervision": Supervision(record["supervision"]),
        "hints": Hints.from_json(json.loads(record["hints"])),
        "provenance": json.loads(record["provenance"]),
    }
    return Sample(**record | typed)


def files_of(sample: Sample) -> Iterator[str]:
    """Paths of every file the row names."""
    maps = (getattr(sample, name) for name in MAPS)
    return filter(None, (sample.image, *maps, sample.hints.scribbles, sample.hints.masks))


def encode(samples: Sequence[Sample]) -> bytes:
    """Parquet bytes, rows in id order: equal samples give equal bytes."""
    rows = [to_record(sample) for sample in sorted(samples, key=lambda sample: sample.id)]
    columns = {name: [row[name] for row in rows] for name in SCHEMA.names}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns, schema=SCHEMA), buffer, compression="zstd")
    return buffer.getvalue()


def read(path: Path) -> tuple[Sample, ...]:
    """The samples of a sealed data set, in id order."""
    try:
        return tuple(from_record(row) for row in pq.read_table(path).to_pylist())
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise ArtefactError.of(error, what="unreadable manifest", where=path, todo="make the artefact again") from error
