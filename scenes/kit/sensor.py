"""From linear light to an 8-bit photograph, in numpy after the render, so that masks are never touched.

Exposure comes first: a share of the pixels is set to a wanted brightness, which keeps every random set of lights
usable. Then the lens (blur, vignette), the film (tone curve, greyscale, cast), and noise, in that order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from scenes.kit.sampling import Span, Streams, chance, seed_of, uniform

Image = npt.NDArray[np.float32]

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of linear Rec. 709 red, green and blue."""


def plan_sensor(
    streams: Streams,
    *,
    highlight: Span,
    black: Span,
    gamma: Span,
    blur: Span,
    halo: Span,
    vignette: Span,
    noise: Span,
    grey_share: float,
    cast: float,
) -> dict[str, Any]:
    """Draw a camera. ``blur`` is a share of the shorter side in per mille, ``noise`` a standard deviation of 0-1."""
    rng = streams("sensor")
    return {
        "highlight": uniform(rng, highlight),
        "black": uniform(rng, black),
        "gamma": uniform(rng, gamma),
        "blur": uniform(rng, blur),
        "halo": uniform(rng, halo),
        "vignette": uniform(rng, vignette),
        "noise": uniform(rng, noise),
        "grain": uniform(rng, (0.0, 1.2)),
        "grey": chance(rng, grey_share),
        "cast": [round(float(1 + cast * v), 4) for v in rng.uniform(-1, 1, 3)],
        "seed": seed_of(rng),
    }


def photograph(light: Image, plan: dict[str, Any]) -> npt.NDArray[np.uint8]:
    """``light`` (H, W, 3 linear float32) -> (H, W, 3) 8-bit RGB."""
    scene = _vignette(_blur(_expose(light, plan["highlight"] ** plan["gamma"]), plan["blur"]), plan["vignette"])
    film = _develop(scene, plan)
    grainy = film + _noise(film.shape, plan)
    return np.asarray(np.round(np.clip(grainy, 0, 1) * 255), np.uint8)


def _expose(light: Image, level: float) -> Image:
    """Scale so that 95 % of the pixels are darker than ``level``."""
    bright = float(np.percentile(light @ LUMINANCE, 95))
    return np.asarray(light * (level / max(bright, 1e-6)), np.float32)


def _blur(image: Image, per_mille: float) -> Image:
    sigma = per_mille * min(image.shape[:2]) / 1000
    return np.asarray(ndimage.gaussian_filter(image, (sigma, sigma, 0), mode="nearest"), np.float32)


def _vignette(image: Image, strength: float) -> Image:
    """Darken towards the corners, where the loss is ``strength``."""
    rows, columns = (np.linspace(-1, 1, size, dtype=np.float32) for size in image.shape[:2])
    radius2 = (rows[:, None] ** 2 + columns[None, :] ** 2) / 2
    return np.asarray(image * (1 - strength * radius2)[..., None], np.float32)


def _develop(light: Image, plan: dict[str, Any]) -> Image:
    """Tone curve with a soft shoulder, halo (unsharp masking as old prints show it), greyscale or colour cast."""
    tones = np.maximum(light, 0) ** np.float32(1 / plan["gamma"])
    tones = np.where(tones > 0.8, 1 - 0.2 * np.exp(-(tones - 0.8) / 0.2), tones)
    sigma = 0.012 * min(tones.shape[:2])
    tones = tones + plan["halo"] * (tones - ndimage.gaussian_filter(tones, (sigma, sigma, 0), mode="nearest"))
    tones = np.repeat((tones @ LUMINANCE)[..., None], 3, 2) if plan["grey"] else tones * np.array(plan["cast"])
    return np.asarray(plan["black"] + (1 - plan["black"]) * tones, np.float32)


def _noise(shape: tuple[int, ...], plan: dict[str, Any]) -> Image:
    """Grain: Gaussian noise, a little correlated, the same in all channels of a greyscale image."""
    rng = np.random.default_rng(plan["seed"])
    grain = rng.standard_normal((*shape[:2], 1 if plan["grey"] else 3))
    grain = ndimage.gaussian_filter(grain, (plan["grain"], plan["grain"], 0), mode="wrap")
    return np.asarray(plan["noise"] * grain / max(float(grain.std()), 1e-6), np.float32)
