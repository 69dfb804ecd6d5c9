"""Which regions are asked about: the most doubtful, any, or some of every class."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from factory.acquire.candidates import Candidate, ranked
from factory.acquire.caps import Caps
from factory.acquire.embeddings import Vectors
from factory.core.errors import ConfigError
from factory.core.seeds import derive

TINY = 1e-12
"""What no probability and no draw is below."""

Order = Callable[[Candidate], float]
"""What candidates are sorted by, lowest first."""


class Acquisition(Protocol):
    """Chooses what is asked."""

    @property
    def looks(self) -> bool:
        """Whether candidates must have embeddings."""

    def __call__(self, candidates: Sequence[Candidate], *, seed: int, known_nc: Vectors) -> list[Candidate]:
        """The chosen ones, most urgent first; their order among ``candidates`` does not matter.

        What is known already looks like ``known_nc`` (N, C): one that looks asks for something else.
        """


@dataclass(frozen=True, kw_only=True)
class TopRegions(Caps):
    """The highest scores; ties go by sample id and region number."""

    def __call__(self, candidates: Sequence[Candidate], *, seed: int, known_nc: Vectors) -> list[Candidate]:  # noqa: ARG002
        """See `Acquisition`; nothing is drawn."""
        return self.kept(_sorted(candidates, lambda candidate: -candidate.score))


@dataclass(frozen=True, kw_only=True)
class RandomRegions(Caps):
    """Any, all alike: what every other choice is to be held against."""

    def __call__(self, candidates: Sequence[Candidate], *, seed: int, known_nc: Vectors) -> list[Candidate]:  # noqa: ARG002
        """See `Acquisition`."""
        return self.kept(_sorted(candidates, lambda candidate: _uniform(seed, candidate)))


@dataclass(frozen=True, kw_only=True)
class ClassRandom(Caps):
    """Any of each predicted class in turn: the choice that is hardest to beat (nnActive, 2025)."""

    def __call__(self, candidates: Sequence[Candidate], *, seed: int, known_nc: Vectors) -> list[Candidate]:  # noqa: ARG002
        """See `Acquisition`."""
        return self.kept(_in_turn(candidates, lambda candidate: _uniform(seed, candidate)))


@dataclass(frozen=True, kw_only=True)
class ClassLikely(Caps):
    """Regions that may be of each class in turn, drawn in proportion to the probability that they are.

    Of a rare class that the model hardly finds, regions predicted to be of it are mostly mistakes, and those it misses
    are predicted to be something else: drawn by predicted class, the former alone are asked about. Drawn without
    replacement by keys E / p, E exponential (Efraimidis & Spirakis 2006); a region has one draw, shifted by class.
    """

    def __call__(self, candidates: Sequence[Candidate], *, seed: int, known_nc: Vectors) -> list[Candidate]:  # noqa: ARG002
        """See `Acquisition`; the class that is likely least often goes first."""
        if not candidates:
            return []
        ordered = _sorted(candidates, lambda _: 0.0)
        probability_nk = np.array([candidate.probabilities for candidate in ordered])
        classes = probability_nk.shape[1]
        drawn_n = np.array([_uniform(seed, candidate) for candidate in ordered])
        drawn_nk = (drawn_n[:, None] + np.arange(classes) / classes) % 1
        keys_nk = -np.log(np.maximum(drawn_nk, TINY)) / np.maximum(probability_nk, TINY)
        rare_first = np.argsort(probability_nk.sum(axis=0), kind="stable")
        ranked_kn = np.argsort(keys_nk, axis=0, kind="stable").T[rare_first]
        return self.kept(ordered[number] for number in _alternately(ranked_kn))


@dataclass(frozen=True, kw_only=True)
class Stratified(Caps):
    """The most doubtful of each predicted class in turn, with noise on the scores that decays from round to round.

    A score s becomes log s + ``noise`` · g, g from a Gumbel distribution, which draws regions with probabilities
    proportional to s^(1/noise) (power acquisition, Kirsch et al. 2023; with class strata and decay: ClaSP PE). In
    round n, from 0, ``noise`` is multiplied by ``decay`` to the power n. ``share`` of the budget goes to classes in
    turn, the rest to the highest noisy scores.
    """

    share: float
    noise: float
    decay: float
    round: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.share <= 1:
            raise ConfigError("acquisition.share is a share", got=self.share, expected="0 to 1")
        if self.noise < 0 or not 0 <= self.decay <= 1 or self.round < 0:
            got = f"noise {self.noise}, decay {self.decay}, round {self.round}"
            raise ConfigError("acquisition.noise, decay, round: 0 or more, 0 to 1, 0 or more", got=got)

    def __call__(self, candidates: Sequence[Candidate], *, seed: int, known_nc: Vectors) -> list[Candidate]:  # noqa: ARG002
        """See `Acquisition`."""
        noise = self.noise * self.decay**self.round

        def order(candidate: Candidate) -> float:
            gumbel = -math.log(-math.log(_uniform(seed, candidate)))
            return -(math.log(max(candidate.score, TINY)) + noise * gumbel)

        return self.kept(_merged(_in_turn(candidates, order), _sorted(candidates, order), self.share))


def class_of(candidate: Candidate) -> int:
    """The predicted class of a region."""
    return ranked(candidate)[0]


def _sorted(candidates: Iterable[Candidate], order: Order) -> list[Candidate]:
    return sorted(candidates, key=lambda candidate: (order(candidate), candidate.sample_id, candidate.region))


def _in_turn(candidates: Sequence[Candidate], order: Order) -> list[Candidate]:
    """The first of each class, the second of each, and so on; the rarest class goes first."""
    strata: dict[int, list[Candidate]] = defaultdict(list)
    for candidate in _sorted(candidates, order):
        strata[class_of(candidate)].append(candidate)
    rows = sorted(strata.items(), key=lambda stratum: (len(stratum[1]), stratum[0]))
    turns = itertools.zip_longest(*(members for _, members in rows))
    return [candidate for turn in turns for candidate in turn if candidate is not None]


def _alternately(ranked_kn: npt.NDArray[np.intp]) -> Iterator[int]:
    """The first number of each row, the next of each that was not given yet, and so on."""
    given: set[int] = set()
    rows = [iter(row.tolist()) for row in ranked_kn]
    while len(given) < ranked_kn.shape[1]:
        for row in rows:
            number = next((one for one in row if one not in given), None)
            if number is not None:
                given.add(number)
                yield number


def _merged(first: Sequence[Candidate], second: Sequence[Candidate], share: float) -> Iterator[Candidate]:
    """Both orders interleaved, each candidate once: at any length ``share`` of it comes from the first."""
    given: set[tuple[str, int]] = set()
    sources = [iter(first), iter(second)]
    from_first = 0
    for place in range(1, len(first) + 1):
        which = 0 if from_first < share * place else 1
        from_first += which == 0
        for candidate in sources[which]:
            if (key := (candidate.sample_id, candidate.region)) not in given:
                given.add(key)
                yield candidate
                break


def _uniform(seed: int, candidate: Candidate) -> float:
    """A number above 0 and below 1 for each region, whatever stands beside it."""
    return (derive(seed, "acquisition", candidate.sample_id, candidate.region) + 0.5) / 2**63
