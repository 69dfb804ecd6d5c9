"""From weak hints to class scores: one labeler a kind of hint, or a way of spreading it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from factory.core.picture import Picture
from factory.execute import Executor
from factory.label.corpus import Corpus

Scores = npt.NDArray[np.float32]
Tell = Callable[[object, str], None]
"""Puts something worth a look into the report: where, and what."""


class Labeler(Protocol):
    """Spreads what is said of a few pixels over the image."""

    def __call__(self, given: Picture, classes: int) -> Scores:
        """Class probabilities, shape (classes, height, width), summing to 1 over the classes; uniform means unknown."""


@runtime_checkable
class Learner(Protocol):
    """A labeler that has to look at all the pictures and their hints before it can label one."""

    def learnt(self, corpus: Corpus, *, scratch: Path, seed: int, tell: Tell, executor: Executor) -> Labeler:
        """The labeler for the pictures of ``corpus``, which it knows by their ids.

        No picture is labelled by a model that learnt from it. What took long is kept in ``scratch``, so that a killed
        run goes on from there and ends the same; what is returned can travel to worker processes. Several models may
        learn at a time, in ``executor``; what they learn does not depend on it.
        """


def learnt(labeler: Labeler, corpus: Corpus, *, scratch: Path, seed: int, tell: Tell, executor: Executor) -> Labeler:
    """The labeler, made ready for a corpus if it has to learn first."""
    if not isinstance(labeler, Learner):
        return labeler
    return labeler.learnt(corpus, scratch=scratch, seed=seed, tell=tell, executor=executor)


def unknown(given: Picture, classes: int) -> Scores:
    """Scores that say nothing of any pixel."""
    return np.full((classes, *given.size_hw), 1 / classes, np.float32)
