"""Scribbles and points spread over one picture: along what looks alike, up to where it changes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from scipy.special import softmax

from factory.core.errors import ConfigError
from factory.core.picture import Picture
from factory.label import Scores, unknown
from factory.label.colours import WIDEST, ColourDensity
from factory.label.features import Features
from factory.label.graph_cut import Index, potts
from factory.label.reach import Reach
from factory.label.superpixel_graph import Floats, SuperpixelGraph, graph_of

FLOOR = 1e-6
"""Smallest likelihood, so that every logarithm is finite."""

UNSAID = 1e-3
"""What is left at every superpixel for all the classes together that nobody named in the picture."""


class Seen(NamedTuple):
    """A class that was named in the picture: its id, the superpixels named for it, and how many of their pixels."""

    id: int
    superpixels: Index
    pixels: Floats


class Sight(NamedTuple):
    """A picture's superpixels, and what an encoder makes of them: an array (superpixels, channels) a layer."""

    graph: SuperpixelGraph
    vectors: list[Floats]


_LAST_SIGHTS: dict[tuple[object, ...], Sight] = {}


@dataclass(frozen=True, kw_only=True)
class Scribbles:
    """A graph of superpixels, cut where the picture changes (Boykov & Jolly 2001; Rother et al., GrabCut, 2004).

    Each class named in the picture has for each superpixel: its likeness in colour to what was named, with the density
    learnt anew from each cut (``keep`` is the share that what was named holds in it); its ``geodesic`` distance, along
    which steps in colour, place (``place_step``) and features (``feature_step``) are long; its ``straight`` distance, a
    share of the diagonal; and its likeness in features, where there are any. Their weighted sum, at most ``most`` for
    one kind, is balanced against ``smoothness``: the cost of a border of one pixel side where nothing changes. What
    comes out are the probabilities of each superpixel's classes given what its neighbours are in the best cut,
    sharpened or softened by ``certainty``.
    """

    RANGES: ClassVar[dict[str, str]] = {
        "colour": "float:0:2",
        "colour_sigma": "log:2:12",
        "keep": "float:0.2:1",
        "place_step": "log:3:100",
        "feature_step": "log:1:40",
        "likeness": "float:0:2",
        "likeness_width": "log:0.02:0.2",
        "smoothness": "log:1:20",
        "certainty": "log:0.1:2",
    }

    area: int
    compactness: float
    colour: float
    colour_sigma: float
    keep: float
    geodesic: Reach
    straight: Reach
    place_step: float
    feature_step: float
    features: Features
    likeness: float
    likeness_width: float
    most: float
    smoothness: float
    rounds: int
    certainty: float

    def __post_init__(self) -> None:
        for name in ("area", "compactness", "colour_sigma", "likeness_width", "most", "certainty"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"labeler.{name} must be positive", got=getattr(self, name))
        for name in ("colour", "place_step", "feature_step", "likeness", "smoothness"):
            if getattr(self, name) < 0:
                raise ConfigError(f"labeler.{name} must not be negative", got=getattr(self, name))
        if self.colour_sigma > WIDEST:
            raise ConfigError("labeler.colour_sigma is too wide", got=self.colour_sigma, expected=f"up to {WIDEST:g}")
        if not 0 < self.keep <= 1:
            raise ConfigError("labeler.keep is a share above 0", got=self.keep)
        if self.rounds < 1:
            raise ConfigError("labeler.rounds must be 1 or more", got=self.rounds)

    def __call__(self, given: Picture, classes: int) -> Scores:
        """See `factory.label.Labeler`. A picture of which nothing is said is unknown everywhere."""
        return self.spread(given, classes, self.seen_as(given))

    def seen_as(self, given: Picture) -> Sight:
        """The picture's superpixels and their features: what settings other than theirs do not change.

        The last two are remembered: labelers that are pooled ask for the same ones, and their mirror images, in turn.
        """
        pixels = hashlib.blake2b(np.ascontiguousarray(given.image).data).digest()
        key = (pixels, given.image.shape, self.area, self.compactness, repr(self.features))
        if (sight := _LAST_SIGHTS.get(key)) is None:
            graph = graph_of(given.image, area=self.area, compactness=self.compactness)
            sight = Sight(graph, self.features(given.image, graph))
            while len(_LAST_SIGHTS) > 1:
                del _LAST_SIGHTS[next(iter(_LAST_SIGHTS))]
            _LAST_SIGHTS[key] = sight
        return sight

    def spread(self, given: Picture, classes: int, sight: Sight) -> Scores:
        """As the call, with what was seen before."""
        graph = sight.graph
        if not (seen := _seen(given, graph, classes)):
            return unknown(given, classes)
        probability_sj = np.ones((len(graph), 1)) if len(seen) == 1 else self._decide(sight, seen)
        left_s1 = self._unsaid(sight, seen, classes)[:, None]
        scores_sk = np.repeat(left_s1 / max(classes - len(seen), 1), classes, axis=1)
        scores_sk[:, [one.id for one in seen]] = (1 - left_s1) * probability_sj
        return np.ascontiguousarray(scores_sk.astype(np.float32).T[:, graph.segments_hw])

    def _unsaid(self, sight: Sight, seen: list[Seen], classes: int) -> Floats:
        """What is left at each superpixel for all the classes together that nobody named in the picture.

        Next to nothing, unless a single class was named: nobody said where that ends, so it fades to no knowledge over
        changes of the picture on the way.
        """
        graph, vectors = sight
        if len(seen) > 1 or classes == 1:
            return np.full(len(graph), UNSAID if classes > len(seen) else 0.0)
        changes_e = graph.steps(vectors, place_step=0, feature_step=self.feature_step)
        evidence_s = self.certainty * self.geodesic(graph.along(changes_e, seen[0].superpixels))
        unsaid_s: Floats = (1 - 1 / classes) * (1 - np.maximum(np.tanh(evidence_s / 2), 0))
        return unsaid_s

    def _decide(self, sight: Sight, seen: list[Seen]) -> Floats:
        """The probabilities of the named classes (superpixels, classes named).

        To begin with, every superpixel belongs to the class that is nearest along the picture.
        """
        graph, vectors = sight
        steps_e = graph.steps(vectors, place_step=self.place_step, feature_step=self.feature_step)
        along_sj = np.stack([graph.along(steps_e, one.superpixels) for one in seen], axis=1)
        fixed_sj = self._fixed(sight, seen, along_sj)
        strength_e = self.smoothness * graph.length_e * np.exp(-graph.step_e / (2 * max(graph.step_e.mean(), FLOOR)))
        size_s = graph.pixels_s / np.sqrt(self.area)
        labels_s, energy_sj = along_sj.argmin(axis=1), fixed_sj
        for _ in range(self.rounds):
            evidence_sj = fixed_sj + self.colour * self._coloured(graph, seen, labels_s)
            energy_sj = -evidence_sj * size_s[:, None]
            stated_sj = energy_sj.copy()
            for j, one in enumerate(seen):
                stated_sj[one.superpixels] = np.inf
                stated_sj[one.superpixels, j] = 0
            before_s, labels_s = labels_s, potts(stated_sj, graph.edges_2e, strength_e)
            if (labels_s == before_s).all():
                break
        return self._given_neighbours(graph, energy_sj, strength_e, labels_s, size_s)

    def _fixed(self, sight: Sight, seen: list[Seen], along_sj: Floats) -> Floats:
        """The evidence that no cut changes: distances, those ``along_sj`` the picture too, and likeness in features."""
        graph, vectors = sight
        apart_sj = np.stack([graph.apart(one.superpixels) for one in seen], axis=1)
        fixed_sj = self.geodesic(along_sj) + self.straight(apart_sj)
        if vectors and self.likeness:
            fixed_sj += self.likeness * self._alike(seen, vectors)
        return fixed_sj

    def _coloured(self, graph: SuperpixelGraph, seen: list[Seen], labels_s: Index) -> Floats:
        columns = []
        for j, one in enumerate(seen):
            cut_s = graph.pixels_s * (labels_s == j)
            weight_s = (1 - self.keep) * cut_s / max(cut_s.sum(), 1)
            weight_s[one.superpixels] += self.keep * one.pixels / one.pixels.sum()
            columns.append(ColourDensity(graph.lab_sc, weight_s, self.colour_sigma)(graph.lab_sc))
        return self._bounded(np.log(np.stack(columns, axis=1) + FLOOR))

    def _alike(self, seen: list[Seen], vectors: list[Floats]) -> Floats:
        """A Parzen estimate over what was named, on the sphere, its logarithm averaged over the layers."""
        total_sj = np.zeros((len(vectors[0]), len(seen)))
        for vector_sc in vectors:
            for j, one in enumerate(seen):
                kernel_sn = np.exp((vector_sc @ vector_sc[one.superpixels].T - 1) / self.likeness_width)
                total_sj[:, j] += np.log(kernel_sn.mean(axis=1) + FLOOR)
        return self._bounded(total_sj / len(vectors))

    def _bounded(self, evidence_sj: Floats) -> Floats:
        """No class is further behind the best than ``most``."""
        best_s1 = evidence_sj.max(axis=1, keepdims=True)
        bounded_sj: Floats = np.maximum(evidence_sj - best_s1, -self.most)
        return bounded_sj

    def _given_neighbours(
        self, graph: SuperpixelGraph, energy_sj: Floats, strength_e: Floats, labels_s: Index, size_s: Floats
    ) -> Floats:
        """Probabilities from each superpixel's energies with its neighbours as they are in the cut."""
        total_sj = energy_sj.copy()
        for one, other in (graph.edges_2e, graph.edges_2e[::-1]):
            np.add.at(total_sj, (one, labels_s[other]), -strength_e)
        return np.asarray(softmax(-self.certainty * total_sj / size_s[:, None], axis=1))


def _seen(given: Picture, graph: SuperpixelGraph, classes: int) -> list[Seen]:
    """The classes that were named, each with the superpixels most of whose named pixels are its."""
    rows, columns, ids = given.seeds
    counts_sk = np.zeros((len(graph), classes))
    np.add.at(counts_sk, (graph.segments_hw[rows, columns], ids), 1)
    named_s = counts_sk.argmax(axis=1)
    found: Mapping[int, Index] = {
        int(k): np.flatnonzero((named_s == k) & (counts_sk[:, k] > 0)) for k in np.unique(ids)
    }
    return [Seen(k, mine, counts_sk[mine, k]) for k, mine in found.items() if len(mine)]
