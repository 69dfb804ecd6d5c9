"""What classifiers learnt once from the same pictures and tags, kept in the cache: another refiner trains nothing."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from factory.core import digests
from factory.core.cache import Cache
from factory.label.cam.statements import Statements
from factory.label.corpus import Corpus

LEARNT = ("[!.]*.pt", "[!.]*.npz", "[!.]*.npy")
"""What training leaves in a shelf's folder; features and levels, which are of one use, lie elsewhere or are JSON."""


@contextmanager
def learnt_once(cache: Cache, name: str, folder: Path) -> Iterator[None]:
    """Within the block ``folder`` holds what was learnt under this name before, and what it holds after it is kept.

    One process at a time; a killed one leaves nothing in the cache, and what it had in its own folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with cache.kept(f"tags-{name}") as place:
        if place.is_dir():
            _take(place, folder)
        yield
        if not place.is_dir():
            draft = place.with_name(f"{place.name}.draft")
            draft.mkdir(exist_ok=True)
            _take(folder, draft)
            draft.rename(place)


def digest_of(corpus: Corpus, statements: Statements) -> str:
    """Of all that a classifier may see: pictures, and what is said of each."""
    found = hashlib.sha256(repr(corpus.classes.names).encode())
    for sample_id, said_k in zip(statements.ids, statements.said_nk, strict=True):
        image_hwc = corpus.image(sample_id)
        found.update(f"{sample_id} {image_hwc.shape} {said_k.tolist()}\n".encode())
        found.update(image_hwc.tobytes())
    return found.hexdigest()


def _take(source: Path, target: Path) -> None:
    """Link what ``target`` lacks, or copy it from another disk; what is written anew replaces a link, not its file."""
    for path in itertools.chain.from_iterable(map(source.glob, LEARNT)):
        if (place := target / path.name).is_file():
            continue
        try:
            os.link(path, place)
        except OSError:
            digests.replace_with(place, path.read_bytes())
