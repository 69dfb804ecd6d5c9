"""Answers that were put to another round than they answer: what was proposed there would count as a person's word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from factory.command.looping.returned import LATE, RETURNED, Return
from factory.command.looping.rounds import named
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError
from factory.core.queue import Queue
from factory.core.sample import Origin
from factory.review.corrections import Asked, Known

Config = dict[str, Any]
LEAST, SHARE = 50, 0.9
"""Pixels on which the proposals of two rounds must differ before anything is said of them, and the share of these that
must have come back as the other round proposed: whoever paints a whole picture agrees with neither as often."""


def require_own_queue(config: Config, number: int, merges: Sequence[str], returns: Sequence[Return]) -> None:
    """`ConfigError` for a return of whole masks that are the proposals of another round, outside of what was asked.

    ``merges`` are the names of the steps that took the ``returns`` in, one each.
    """
    for name, found in zip(merges, returns, strict=True):
        step = config[name]
        before, after = (Dataset.open(Path(folder)) for folder in (step["inputs"]["source"], step["out"]))
        own, others = _queue(config, found.number), [one for one in range(1, number + 1) if one != found.number]
        for other in others:
            if _answers(before, after, own, _queue(config, other)):
                called = RETURNED if other == number else f"{LATE}-{other}"
                raise ConfigError(
                    "these answers belong to another round's queue",
                    where=found.path,
                    got=f"outside of what was asked, the proposals of round {other}",
                    expected=f"those of round {found.number}",
                    todo=f"name it {called}{found.path.suffix}, then give the same command again",
                )


def _queue(config: Config, number: int) -> Queue:
    return Queue.open(Path(config[named("select", number)]["out"]))


def _answers(before: Dataset, after: Dataset, own: Queue, other: Queue) -> bool:
    """Whether what became people's pixels in ``after`` is what ``other`` proposed, wherever it differs from ``own``."""
    in_both = {item.sample_id for item in own.items} & {item.sample_id for item in other.items}
    there = {sample.id: sample for sample in before.samples}
    differ = as_other = 0
    for sample in after.samples:
        if sample.id not in in_both:
            continue
        known, now = Known.of(before, there[sample.id]), Known.of(after, sample)
        open_hw = known.source_hw != Origin.HUMAN
        new_hw = open_hw & (now.source_hw == Origin.HUMAN)
        if not new_hw.any():
            continue
        mine, theirs = Asked.of(own, sample), Asked.of(other, sample)
        differ_hw = (
            open_hw & (mine.regions_hw == 0) & (theirs.regions_hw == 0) & (mine.proposal_hw != theirs.proposal_hw)
        )
        differ += int(differ_hw.sum())
        as_other += int((differ_hw & new_hw & (now.mask_hw == theirs.proposal_hw)).sum())
    return differ >= LEAST and as_other >= SHARE * differ
