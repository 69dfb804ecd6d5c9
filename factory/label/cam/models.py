"""The classifiers of a corpus, none of which saw the pictures it labels; kept in a folder, opened once a process."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from factory.core import digests
from factory.label.cam.frames import Image8, framed
from factory.label.cam.kept import KeptFeatures
from factory.label.cam.network import Classifier, ClassifierSpec, placed
from factory.label.cam.normal import Known, Normal
from factory.label.cam.pooling import pooled
from factory.segment.models import best_device

FIRST = "first.pt"
"""The classifier before training: its features say what normal pictures look like, the same in every fold."""


def trained_file(number: int) -> str:
    """Where a classifier's training keeps its state."""
    return f"fold{number}.pt"


def normal_file(number: int) -> str:
    """Where what is known of the normal pictures that a classifier saw is kept."""
    return f"fold{number}.normal.npz"


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The classifiers of a corpus in ``folder``; ``frozen``: their encoders do not learn."""

    folder: Path
    spec: ClassifierSpec
    classes: int
    shares: tuple[float, ...]
    frozen: bool

    @property
    def heads(self) -> int:
        """One for each share of the map that is pooled."""
        return len(self.shares)

    @property
    def widest(self) -> int:
        """The head that pools most of the picture."""
        return int(np.argmax(self.shares))

    def trained(self, number: int) -> Classifier:
        """A classifier after training; if encoders do not learn, all have that of `first`."""
        model = self._opened(trained_file(number))
        if self.frozen:
            model.encoder = self.first().encoder
        return model

    def first(self) -> Classifier:
        """The classifier before training."""
        return self._opened(FIRST)

    def keep_first(self, model: Classifier) -> None:
        """Keep the classifier before training."""
        if not (self.folder / FIRST).is_file():
            buffer = io.BytesIO()
            torch.save({"model": model.state_dict()}, buffer)
            digests.write_atomically(self.folder / FIRST, buffer.getvalue())

    def kept(self, image: Callable[[str], Image8], longest: int) -> KeptFeatures:
        """Features of the classifier before training, by picture."""
        return KeptFeatures(folder=self.folder / "features", model=self.first(), image=image, longest=longest)

    def known(self, number: int, normal: Normal) -> Known:
        """What the pictures that a classifier learnt from say of normal ones."""
        return _known(self.folder / normal_file(number), normal)

    @torch.inference_mode()
    def logits(self, model: Classifier, image: Image8) -> npt.NDArray[np.float32]:
        """What each head says of each class in a picture, (heads, K)."""
        frames = framed([image], model.spec.stride)
        pixels_nchw = frames.images_nchw.to(best_device(), memory_format=torch.channels_last)
        maps_nhkhw = model.maps(model.features(pixels_nchw))
        return np.asarray(pooled(maps_nhkhw, self.shares, frames.inside_nhw.to(best_device()))[0].cpu().numpy())

    def _opened(self, name: str) -> Classifier:
        return _classifier(self.folder / name, self)

    def __hash__(self) -> int:
        return hash(self.folder)


@functools.lru_cache(maxsize=4)
def _known(path: Path, normal: Normal) -> Known:
    return Known.load(path, normal)


@functools.lru_cache(maxsize=8)
def _classifier(path: Path, shelf: Shelf) -> Classifier:
    model = Classifier(shelf.spec, shelf.classes, shelf.heads)
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["model"])
    model.eval().requires_grad_(False)
    return placed(model)
