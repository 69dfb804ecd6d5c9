"""What pictures look like that hold nothing: how surprising each pixel of another picture is beside them.

Two things are watched. *Contrast*: how far a pixel lies from the median of its surroundings, in units of how much its
surroundings stray from theirs; it is sharp to the pixel. *Texture*: the Mahalanobis distance of the encoder's early
features to those of normal pictures (one Gaussian for all places; after PaDiM, Defard et al. 2021, whose Gaussians each
belong to a place). Both are turned into surprise, -log10 of the share of normal pixels that go as far: 3 is one in a
thousand.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from factory.core import digests
from factory.core.errors import ConfigError
from factory.core.seeds import generator
from factory.execute.progress import Progress
from factory.label.cam.frames import Image8, reduced, tensor
from factory.label.cam.network import Classifier
from factory.segment.models import best_device

Map = npt.NDArray[np.float32]
Image = Callable[[str], Image8]

SURPRISES = np.linspace(0, 5, 51)
"""Where the tail is written down, -log10 of a share of the pixels."""

PIXELS = 2_000_000
"""How many pixels of normal pictures, at most, say what is rare."""

CELLS = 400
"""Cells of a normal picture that go into the Gaussian of texture."""

SIDES = {"darker": (-1,), "lighter": (1,), "both": (-1, 1)}
LEAST_STRAY = 2.0
"""Grey levels that surroundings stray at least: flat ones would make noise a surprise."""


@dataclass(frozen=True, kw_only=True)
class Normal:
    """How normal pictures are learnt from.

    ``contrast`` and ``texture`` say how much either counts. Surroundings are squares of ``surroundings`` pixels;
    ``blur`` (sigma, pixels) evens noise out; ``side`` is which contrast is watched: darker, lighter, or both.
    """

    contrast: float
    texture: float
    surroundings: int
    blur: float
    side: str

    def __post_init__(self) -> None:
        if min(self.contrast, self.texture) < 0 or not self.contrast + self.texture:
            got = f"contrast={self.contrast} texture={self.texture}"
            raise ConfigError("labeler.normal needs a weight, and none below 0", got=got)
        if self.surroundings not in range(3, 256, 2):
            raise ConfigError("labeler.normal.surroundings is an odd number from 3 to 255", got=self.surroundings)
        if self.blur <= 0:
            raise ConfigError("labeler.normal.blur must be positive", got=self.blur)
        if self.side not in SIDES:
            raise ConfigError("unknown labeler.normal.side", got=self.side, expected=", ".join(SIDES))

    def learnt(self, ids: Sequence[str], image: Image, model: Classifier, longest: int, seed: int) -> Known:
        """What the pictures called ``ids`` have in common; they are read twice, one at a time."""
        means: npt.NDArray[np.float64] = np.zeros(())
        seconds, cells = means, 0
        with Progress("normal texture", 2 * len(ids)) as progress:
            for sample_id in ids:
                features_nc = _features(model, reduced(image(sample_id), longest))[0]
                rows = generator(seed, "cells", sample_id).permutation(len(features_nc))[:CELLS]
                some_nc = features_nc[rows].astype(np.float64)
                means, seconds, cells = means + some_nc.sum(0), seconds + some_nc.T @ some_nc, cells + len(some_nc)
                progress.advance()
            mean_c = np.asarray(means) / cells
            known = Known(
                normal=self,
                mean_c=mean_c.astype(np.float32),
                whitener_cc=_whitener(np.asarray(seconds) / cells - np.outer(mean_c, mean_c)),
                tails_2n=np.zeros((2, len(SURPRISES)), np.float32),
            )
            each = max(PIXELS // len(ids), 1)
            drawn = []
            for sample_id in ids:
                small = reduced(image(sample_id), longest)
                places = generator(seed, "pixels", sample_id).integers(0, small.shape[0] * small.shape[1], each)
                drawn.append(known.distances(small, model).reshape(2, -1)[:, places[: small.shape[0] * small.shape[1]]])
                progress.advance()
        distances_2n = np.concatenate(drawn, axis=1)
        tails_2n = np.quantile(distances_2n, 1 - 10.0**-SURPRISES, axis=1).T.astype(np.float32)
        return Known(normal=self, mean_c=known.mean_c, whitener_cc=known.whitener_cc, tails_2n=tails_2n)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of normal pictures: mean and whitening matrix of features, and the tails of both distances."""

    normal: Normal
    mean_c: Map
    whitener_cc: Map
    tails_2n: Map

    def __call__(self, image: Image8, model: Classifier) -> Map:
        """Surprise at each pixel, (H, W)."""
        distances_2hw = self.distances(image, model)
        weights = (self.normal.contrast, self.normal.texture)
        return sum(
            (
                weight * _surprise(one_hw, tail_n)
                for weight, one_hw, tail_n in zip(weights, distances_2hw, self.tails_2n, strict=True)
            ),
            start=np.zeros(image.shape[:2], np.float32),
        )

    def distances(self, image: Image8, model: Classifier) -> Map:
        """Contrast and texture distance at each pixel, (2, H, W)."""
        features_nc, (rows, columns) = _features(model, image)
        far_hw = np.sqrt((((features_nc - self.mean_c) @ self.whitener_cc) ** 2).mean(axis=1)).reshape(rows, columns)
        height, width = image.shape[:2]
        stride = model.spec.stride
        whole_hw = cv2.resize(far_hw, (columns * stride, rows * stride), interpolation=cv2.INTER_LINEAR)
        return np.stack([contrast(image, self.normal), whole_hw[:height, :width]])

    def save(self, path: Path) -> None:
        """Write it whole or not at all."""
        buffer = io.BytesIO()
        np.savez(buffer, mean_c=self.mean_c, whitener_cc=self.whitener_cc, tails_2n=self.tails_2n)
        digests.replace_with(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path, normal: Normal) -> Known:
        """Read what `save` wrote."""
        with np.load(path) as held:
            return cls(normal=normal, **{name: held[name] for name in held.files})


