"""Steering generation until a quota is met: rounds of proposals, each judged by one cheap look before it is rendered.

What a round asks for depends on the rounds before it alone, and every frame of a round is judged by itself, so that
neither the number of workers nor a kill in between can change which frames are made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from factory.render.job import Job, Request
from factory.render.quota import Wish

ROUND = (4, 16)
"""Fewest and most proposals between two looks at what is still missing."""

PULL, REST = 9.0, 0.3
"""Emphasis of a class of which everything is missing; of one whose quota is met."""


@dataclass(kw_only=True)
class Steering:
    """What has been reached so far. ``patience``: proposals without any gain after which a wish is given up."""

    wishes: Sequence[Wish]
    patience: int
    reached: list[int] = field(init=False)
    idle: list[int] = field(init=False)
    proposals: int = 0
    rendered: int = 0
    seen: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reached, self.idle = [0] * len(self.wishes), [0] * len(self.wishes)

    def missing_of_all(self) -> list[int]:
        """What is not reached of each wish."""
        return [max(wish.target - reached, 0) for wish, reached in zip(self.wishes, self.reached, strict=True)]

    def missing(self) -> list[int]:
        """What is still wanted of each wish, 0 for one that was given up."""
        left = zip(self.missing_of_all(), self.idle, strict=True)
        return [0 if idle >= self.patience else missing for missing, idle in left]

    def emphasis(self) -> dict[str, float]:
        """How much more often each class of the quota is wanted than configured."""
        pull = {wish.class_name: REST for wish in self.wishes}
        for wish, missing in zip(self.wishes, self.missing(), strict=True):
            if missing:
                wanted = round(1 + PULL * missing / wish.target, 4)
                pull[wish.class_name] = max(pull[wish.class_name], wanted)
        return pull

    def ask(self, job: Job, limit: int) -> list[Request]:
        """The next round, at most ``limit`` frames; empty once nothing is missing."""
        missing, emphasis = self.missing(), self.emphasis()
        if not any(missing):
            return []
        asked = tuple(wish.to_json(left) for wish, left in zip(self.wishes, missing, strict=True))
        indexes = range(self.proposals, self.proposals + min(self._round(missing), limit))
        return [job.request(index, emphasis=emphasis, wishes=asked) for index in indexes]

    def _round(self, missing: list[int]) -> int:
        """As many proposals as the slowest wish should need, going by its gains so far: no more than a round's most."""
        few, many = ROUND
        if not self.proposals:
            return few
        slowest = max(left / max(reached, 0.5) for left, reached in zip(missing, self.reached, strict=True))
        return min(max(math.ceil(slowest * self.proposals), few), many)

    def learn(self, story: dict[str, Any] | None) -> None:
        """Take note of one proposal's story, None for a frame that failed or was left out."""
        self.proposals += 1
        counts, accepted = (story["counts"], story["accepted"]) if story else ([0] * len(self.wishes), False)
        for class_id in story["seen"] if story else ():
            self.seen[class_id] = self.seen.get(class_id, 0) + 1
        self.rendered += accepted
        for place, count in enumerate(counts):
            gained = count if accepted else 0
            self.reached[place] += gained
            self.idle[place] = 0 if gained else self.idle[place] + 1

    def account(self) -> list[dict[str, Any]]:
        """A row a wish: target, reached, and what it took."""
        return [
            {
                "wish": str(wish),
                "class": wish.class_name,
                "target": wish.target,
                "reached": reached,
                "met": reached >= wish.target,
                "seen_in": self.seen.get(wish.class_id, 0),
            }
            for wish, reached in zip(self.wishes, self.reached, strict=True)
        ]

    def shortfalls(self) -> list[str]:
        """One sentence for each wish that was not met, saying why."""
        return [self._why(wish, row) for wish, row in zip(self.wishes, self.account(), strict=True) if not row["met"]]

    def _why(self, wish: Wish, row: dict[str, Any]) -> str:
        told = f"quota not met: {wish}: {row['reached']} of {wish.target} after {self.proposals} proposals"
        if not row["seen_in"]:
            return f"{told}; the class never came into view"
        if not row["reached"]:
            return f"{told}; in view in {row['seen_in']}, never in the size, occlusion and visible pixels asked for"
        return f"{told}; in view in {row['seen_in']}: give more frames, or ask for less"
