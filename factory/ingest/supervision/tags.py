"""Tags: which classes a picture shows, some overlooked, some taken for others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from factory.core.picture import Picture
from factory.core.seeds import generator
from factory.ingest.supervision.slips import Clumsy, Ids, at_least, ids_in

Filter = TypeVar("Filter")


@dataclass(frozen=True, kw_only=True)
class Tags(Clumsy):
    """Masks are forgotten but for the classes that cover at least ``least`` pixels.

    If ``complete``, those of the data set's ``classes`` (how many there are, None: see `among`) that were not named are
    said to be absent, missed ones too: that is what a complete list says. A tag that is wrong names a class that the
    picture does not show, or one of its others where it shows all.
    """

    least: int
    complete: bool
    classes: int | None

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("least", self.least, 1)
        if self.classes is not None:
            at_least("classes", self.classes, 1)

    def __call__(self, photo: Picture, seed: int) -> Picture:
        """The photograph with tags instead of its mask; without a mask it stays as it is."""
        if photo.mask is None:
            return photo
        rng = generator(seed, "tags", photo.id)
        present = ids_in(photo.mask)
        said = self._said(ids_in(photo.mask, self.least), present, rng)
        absent = self._denied(said) if present.size else ()
        hints = replace(photo.hints, tags=tuple(said.tolist()), absent=absent)
        return replace(photo, mask=None, hints=hints)

    def _said(self, there: Ids, present: Ids, rng: np.random.Generator) -> Ids:
        given = self.given(there, rng)
        strange = np.setdiff1d(np.arange(self.classes or 0), present)
        if strange.size:
            slips = rng.random(len(there)) < self.wrong
            named = np.where(slips, strange[rng.integers(len(strange), size=len(there))], there)
        else:
            named = self.named(there, present, rng)
        return np.unique(named[given])

    def _denied(self, said: Ids) -> tuple[int, ...]:
        return tuple(np.setdiff1d(np.arange(self.classes or 0), said).tolist()) if self.complete else ()


def among(supervision: Filter, classes: int) -> Filter:
    """The same for a data set of so many classes: simulated tags have to know how many, unless they were told."""
    if isinstance(supervision, Tags) and supervision.classes is None:
        return replace(supervision, classes=classes)
    return supervision
