"""Everything the models say of one picture, at its own size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch

from factory.label.cam.frames import Image8, reduced
from factory.label.cam.methods import Method
from factory.label.cam.models import Shelf
from factory.label.cam.normal import Normal
from factory.label.cam.views import Views

Map = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class MapMaker:
    """The activation maps of the classifiers that never saw a picture, and the surprise beside normal ones.

    Pictures are reduced to ``longest`` pixels a side as in training, their maps brought back to size. Maps are of the
    head that pools most: every cell of a thing has its say there, where a small share hears its strongest ones alone.
    ``heads_k`` are those that tell each class best. ``heard`` are the classes that each classifier could learn: it says
    nothing of the others, and what several say is averaged.
    """

    shelf: Shelf
    method: Method
    views: Views
    longest: int
    normal: Normal | None
    heads_k: Sequence[int]
    heard: Mapping[int, Sequence[int]]

    def __call__(self, image: Image8, models: Sequence[int]) -> tuple[Map, Map | float]:
        """Maps (K, H, W) from 0 to 1, the highest of each being 1 (0 where it is flat); surprise (H, W), or 0."""
        small = reduced(image, self.longest)
        classifiers = [self.shelf.trained(number) for number in models]
        maps_mkhw = self.views(classifiers, self.method, small, self.shelf.widest).cpu().numpy()
        maps_khw = np.einsum("mkhw,mk->khw", maps_mkhw, self._voices(models))
        full_khw = np.stack([_grown(one, self.shelf.spec.stride, small, image) for one in maps_khw])
        highest_k11 = full_khw.max(axis=(1, 2), keepdims=True)
        full_khw /= np.where(highest_k11 > 0, highest_k11, 1)
        if self.normal is None:
            return full_khw, 0.0
        surprise_hw = self.shelf.known(models[0], self.normal)(small, self.shelf.first())
        return full_khw, np.asarray(cv2.resize(surprise_hw, image.shape[1::-1], interpolation=cv2.INTER_LINEAR))

    @torch.inference_mode()
    def beliefs(self, image: Image8, models: Sequence[int]) -> Map:
        """How sure the classifiers are that each class is in the picture, (K,), by the head that tells it best."""
        small = reduced(image, self.longest)
        logits_mhk = np.stack([self.shelf.logits(self.shelf.trained(number), small) for number in models])
        logits_mk = logits_mhk[:, list(self.heads_k), np.arange(len(self.heads_k))]
        return np.asarray((self._voices(models) / (1 + np.exp(-logits_mk))).sum(axis=0), np.float32)

    def _voices(self, models: Sequence[int]) -> Map:
        """How much each classifier has to say of each class, (models, K): alike where it was heard, nothing else."""
        heard_mk = np.array([np.isin(np.arange(self.shelf.classes), self.heard[number]) for number in models])
        return np.asarray(heard_mk / np.maximum(heard_mk.sum(axis=0), 1), np.float32)


def _grown(map_hw: Map, stride: int, small: Image8, image: Image8) -> Map:
    """A map of cells at the picture's size."""
    rows, columns = map_hw.shape
    whole_hw = cv2.resize(map_hw, (columns * stride, rows * stride), interpolation=cv2.INTER_LINEAR)
    whole_hw = whole_hw[: small.shape[0], : small.shape[1]]
    if small.shape != image.shape:
        whole_hw = cv2.resize(whole_hw, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole_hw, np.float32)
