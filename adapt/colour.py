"""Colour statistics of a real image: mean and spread of each CIELAB channel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from skimage.color import lab2rgb, rgb2lab

from adapt import Image8
from factory.core.errors import ConfigError

ENOUGH = 300_000
"""Pixels of a photograph that its statistics are taken from, on a grid; all of them say the same and take seconds."""


@dataclass(frozen=True, kw_only=True)
class Colour:
    """Global colour transfer (Reinhard et al. 2001, equations 10-11), in CIELAB.

    ``strength`` 1 takes the reference's statistics wholly, 0 leaves the image as it is. ``max_gain`` bounds how far the
    spread of a channel may be stretched, so that a flat rendering is not blown up into noise.
    """

    strength: float
    max_gain: float

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ConfigError("adapter.strength is a share", got=self.strength, expected="0 to 1")
        if self.max_gain <= 0:
            raise ConfigError("adapter.max_gain must be positive", got=self.max_gain)

    def __call__(self, image_hwc: Image8, reference_hwc: Image8, rng: np.random.Generator) -> Image8:
        """See `adapt.Adapter`; nothing is drawn."""
        del rng
        lab, style = rgb2lab(image_hwc), rgb2lab(_thinned(reference_hwc))
        mean, spread = lab.mean(axis=(0, 1)), lab.std(axis=(0, 1))
        gain = np.minimum(style.std(axis=(0, 1)) / np.maximum(spread, 1e-6), self.max_gain)
        moved = (lab - mean) * gain + style.mean(axis=(0, 1))
        mixed = lab + self.strength * (moved - lab)
        rgb = np.asarray(lab2rgb(_in_range(mixed)))
        return np.asarray(np.clip(np.rint(255 * rgb), 0, 255), np.uint8)


def _thinned(image_hwc: Image8) -> Image8:
    """Some `ENOUGH` pixels of an image, as they are: averaged ones would spread less."""
    step = math.ceil(math.sqrt(image_hwc.shape[0] * image_hwc.shape[1] / ENOUGH))
    return image_hwc[::step, ::step]


def _in_range(
    lab_hwc: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Lightness within 0-100; chroma only where XYZ stays positive, after rounding too, or lab2rgb would warn of it."""
    light = np.clip(lab_hwc[..., :1], 0, 100)
    green, blue = lab_hwc[..., 1:2], lab_hwc[..., 2:]
    luminance = (light + 16) / 116 * (1 - 1e-9)
    return np.concatenate([light, np.maximum(green, -500 * luminance), np.minimum(blue, 200 * luminance)], axis=2)