def _surprise(distance_hw: Map, tail_n: Map) -> Map:
    """-log10 of the share of normal pixels that go as far; what many reach alike is looked at from just below it."""
    below_hw = np.nextafter(distance_hw, np.float32(-np.inf))
    return np.interp(below_hw, tail_n, SURPRISES).astype(np.float32)


def contrast(image: Image8, normal: Normal) -> Map:
    """How far each pixel lies from its surroundings, in units of their own straying, (H, W); see the module."""
    light_hw = np.log1p(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32))
    light_hw = cv2.GaussianBlur(light_hw, (0, 0), 0.7)
    span = float(light_hw.max() - light_hw.min())
    grey_hw = np.asarray((light_hw - light_hw.min()) * (255 / max(span, 1e-6)), np.uint8)
    off_hw = grey_hw.astype(np.float32) - cv2.medianBlur(grey_hw, normal.surroundings)
    stray_hw = cv2.blur(np.abs(off_hw), (normal.surroundings, normal.surroundings)) + LEAST_STRAY
    signed_hw = cv2.GaussianBlur(off_hw / stray_hw, (0, 0), normal.blur)
    return np.asarray(np.max([sign * signed_hw for sign in SIDES[normal.side]], axis=0), np.float32)


@torch.inference_mode()
def _features(model: Classifier, image: Image8) -> tuple[Map, tuple[int, int]]:
    """The features of each cell, (cells, C), and how the cells lie, (rows, columns)."""
    pixels_nchw = tensor(image)[None].to(best_device(), memory_format=torch.channels_last)
    features_chw = model.raw(pixels_nchw)[0].cpu()
    rows, columns = features_chw.shape[-2:]
    return features_chw.flatten(1).T.contiguous().numpy(), (rows, columns)


def _whitener(covariance_cc: npt.NDArray[np.float64]) -> Map:
    """A matrix that brings the covariance to the identity; directions that hardly vary are kept from exploding."""
    ridge = 1e-3 * np.trace(covariance_cc) / len(covariance_cc) + 1e-12
    inverse_cc = np.linalg.inv(covariance_cc + ridge * np.eye(len(covariance_cc)))
    return np.asarray(np.linalg.cholesky(inverse_cc), np.float32)
