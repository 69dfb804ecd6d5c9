"""One image looked over: what the model thinks of it, its regions with their figures, and what is known already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from factory.acquire.candidates import describe
from factory.acquire.embeddings import Embedder, Vectors, of_pixels, of_regions
from factory.acquire.found import Doubt, Found, Map8, place_of
from factory.acquire.moments import Map, Moments
from factory.acquire.regions import Regions, Sight
from factory.acquire.uncertainty import MutualInformation, PredictiveEntropy, Uncertainty
from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.queue import Example
from factory.core.sample import Origin, Sample
from factory.core.seeds import derive, generator
from factory.measure.cost import Cost

KNOWN = (Origin.EXACT, Origin.HINT, Origin.HUMAN)
"""Origins of pixels that are known: rendered, clicked or painted."""
EXAMPLES = 64
"""Known pixels of an image that may serve as examples, at most."""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """Looks over the images of a data set.

    ``asked`` gives an image's `Moments` as channels; ``temperature`` pools scores (see `describe`); without an
    ``embedder`` candidates have no embeddings and there are no examples.
    """

    source: Dataset
    seed: int
    asked: Callable[[Map8], Map]
    uncertainty: Uncertainty
    regions: Regions
    cost: Cost
    temperature: float | None
    embedder: Embedder | None

    def __call__(self, sample: Sample) -> Found:
        """What is doubtful, the candidates, and examples if the image's features are looked at."""
        image_hwc = self.source.image(sample)
        moments = self._moments(sample, image_hwc)
        named = {"entropy": PredictiveEntropy()(moments), "mutual_information": MutualInformation()(moments)}
        picture, (x, y, _, _) = place_of(sample)
        score_hw, askable_hw = self.uncertainty(moments), self._askable(sample)
        proposal_hw = moments.mean_khw.argmax(axis=0).astype(np.uint8)
        sight = Sight(image_hwc, proposal_hw, np.nan_to_num(score_hw), askable_hw)
        regions_hw = self.regions(sight, rng=generator(self.seed, "regions", sample.id))
        found = describe(
            sample.id, (picture, x, y), regions_hw, askable_hw, moments.mean_khw, score_hw, named, self.cost,
            self.temperature,
        )  # fmt: skip
        vectors_nc, examples = None, list[Example]()
        if self.embedder:
            features_chw = self.embedder(image_hwc)
            vectors_nc, examples = self._examples(sample, features_chw)
            vectors_rc = of_regions(features_chw, regions_hw, int(regions_hw.max(initial=0)))
            found = [replace(candidate, embedding=vectors_rc[candidate.region - 1]) for candidate in found]
        uncertain_hw = 255 * named["entropy"] / max(np.log(len(self.source.classes)), 1e-9)
        eight_hw = np.clip(np.rint(np.nan_to_num(uncertain_hw)), 0, 255).astype(np.uint8)
        proposed_hw = self._proposed(sample, proposal_hw, askable_hw)
        doubt = Doubt(proposed_hw, eight_hw, regions_hw.astype(np.int32))
        return Found(doubt=doubt, candidates=found, vectors_nc=vectors_nc, examples=examples)

    def _proposed(self, sample: Sample, guess_hw: Map8, askable_hw: npt.NDArray[np.bool_]) -> Map8:
        """The model's guess, but what people have said where they have: nobody is to correct that again."""
        if sample.mask is None or askable_hw.all():
            return guess_hw
        mask_hw = self.source.mask(sample)
        return np.where(askable_hw | (mask_hw == IGNORE), guess_hw, mask_hw)

    def _examples(self, sample: Sample, features_chw: Vectors) -> tuple[Vectors, list[Example]]:
        """Some of an image's known pixels, drawn at random, with what they look like."""
        if sample.mask is None:
            return np.empty((0, len(features_chw)), np.float32), []
        mask_hw = self.source.mask(sample)
        places = np.flatnonzero((mask_hw != IGNORE) & ~self._askable(sample))
        places = np.sort(generator(self.seed, "examples", sample.id).permutation(places)[:EXAMPLES])
        rows, columns = np.divmod(places, sample.width)
        found = [Example(sample.id, int(x), int(y), int(mask_hw[y, x])) for y, x in zip(rows, columns, strict=True)]
        return of_pixels(features_chw, places), found

    def _moments(self, sample: Sample, image_hwc: Map8) -> Moments:
        with torch.random.fork_rng():
            torch.manual_seed(derive(self.seed, "dropout", sample.id))
            moments = Moments.of_channels(self.asked(image_hwc), self.uncertainty.extras)
        return replace(moments, label_hw=self.source.mask(sample)) if sample.mask else moments

    def _askable(self, sample: Sample) -> npt.NDArray[np.bool_]:
        """Pixels that nobody has vouched for."""
        if sample.source is None:
            return np.ones((sample.height, sample.width), bool)
        return ~np.isin(self.source.map(sample, "source"), KNOWN)
