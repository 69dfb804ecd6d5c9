"""Stage `convert`: a data set -> a folder in another tool's format."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from factory.core.dataset import Dataset
from factory.core.errors import InputError
from factory.core.sample import Split
from factory.core.writer import ReportWriter

Format = Callable[[Dataset], Iterator[tuple[str, bytes]]]


def run(*, source: Dataset, out: ReportWriter, to: Format) -> None:
    """Write every sample that has a mask, its picture beside it; ``annotations/splits`` lists the ids of each split."""
    annotated = [sample for sample in source.samples if sample.mask is not None]
    if not annotated:
        raise InputError("nothing to convert: no sample has a mask", where=source.root, todo="label the data set first")
    out.classes = source.classes
    for relative, content in to(source):
        out.write(relative, content)
    for sample in annotated:
        out.link(source.path(sample.image), sample.image)
    for split in Split:
        ids = [f"{sample.id}\n" for sample in annotated if sample.split is split]
        out.write(f"annotations/splits/{split}.txt", "".join(ids).encode())
    out.figures = {"images": len(annotated)}
