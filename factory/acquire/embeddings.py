"""What regions look like to a model: its features, averaged, so that likeness is an angle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from factory.core.queue import Example
from factory.core.seeds import derive
from factory.segment.predict import Predictor

WIDTH = 64
"""Numbers a pixel; more channels are projected at random, which about keeps angles (Johnson & Lindenstrauss 1984)."""

LIKELY = 512
"""So many of the likest known pixels are looked through for some of different pictures."""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Embedder:
    """The decoder's features just before the head, for pictures of any size."""

    predictor: Predictor

    def __call__(self, image_hwc: npt.NDArray[np.uint8]) -> Vectors:
        """(WIDTH or the decoder's channels, height, width)."""
        return self.predictor.map(image_hwc, self._features)

    def _features(self, images_nchw: Tensor) -> Tensor:
        height, width = images_nchw.shape[-2:]
        features_nchw = self.predictor.model.outputs(images_nchw).features_nchw.float()
        if features_nchw.shape[1] > WIDTH:
            features_nchw = torch.einsum("wc,nchx->nwhx", self._projection(features_nchw), features_nchw)
        padded_hw = self.predictor.model.spec.padded((height, width))
        return functional.interpolate(features_nchw, padded_hw, mode="bilinear", align_corners=False)[
            ..., :height, :width
        ]

    def _projection(self, features_nchw: Tensor) -> Tensor:
        channels = features_nchw.shape[1]
        rng = np.random.default_rng(derive(0, "embedding", channels))
        drawn_wc = rng.standard_normal((WIDTH, channels), np.float32) / np.sqrt(WIDTH)
        return torch.from_numpy(drawn_wc).to(features_nchw)


def of_regions(features_chw: Vectors, regions_hw: npt.NDArray[np.intp], count: int) -> Vectors:
    """Mean features of the regions 1 to ``count``, each of length 1 (0 where there is nothing to see): (count, C)."""
    flat = torch.from_numpy(np.ascontiguousarray(regions_hw.reshape(-1)))
    features_nc = torch.from_numpy(features_chw.reshape(len(features_chw), -1)).T
    sums_rc = torch.zeros(count + 1, len(features_chw)).index_add_(0, flat, features_nc)
    return unit(sums_rc[1:].numpy())


def of_pixels(features_chw: Vectors, places: npt.NDArray[np.intp]) -> Vectors:
    """Features of single pixels by flat index, each of length 1: (count, C)."""
    return unit(features_chw.reshape(len(features_chw), -1)[:, places].T)


def unit(vectors_nc: Vectors) -> Vectors:
    """The same directions with length 1; nothing stays nothing, and so becomes what is no number."""
    vectors_nc = np.nan_to_num(vectors_nc, posinf=0, neginf=0)
    lengths_n1 = np.linalg.norm(vectors_nc, axis=1, keepdims=True)
    return np.asarray(vectors_nc / np.where(lengths_n1 > 0, lengths_n1, 1), np.float32)


class Bank:
    """Pixels whose class is known, by what they look like: the nearest ones show what a queued region may be."""

    def __init__(self) -> None:
        self._vectors: list[Vectors] = []
        self._examples: list[Example] = []

    def add(self, vectors_nc: Vectors, examples: list[Example]) -> None:
        """Some pixels of one picture."""
        self._vectors.append(vectors_nc)
        self._examples += examples

    @cached_property
    def vectors_nc(self) -> Vectors:
        """What all of them look like, (pixels, C)."""
        return np.concatenate(self._vectors) if self._vectors else np.empty((0, 0), np.float32)

    def nearest(self, vector_c: Vectors, count: int, *, elsewhere: str) -> list[tuple[Example, float]]:
        """The likest pixels and the cosine of the angle to each, one a picture; none of the picture ``elsewhere``."""
        if not count or not len(self.vectors_nc):
            return []
        likeness_n = self.vectors_nc @ vector_c
        first = np.argpartition(-likeness_n, min(LIKELY, len(likeness_n)) - 1)[:LIKELY]
        found: list[tuple[Example, float]] = []
        seen = {elsewhere}
        for number in sorted(first.tolist(), key=lambda number: (-likeness_n[number], number)):
            example = self._examples[number]
            if example.sample_id not in seen:
                seen.add(example.sample_id)
                found.append((example, float(likeness_n[number])))
            if len(found) == count:
                break
        return found
