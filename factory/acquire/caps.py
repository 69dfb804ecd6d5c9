"""What every choice is bound by: a budget, spread over images, no spot twice, nothing too small."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from factory.acquire.candidates import Candidate
from factory.core.errors import ConfigError

Box = tuple[int, int, int, int]


UNITS = ("regions", "images", "clicks", "seconds")


@dataclass(frozen=True, kw_only=True)
class Caps:
    """``budget`` in all, counted in ``unit``; ``per_image`` regions at most in one image, none below ``min_pixels``.

    Clicks and seconds are what answers are expected to take (see `Candidate`). ``max_overlap`` is the share of the
    smaller box that two regions of one picture may have in common: tiles that overlap show a spot twice.
    ``max_likeness`` is the largest cosine of the angle between the embeddings of two regions, of whatever pictures:
    near duplicates are asked about once (None: all are).
    """

    budget: float
    unit: str
    per_image: int
    min_pixels: int
    max_overlap: float
    max_likeness: float | None

    def __post_init__(self) -> None:
        if self.budget <= 0 or self.per_image < 1:
            raise ConfigError(
                "acquisition.budget and per_image must be positive", got=f"{self.budget}, {self.per_image}"
            )
        if self.unit not in UNITS:
            raise ConfigError("unknown acquisition.unit", got=self.unit, expected=", ".join(UNITS))
        if not 0 <= self.max_overlap <= 1:
            raise ConfigError("acquisition.max_overlap is a share", got=self.max_overlap, expected="0 to 1")
        if self.max_likeness is not None and not 0 < self.max_likeness <= 1:
            got, expected = self.max_likeness, "above 0, up to 1, or null"
            raise ConfigError("acquisition.max_likeness is a cosine", got=got, expected=expected)

    @property
    def looks(self) -> bool:
        """Whether candidates must have embeddings."""
        return self.max_likeness is not None

    def kept(self, ordered: Iterable[Candidate]) -> list[Candidate]:
        """The first ones that the caps allow, in order; less than the budget where there are no more.

        What the rest of the budget does not pay for is passed over: a cheaper one may come.
        """
        chosen: list[Candidate] = []
        left = self.budget
        per_image: Counter[str] = Counter()
        taken: dict[str, list[tuple[str, Box]]] = defaultdict(list)
        seen = _Seen(self.max_likeness)
        for candidate in ordered:
            if left < 1 and self.unit in ("regions", "clicks"):
                break
            picture, box = candidate.place[0], candidate.box_in_picture()
            price = self._price(candidate, opened=per_image[candidate.sample_id] > 0)
            if price > left or candidate.pixels < self.min_pixels or per_image[candidate.sample_id] >= self.per_image:
                continue
            elsewhere = [other for sample_id, other in taken[picture] if sample_id != candidate.sample_id]
            if any(shared(box, other) > self.max_overlap for other in elsewhere) or seen.like(candidate):
                continue
            chosen.append(candidate)
            left -= price
            per_image[candidate.sample_id] += 1
            taken[picture].append((candidate.sample_id, box))
            seen.add(candidate)
        return chosen

    def _price(self, candidate: Candidate, *, opened: bool) -> float:
        opening = 0 if opened else 1
        prices = {
            "regions": 1,
            "images": opening,
            "clicks": candidate.clicks,
            "seconds": candidate.seconds + opening * candidate.opening,
        }
        return prices[self.unit]


class _Seen:
    """The embeddings of what was chosen, in an array that grows by doubling."""

    def __init__(self, most: float | None) -> None:
        self.most, self.count = most, 0
        self.vectors_nc = np.empty((0, 0), np.float32)

    def like(self, candidate: Candidate) -> bool:
        """Whether something chosen looks the same."""
        if self.most is None or self.most >= 1 or candidate.embedding is None or not self.count:
            return False
        return bool((self.vectors_nc[: self.count] @ candidate.embedding).max() > self.most)

    def add(self, candidate: Candidate) -> None:
        """One more that was chosen."""
        if self.most is None or candidate.embedding is None:
            return
        if self.count == len(self.vectors_nc):
            room = np.empty((max(2 * self.count, 64), len(candidate.embedding)), np.float32)
            if self.count:
                room[: self.count] = self.vectors_nc
            self.vectors_nc = room
        self.vectors_nc[self.count] = candidate.embedding
        self.count += 1


def shared(first: Box, second: Box) -> float:
    """The share of the smaller box that both cover."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return max(width, 0) * max(height, 0) / smaller
