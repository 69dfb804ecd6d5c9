"""The pictures of a data set with their hints, as labelers that learn see them, and their division into folds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from factory.core.classes import ClassList
from factory.core.dataset import Dataset
from factory.core.photographs import shuffled
from factory.core.picture import Picture
from factory.core.sample import Sample, Split, Supervision


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Pictures by id, read when asked for; test pictures are never among them.

    What is said of ``ids`` may be learnt from. ``aside`` are to be labelled too, but kept aside for validation: whoever
    learnt from what is said of them could no longer be measured on them. ``photograph_of`` names what those were cut
    from that are tiles.
    """

    classes: ClassList
    ids: Sequence[str]
    aside: Sequence[str]
    picture: Callable[[str], Picture]
    photograph_of: Mapping[str, str] = field(default_factory=dict)

    def image(self, name: str) -> npt.NDArray[np.uint8]:
        """A picture without what is said of it: RGB, (H, W, 3)."""
        return self.picture(name).image

    def photograph(self, name: str) -> str:
        """What the picture was cut from, or is."""
        return self.photograph_of.get(name, name)

    def folds(self, count: int, seed: int, ids: Iterable[str] | None = None) -> list[list[str]]:
        """The ids (None: all) at random in ``count`` parts of as many photographs (to within one).

        Tiles of one photograph, which may overlap, are of one part, unless there is no other photograph. Fewer parts
        where there are fewer photographs; pictures kept aside are in none.
        """
        names = self.ids if ids is None else ids
        drawn = shuffled({name: self.photograph(name) for name in names}, seed, "fold")
        if len(drawn) == 1:
            drawn = shuffled({name: name for name in names}, seed, "fold")
        return [sorted(itertools.chain(*drawn[start::count])) for start in range(min(count, len(drawn)))]


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
    photograph_of = {sample.id: sample.photograph for sample in train.values()}
    return Corpus(
        classes=source.classes, ids=tuple(train), aside=tuple(val), picture=shelf, photograph_of=photograph_of
    )
