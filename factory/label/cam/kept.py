"""Features of an encoder that does not learn, computed once a picture and kept in files of half precision."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from factory.core import digests
from factory.core.seeds import derive
from factory.label.cam.frames import Image8, reduced, tensor
from factory.label.cam.network import Classifier
from factory.segment.models import best_device


@dataclass(frozen=True, kw_only=True)
class KeptFeatures:
    """Raw features (C, h, w) by picture id; ``folder`` may be deleted between runs and is filled as asked for."""

    folder: Path
    model: Classifier
    image: Callable[[str], Image8]
    longest: int

    def __call__(self, sample_id: str) -> Tensor:
        """Those of one picture."""
        place = self.folder / f"{derive(0, sample_id):016x}.npy"
        if not place.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            buffer = io.BytesIO()
            np.save(buffer, self._computed(sample_id).half().numpy())
            digests.write_atomically(place, buffer.getvalue())
        return torch.from_numpy(np.load(place)).float()

    @torch.no_grad()
    def _computed(self, sample_id: str) -> Tensor:
        pixels_nchw = tensor(reduced(self.image(sample_id), self.longest))[None].to(best_device())
        return self.model.raw(pixels_nchw.contiguous(memory_format=torch.channels_last))[0].cpu()


def together(features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Maps of different sizes as one batch (N, C, h, w), zeros around, and which cells are picture, (N, h, w)."""
    rows, columns = (max(one.shape[axis] for one in features) for axis in (1, 2))
    inside_nhw = torch.zeros(len(features), rows, columns, dtype=torch.bool)
    for inside_hw, one_chw in zip(inside_nhw, features, strict=True):
        inside_hw[: one_chw.shape[1], : one_chw.shape[2]] = True
    padded = [functional.pad(one, (0, columns - one.shape[2], 0, rows - one.shape[1])) for one in features]
    return torch.stack(padded), inside_nhw
