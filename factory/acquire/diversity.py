"""Questions that differ: of the most doubtful regions, those that look least alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from factory.acquire.candidates import Candidate
from factory.acquire.caps import Caps
from factory.acquire.embeddings import Vectors
from factory.acquire.k_center import farthest_first
from factory.core.errors import ConfigError

MOST_KNOWN = 2000
"""Known pixels that count as covered, at most, evenly drawn: each is a pass over all candidates."""


@dataclass(frozen=True, kw_only=True)
class KCenter(Caps):
    """Farthest-first in embeddings (core-set, Sener & Savarese 2018) among the most doubtful regions.

    Those are what ``pool`` times the budget would buy, the highest scores first; each next one asked is the one least
    like all before and like what is known already. Where nothing is, the most doubtful is the first.
    """

    pool: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pool < 1:
            raise ConfigError("acquisition.pool is 1 or more times the budget", got=self.pool)

    @property
    def looks(self) -> bool:
        """See `Caps`."""
        return True

    def __call__(self, candidates: Sequence[Candidate], *, seed: int, known_nc: Vectors) -> list[Candidate]:  # noqa: ARG002
        """See `factory.acquire.acquisition.Acquisition`; nothing is drawn."""
        ranked = sorted(candidates, key=lambda one: (-one.score, one.sample_id, one.region))
        pool = replace(self, budget=self.pool * self.budget).kept(ranked)
        if not pool or any(candidate.embedding is None for candidate in pool):
            return self.kept(pool)
        vectors_nc = np.stack([c.embedding for c in pool if c.embedding is not None])
        if not len(known_nc):
            return self.kept(pool[number] for number in farthest_first(vectors_nc, len(pool), first=0))
        known_nc = known_nc[:: -(-len(known_nc) // MOST_KNOWN)]
        covered = np.arange(len(pool), len(pool) + len(known_nc))
        order = farthest_first(np.concatenate([vectors_nc, known_nc]), len(pool), covered=covered)
        return self.kept(pool[number] for number in order)
