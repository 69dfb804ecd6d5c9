"""Class scores that were predicted before, kept on disk for each picture."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from factory.core import digests
from factory.core.picture import Picture
from factory.label import Scores


@dataclass(frozen=True, kw_only=True)
class Foretold:
    """Probabilities in half precision, an array a picture in ``folder``, raised to the power ``certainty``."""

    folder: str
    certainty: float = 1.0

    def __call__(self, given: Picture, classes: int) -> Scores:
        """See `factory.label.Labeler`."""
        scores_khw = np.load(self._file(given.id)).astype(np.float32)
        assert len(scores_khw) == classes
        if scores_khw.shape[1:] != given.size_hw:
            size_wh = given.size_hw[::-1]
            scores_khw = np.stack([cv2.resize(plane, size_wh, interpolation=cv2.INTER_LINEAR) for plane in scores_khw])
        scores_khw = np.maximum(scores_khw, 0) / scores_khw.max(axis=0)  # the likeliest stays 1, whatever the power
        scores_khw **= self.certainty
        return np.asarray(scores_khw / scores_khw.sum(axis=0), np.float32)

    def knows(self, sample_id: str) -> bool:
        """Whether a picture's scores are there."""
        return self._file(sample_id).exists()

    def keep(self, sample_id: str, scores_khw: Scores) -> None:
        """Write a picture's scores: whole or not at all."""
        path = self._file(sample_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.save(buffer, scores_khw.astype(np.float16))
        digests.replace_with(path, buffer.getvalue())

    def _file(self, sample_id: str) -> Path:
        return Path(self.folder) / f"{sample_id}.npy"
