"""What every choice is bound by: a budget, spread over images, no spot twice, nothing too small."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from factory.acquire.candidates import Candidate
from factory.core.errors import ConfigError

Box = tuple[int, int, int, int]


UNITS = ("regions", "images", "clicks", "seconds")


@dataclass(frozen=True, kw_only=True)
class Caps:
    """``budget`` in all, counted in ``unit``; ``per_image`` regions at most in one image, none below ``min_pixels``.

    Clicks and seconds are what answers are expected to take (see `Candidate`). ``max_overlap`` is the share of the
    smaller box that two regions of one picture may have in common: tiles that overlap show a spot twice.
    """

    budget: float
    unit: str
    per_image: int
    min_pixels: int
    max_overlap: float

    def __post_init__(self) -> None:
        if self.budget <= 0 or self.per_image < 1:
            raise ConfigError(
                "acquisition.budget and per_image must be positive", got=f"{self.budget}, {self.per_image}"
            )
        if self.unit not in UNITS:
            raise ConfigError("unknown acquisition.unit", got=self.unit, expected=", ".join(UNITS))
        if not 0 <= self.max_overlap <= 1:
            raise ConfigError("acquisition.max_overlap is a share", got=self.max_overlap, expected="0 to 1")

    def kept(self, ordered: Iterable[Candidate]) -> list[Candidate]:
        """The first ones that the caps allow, in order; less than the budget where there are no more.

        What the rest of the budget does not pay for is passed over: a cheaper one may come.
        """
        chosen: list[Candidate] = []
        left = self.budget
        per_image: Counter[str] = Counter()
        taken: dict[str, list[tuple[str, Box]]] = defaultdict(list)
        for candidate in ordered:
            if left < 1 and self.unit in ("regions", "clicks"):
                break
            picture, box = candidate.place[0], candidate.box_in_picture()
            price = self._price(candidate, opened=per_image[candidate.sample_id] > 0)
            if price > left or candidate.pixels < self.min_pixels or per_image[candidate.sample_id] >= self.per_image:
                continue
            elsewhere = [other for sample_id, other in taken[picture] if sample_id != candidate.sample_id]
            if any(shared(box, other) > self.max_overlap for other in elsewhere):
                continue
            chosen.append(candidate)
            left -= price
            per_image[candidate.sample_id] += 1
            taken[picture].append((candidate.sample_id, box))
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


def shared(first: Box, second: Box) -> float:
    """The share of the smaller box that both cover."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return max(width, 0) * max(height, 0) / smaller
