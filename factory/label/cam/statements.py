"""What is said of whole pictures: which classes are in them and which are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from factory.core.picture import Picture
from factory.label.corpus import Corpus

PRESENT, ABSENT, OPEN = 1, 0, -1
Said = npt.NDArray[np.int8]


def said_of(given: Picture, classes: int) -> Said:
    """For each class whether it is in the picture, (K,): `PRESENT`, `ABSENT`, or `OPEN` where nobody says.

    A point, scribble or box of a class says that it is there; that outweighs a tag that denies it.
    """
    said_k = np.full(classes, OPEN, np.int8)
    said_k[list(given.hints.absent)] = ABSENT
    said_k[list(given.hints.tags)] = PRESENT
    said_k[[class_id for *_, class_id in given.hints.boxes]] = PRESENT
    said_k[np.unique(given.seeds.ids)] = PRESENT
    return said_k


@dataclass(frozen=True, kw_only=True)
class Statements:
    """What is said of every picture of a corpus: ``said_nk`` in the order of ``ids``.

    Only classes that some picture has and another one lacks can be learnt; a class that nothing denies anywhere, such
    as the background, is not among the ``learnable``.
    """

    ids: Sequence[str]
    said_nk: Said

    @property
    def learnable(self) -> tuple[int, ...]:
        """Classes that some picture shows and some other does not, by id."""
        both_k = (self.said_nk == PRESENT).any(axis=0) & (self.said_nk == ABSENT).any(axis=0)
        return tuple(int(class_id) for class_id in np.flatnonzero(both_k))

    def counts(self, class_id: int) -> tuple[int, int]:
        """In how many pictures a class is, and in how many it is not."""
        said_n = self.said_nk[:, class_id]
        return int((said_n == PRESENT).sum()), int((said_n == ABSENT).sum())

    def normal(self) -> list[str]:
        """Pictures known to hold none of the learnable classes."""
        learnable = list(self.learnable)
        none_n = (self.said_nk[:, learnable] == ABSENT).all(axis=1) & bool(learnable)
        return [self.ids[row] for row in np.flatnonzero(none_n).tolist()]

    def without(self, held_out: Sequence[str]) -> Statements:
        """The statements on all the other pictures."""
        out = frozenset(held_out)
        kept = [row for row, sample_id in enumerate(self.ids) if sample_id not in out]
        return Statements(ids=[self.ids[row] for row in kept], said_nk=self.said_nk[kept])


def statements_of(corpus: Corpus) -> Statements:
    """Read what is said of every picture, one picture at a time."""
    said_nk = np.full((len(corpus.ids), len(corpus.classes)), OPEN, np.int8)
    for row, sample_id in enumerate(corpus.ids):
        said_nk[row] = said_of(corpus.picture(sample_id), len(corpus.classes))
    return Statements(ids=tuple(corpus.ids), said_nk=said_nk)
