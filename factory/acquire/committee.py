"""Who is asked: draws of one model, several models, or several looks at the same picture."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from factory.acquire.moments import Tally
from factory.core.classes import ClassList
from factory.core.errors import ArtefactError, ConfigError
from factory.segment import checkpoint
from factory.segment.opening import file_of
from factory.segment.predict import Predictor, TileFunction
from factory.segment.tta import Views

FLOOR = 1e-12
"""Smallest probability whose logarithm is taken."""


class Committee(Protocol):
    """Asks for several answers to every picture."""

    def __call__(self, predictor: Predictor, extras: Collection[str]) -> TileFunction:
        """Images (N, 3, H, W) -> the averages of all answers, as `Tally.channels` with these ``extras``."""


@dataclass(frozen=True, kw_only=True)
class Looks:
    """One answer for each view: mirror images, other sizes. Two of them, plain and mirrored, are flip inconsistency."""

    views: Views

    def __call__(self, predictor: Predictor, extras: Collection[str]) -> TileFunction:
        """See `Committee`."""
        return _all_of(self.views.each(predictor.function), extras)


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """One answer from the stage's model, and one from each of ``models`` (Lakshminarayanan et al. 2017).

    Artefacts or checkpoints of models that learnt from other seeds (deep ensembles), or at other times of one training
    (snapshot ensembles, Huang et al. 2017); ``checkpoint`` says which one of an artefact. They must know the same
    classes and work at the same size.
    """

    models: Sequence[str]
    checkpoint: str

    @property
    def folders(self) -> dict[str, str]:
        """What the models hold decides the outcome, where they lie does not."""
        return {f"model {number}": path for number, path in enumerate(self.models)}

    def __call__(self, predictor: Predictor, extras: Collection[str]) -> TileFunction:
        """See `Committee`; `ArtefactError` for a model of other classes or of another working size."""
        if not self.models:
            todo = "give the others: 'committee.models=[outputs/seed=1/train,outputs/seed=2/train]'"
            raise ConfigError("committee.models is empty", got="no model beside the first", todo=todo)
        first = predictor.trained
        members = [self._member(path, first.classes, predictor) for path in self.models]
        return _all_of([predictor.function, *(member.function for member in members)], extras)

    def _member(self, path: str, classes: ClassList, first: Predictor) -> Predictor:
        found = checkpoint.load(file_of(Path(path), self.checkpoint), classes=classes)
        if found.working != first.working:
            got, expected, todo = found.working, first.working, "train the members of a committee alike"
            raise ArtefactError("a member works at another size", where=path, got=got, expected=expected, todo=todo)
        return Predictor(trained=found, overlap=first.overlap, batch=first.batch)


def _all_of(functions: Sequence[Callable[[Tensor], Tensor]], extras: Collection[str]) -> TileFunction:
    """Each function's probabilities are one answer."""

    def asked(images_nchw: Tensor) -> Tensor:
        tally = Tally(extras)
        for function in functions:
            tally.add([torch.log(function(images_nchw).clamp_min(FLOOR))])
        return tally.channels()

    return asked
