"""Labeler and refiner held against pictures whose truth is known: rendered scenes, or a few audited photographs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from factory.core.classes import ClassList
from factory.core.dataset import Dataset
from factory.core.picture import Picture
from factory.core.sample import Hints, Origin, Sample
from factory.label.calibrated import kinds_of
from factory.label.corpus import Corpus
from factory.label.dense import Dense, Densifier, of_nothing
from factory.measure.calibration import Levels, Reliability
from factory.measure.iou import Confusion
from factory.refine.argmax import Argmax

Counts = npt.NDArray[np.int64]


class Supervision(Protocol):
    """Leaves of a picture's mask the hints that a person might have given."""

    def __call__(self, photo: Picture, seed: int) -> Picture:
        """The picture with hints, its mask forgotten."""


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Pictures with masks, and who gives hints on them: ``supervision``, or None for the hints they have."""

    source: Dataset
    supervision: Supervision | None
    seed: int

    def hinted(self, sample: Sample) -> Picture:
        """The picture as a labeler may see it."""
        given = self.source.picture(sample)
        if self.supervision is None:
            return given
        return replace(self.supervision(replace(given, mask=self.source.truth(sample)), self.seed), mask=None)

    def kinds(self, samples: Iterable[Sample]) -> tuple[str, ...]:
        """The kinds of hint that these pictures are shown with."""
        return kinds_of(_as_stored(self.hinted(sample)) for sample in samples)

    def corpus(self, samples: Sequence[Sample]) -> Corpus:
        """Those pictures, for labelers that learn."""
        shelf = Hinted(audit=self, samples={sample.id: sample for sample in samples})
        return Corpus(
            classes=self.source.classes, ids=tuple(shelf.samples), aside=(), picture=shelf,
            photograph_of={sample.id: sample.photograph for sample in samples},
        )  # fmt: skip


def _as_stored(given: Picture) -> Hints:
    """The picture's hints with those that are drawn named as well."""
    scribbles, noisy = ("drawn" if ids_hw is not None else None for ids_hw in (given.scribbles, given.noisy_mask))
    return replace(given.hints, scribbles=scribbles, masks=noisy)


@dataclass(frozen=True, kw_only=True)
class Hinted:
    """An audit's pictures by id."""

    audit: Audit
    samples: dict[str, Sample]

    def __call__(self, sample_id: str) -> Picture:
        """The picture with its hints."""
        return self.audit.hinted(self.samples[sample_id])


class Trust(NamedTuple):
    """Labelled pixels by their confidence: those ``guessed``, which a curve maps, and those that are ``kept`` from it.

    The latter were named by a person, or nothing is known of them: see `Densifier`.
    """

    guessed: Reliability
    kept: Reliability

    def stated(self, curve_l: Levels) -> Reliability:
        """All of them at the confidence that labels state."""
        return self.guessed.mapped(curve_l) + self.kept


class Outcome(NamedTuple):
    """What came of one picture, with the refiner and without: confusion counts and pixels by confidence.

    ``photograph`` names what it was cut from, or is.
    """

    photograph: str
    refined_kk: Counts
    plain_kk: Counts
    refined: Trust
    plain: Trust


def judge(sample: Sample, *, audit: Audit, densifier: Densifier) -> Outcome:
    """Label a picture from its hints, refined and not, and compare with its truth. Every pixel is decided."""
    given, classes = audit.hinted(sample), len(audit.source.classes)
    found, plain = both(given, densifier, classes)
    truth_hw, nothing = audit.source.truth(sample), of_nothing(given, classes)
    return Outcome(
        photograph=sample.photograph,
        refined_kk=_counts(truth_hw, found, audit.source.classes),
        plain_kk=_counts(truth_hw, plain, audit.source.classes),
        refined=_trust(truth_hw, found, nothing),
        plain=_trust(truth_hw, plain, nothing),
    )


def both(given: Picture, densifier: Densifier, classes: int) -> tuple[Dense, Dense]:
    """A picture's labels with the refiner, and as its scores alone decide."""
    scores_khw = densifier.spread(given, classes)
    plain = replace(densifier, refiner=Argmax())
    return densifier.settled(given, scores_khw), plain.settled(given, scores_khw)


def miou(counts: Iterable[Counts]) -> float:
    """Mean IoU of some pictures' counts together."""
    together_kk = np.sum(list(counts), axis=0)
    confusion = Confusion(len(together_kk))
    confusion.counts_kk = together_kk
    return confusion.miou()


def _counts(truth_hw: npt.NDArray[np.uint8], found: Dense, classes: ClassList) -> Counts:
    confusion = Confusion(len(classes))
    confusion.add(truth_hw, found.mask_hw)
    return confusion.counts_kk


def _trust(truth_hw: npt.NDArray[np.uint8], found: Dense, nothing: float) -> Trust:
    """``nothing`` is the confidence up to which nothing is known of a pixel."""
    trust = Trust(Reliability(), Reliability())
    guessed_hw = (found.origin_hw == Origin.PSEUDO) & (found.confidence_hw > nothing)
    for seen, here_hw in zip(trust, (guessed_hw, ~guessed_hw), strict=True):
        seen.add(truth_hw[here_hw], found.mask_hw[here_hw], found.confidence_hw[here_hw])
    return trust
