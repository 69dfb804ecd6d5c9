"""Activation maps and what is said of a picture become class scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from factory.core.picture import Picture
from factory.label import Scores, unknown
from factory.label.cam.background import Background, Extent, undecided
from factory.label.cam.maps import MapMaker
from factory.label.cam.statements import ABSENT, OPEN, PRESENT, Said, said_of


@dataclass(frozen=True, kw_only=True)
class TagScores:
    """The labeler of one corpus: which models have not seen a picture, and how their maps become scores.

    A class that tags speak of elsewhere but not in this picture counts by how much the classifier believes in it.
    """

    maker: MapMaker
    models_of: Mapping[str, Sequence[int]]
    background: Background | Extent
    levels: Mapping[int, float]
    ignore_band: Sequence[float] | None
    learnable: Sequence[int]

    def __call__(self, given: Picture, classes: int) -> Scores:
        """See `factory.label.Labeler`; uniform where no class can be located."""
        said_k = said_of(given, classes)
        models = self.models_of[given.id]
        heard = sorted({class_id for number in models for class_id in self.maker.heard[number]})
        possible = [class_id for class_id in heard if said_k[class_id] != ABSENT]
        others = [class_id for class_id in range(classes) if class_id not in self.learnable]
        unsure = [k for k in self.learnable if k not in heard and said_k[k] == PRESENT]
        if unsure or not (possible or others):
            return unknown(given, classes)
        shown_khw = np.zeros((classes, *given.size_hw), np.float32)
        if possible:
            maps_khw, surprise_hw = self.maker(given.image, models)
            beliefs_k = self._beliefs(given, said_k, models, heard)
            for class_id in possible:
                shown_khw[class_id] = beliefs_k[class_id] * self._shown(class_id, maps_khw[class_id], surprise_hw)
        return self._divided(shown_khw, others)

    def _beliefs(self, given: Picture, said_k: Said, models: Sequence[int], heard: list[int]) -> Scores:
        """That each class is in the picture, (K,): what is said, and the classifier's word where nothing is."""
        if (said_k[heard] != OPEN).all():
            return np.asarray(said_k == PRESENT, np.float32)
        return np.where(said_k == OPEN, self.maker.beliefs(given.image, models), said_k == PRESENT).astype(np.float32)

    def _shown(self, class_id: int, map_hw: Scores, surprise_hw: Any) -> Scores:
        if isinstance(self.background, Extent):
            evidence_hw = self.background.evidence(map_hw, surprise_hw)
            return self.background.probability(evidence_hw, self.levels[class_id])
        return map_hw

    def _divided(self, shown_khw: Scores, others: Sequence[int]) -> Scores:
        """Probabilities from what is shown of each class; the classes no tag speaks of share the background."""
        scores_khw = shown_khw.copy()
        if others:
            if isinstance(self.background, Extent):
                behind_hw = np.asarray(np.prod(1 - shown_khw, axis=0), np.float32)
            else:
                behind_hw = self.background(shown_khw)
            scores_khw[list(others)] = behind_hw / len(others)
        scores_khw[:, undecided(shown_khw, self.ignore_band)] = 1
        total_hw = scores_khw.sum(axis=0)
        scores_khw[:, total_hw < 1e-12] = 1
        return np.asarray(scores_khw / scores_khw.sum(axis=0), np.float32)
