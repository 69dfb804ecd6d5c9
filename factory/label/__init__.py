"""From weak hints to class scores: one labeler a kind of hint, or a way of spreading it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from factory.core.artefact import Model, Report
from factory.core.cache import Cache
from factory.core.picture import Picture
from factory.execute import Executor
from factory.label.corpus import Corpus

Scores = npt.NDArray[np.float32]
Tell = Callable[[object, str], None]
"""Puts something worth a look into the report: where, and what."""


class Labeler(Protocol):
    """Spreads what is said of a few pixels over the image.

    One that makes something of a single kind of hint says so in ``NEEDS``, the name of that field of `Hints`.
    """

    def __call__(self, given: Picture, classes: int) -> Scores:
        """Class probabilities, shape (classes, height, width), summing to 1 over the classes; uniform means unknown."""


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Where labelers learn, and with what.

    ``scratch`` is of one run: what took long is left there, so that a killed one goes on from there and ends the same.
    ``cache`` is shared by runs: what was learnt once from the same hints with the same settings need not be again.
    Several models may learn at a time, in ``executor``; what they learn does not depend on it. ``model`` is one that is
    there already, if one was given.
    """

    scratch: Path
    cache: Cache
    tell: Tell
    executor: Executor
    model: Model | Report | Path | None


@runtime_checkable
class Learner(Protocol):
    """A labeler that has to look at all the pictures and their hints before it can label one."""

    def learnt(self, corpus: Corpus, *, seed: int, shop: Workshop) -> Labeler:
        """The labeler for the pictures of ``corpus``, which it knows by their ids; it can travel to worker processes.

        No picture is labelled by a model that learnt from it.
        """


def learnt(labeler: Labeler, corpus: Corpus, *, seed: int, shop: Workshop) -> Labeler:
    """The labeler, made ready for a corpus if it has to learn first."""
    return labeler.learnt(corpus, seed=seed, shop=shop) if isinstance(labeler, Learner) else labeler


def unknown(given: Picture, classes: int) -> Scores:
    """Scores that say nothing of any pixel."""
    return np.full((classes, *given.size_hw), 1 / classes, np.float32)
