"""Everything the models say of one picture, at its own size."""

from __future__ import annotations

from collections.abc import Sequence
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
    """The activation maps of the classifier that never saw a picture, and the surprise beside normal ones.

    Pictures are reduced to ``longest`` pixels a side as in training, their maps brought back to size. Maps are of the
    head that pools most: every cell of a thing has its say there, where a small share hears its strongest ones alone.
    ``heads_k`` are those that tell each class best.
    """

    shelf: Shelf
    method: Method
    views: Views
    longest: int
    normal: Normal | None
    heads_k: Sequence[int]

    def __call__(self, image: Image8, fold: int) -> tuple[Map, Map | float]:
        """Maps (K, H, W) from 0 to 1, the highest of each being 1 (0 where it is flat); surprise (H, W), or 0."""
        small = reduced(image, self.longest)
        model = self.shelf.trained(fold)
        maps_khw = self.views(model, self.method, small, self.shelf.widest).cpu().numpy()
        full_khw = np.stack([_grown(one, model.spec.stride, small, image) for one in maps_khw])
        highest_k11 = full_khw.max(axis=(1, 2), keepdims=True)
        full_khw /= np.where(highest_k11 > 0, highest_k11, 1)
        if self.normal is None:
            return full_khw, 0.0
        surprise_hw = self.shelf.known(fold, self.normal)(small, self.shelf.first())
        return full_khw, np.asarray(cv2.resize(surprise_hw, image.shape[1::-1], interpolation=cv2.INTER_LINEAR))

    @torch.inference_mode()
    def beliefs(self, image: Image8, fold: int) -> Map:
        """How sure the classifier is that each class is in the picture, (K,), by the head that tells it best."""
        model = self.shelf.trained(fold)
        logits_hk = self.shelf.logits(model, reduced(image, self.longest))
        return np.asarray(1 / (1 + np.exp(-logits_hk[list(self.heads_k), np.arange(len(self.heads_k))])), np.float32)


def _grown(map_hw: Map, stride: int, small: Image8, image: Image8) -> Map:
    """A map of cells at the picture's size."""
    rows, columns = map_hw.shape
    whole_hw = cv2.resize(map_hw, (columns * stride, rows * stride), interpolation=cv2.INTER_LINEAR)
    whole_hw = whole_hw[: small.shape[0], : small.shape[1]]
    if small.shape != image.shape:
        whole_hw = cv2.resize(whole_hw, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole_hw, np.float32)
