"""Tiles of one picture overlap: a spot is judged where the model sees most around it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import inf

from factory.acquire.candidates import Candidate

Box = tuple[int, int, int, int]


def best_seen(candidates: Sequence[Candidate], tiles: Mapping[str, tuple[str, Box]]) -> list[Candidate]:
    """Leave out regions that another tile shows whole and farther from its edges.

    ``tiles`` gives for every sample its picture and the tile's box in that picture's coordinates. Near a tile's edge
    the model lacks context and is unsure for no fault of the picture; the picture's own edge does not count.
    """
    by_picture: dict[str, list[Box]] = defaultdict(list)
    for picture, tile in tiles.values():
        by_picture[picture].append(tile)
    kept = []
    for candidate in candidates:
        picture, own = tiles[candidate.sample_id]
        others = by_picture[picture]
        whole = (
            min(t[0] for t in others),
            min(t[1] for t in others),
            max(t[2] for t in others),
            max(t[3] for t in others),
        )
        box = candidate.box_in_picture()
        if margin(box, own, whole) >= max(margin(box, tile, whole) for tile in others):
            kept.append(candidate)
    return kept


def margin(box: Box, tile: Box, picture: Box) -> float:
    """Pixels between a box and the nearest edge of the tile that is not the picture's; negative if it sticks out."""
    gaps = [(box[k] - tile[k]) * (1 if k < 2 else -1) for k in range(4)]
    return min((gap for k, gap in enumerate(gaps) if gap < 0 or tile[k] != picture[k]), default=inf)
