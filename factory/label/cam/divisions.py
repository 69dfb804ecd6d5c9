"""Which classifiers never saw a picture: the pictures are divided into folds, once or several times over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from factory.core.seeds import derive
from factory.label.corpus import Corpus


@dataclass(frozen=True, kw_only=True)
class Divisions:
    """A classifier learns from all pictures but those of one fold of one division (repeated cross-validation).

    ``held_out`` are the pictures that each classifier did not learn from, division after division; ``aside`` those that
    none of them learns from.
    """

    held_out: Sequence[Sequence[str]]
    folds: int
    aside: Sequence[str]

    @cached_property
    def models_of(self) -> Mapping[str, tuple[int, ...]]:
        """For each picture the classifiers that say what it shows, one of each division; the first of those aside."""
        firsts = tuple(range(0, len(self.held_out), self.folds))
        found = dict.fromkeys(self.aside, firsts)
        for model, ids in enumerate(self.held_out):
            for sample_id in ids:
                found[sample_id] = (*found.get(sample_id, ()), model)
        return found

    @property
    def first(self) -> Mapping[str, int]:
        """The classifier of the first division alone."""
        return {sample_id: models[0] for sample_id, models in self.models_of.items()}

    def name(self, number: int) -> str:
        """Of the fold that a classifier did not see."""
        division, fold = divmod(number, self.folds)
        divisions = len(self.held_out) // self.folds
        again = "" if divisions == 1 else f", division {division + 1} of {divisions}"
        return f"fold {fold + 1} of {self.folds}{again}"


def divided(corpus: Corpus, folds: int, repeats: int, seed: int) -> Divisions:
    """``repeats`` divisions of the corpus into ``folds``, each drawn anew."""
    seeds = [derive(seed, "folds", *([repeat] if repeat else [])) for repeat in range(repeats)]
    drawn = [corpus.folds(folds, one) for one in seeds]
    return Divisions(held_out=[ids for division in drawn for ids in division], folds=len(drawn[0]), aside=corpus.aside)
