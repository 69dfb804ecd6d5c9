"""Tiles of one photograph belong together wherever some pictures are judged by what was learnt from others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from factory.core.seeds import derive


def shuffled(photograph_of: Mapping[str, str], seed: int, what: str) -> list[list[str]]:
    """The ids of the pictures of each photograph, in id order, photographs at random by ``seed`` and ``what``.

    ``photograph_of`` names the photograph of each id; one that was not cut into tiles has a single picture.
    """
    pictures: dict[str, list[str]] = defaultdict(list)
    for sample_id in sorted(photograph_of):
        pictures[photograph_of[sample_id]].append(sample_id)
    return sorted(pictures.values(), key=lambda ids: derive(seed, what, ids[0]))
