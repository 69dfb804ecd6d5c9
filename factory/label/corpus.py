"""The pictures of a data set with their hints, as labelers that learn see them, and their division into folds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from factory.core.classes import ClassList
from factory.core.dataset import Dataset
from factory.core.picture import Picture
from factory.core.sample import Sample, Split, Supervision
from factory.core.seeds import derive

TRUSTED = (Supervision.EXACT, Supervision.HUMAN)


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Pictures by id, read when asked for; test pictures are never among them.

    What is said of ``ids`` may be learnt from. ``aside`` are to be labelled too, but kept aside for validation: whoever
    learnt from what is said of them could no longer be measured on them.
    """

    classes: ClassList
    ids: Sequence[str]
    aside: Sequence[str]
    picture: Callable[[str], Picture]

    def folds(self, count: int, seed: int) -> list[list[str]]:
        """The ids divided into ``count`` parts of equal size (to within one), at random by ``seed``.

        Fewer where there are fewer pictures; those kept aside are in none.
        """
        drawn = sorted(self.ids, key=lambda sample_id: derive(seed, "fold", sample_id))
        return [sorted(drawn[start::count]) for start in range(min(count, len(drawn)))]


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """A data set's pictures by id; an exact mask counts as scribbles all over the picture."""

    source: Dataset
    samples: dict[str, Sample]

    def __call__(self, sample_id: str) -> Picture:
        """The picture with its hints."""
        sample = self.samples[sample_id]
        given = self.source.as_said(sample)
        if sample.mask and sample.supervision == Supervision.EXACT:
            given = replace(given, scribbles=self.source.mask(sample))
        return given


def corpus_of(source: Dataset) -> Corpus:
    """The rows of the train split, and those of the val split aside."""
    train, val = ({sample.id: sample for sample in source.where(split=split)} for split in (Split.TRAIN, Split.VAL))
    shelf = Shelf(source=source, samples=train | val)
    return Corpus(classes=source.classes, ids=tuple(train), aside=tuple(val), picture=shelf)
