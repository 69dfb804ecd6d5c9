"""From linear light to an 8-bit photograph, in numpy after the render, so that masks are never touched.

Exposure comes first: a share of the pixels is set to a wanted brightness, which keeps every random set of lights
usable. Then the lens, the tone curve, the film, noise and compression, in that order; what the plan does not name is
left out.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from scipy import ndimage

Image = npt.NDArray[np.float32]

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of linear Rec. 709 red, green and blue."""

PLAIN_TONE = {"black": 0.0, "gamma": 2.2, "halo": 0.0}
PLAIN_HIGHLIGHT = 0.8


def photograph(light: Image, plan: dict[str, Any]) -> npt.NDArray[np.uint8]:
    """``light`` (H, W, 3 linear float32) -> (H, W, 3) 8-bit RGB, by a plan of `scenes.kit.sensor.Photographed`."""
    tone = plan.get("tone", PLAIN_TONE)
    highlight = plan.get("exposure", {}).get("highlight", PLAIN_HIGHLIGHT)
    scene = _expose(light, highlight ** tone["gamma"])
    if "aberration" in plan:
        scene = _aberrate(scene, plan["aberration"]["strength"])
    if "blur" in plan:
        scene = _blur(scene, plan["blur"]["sigma"])
    if "vignette" in plan:
        scene = _vignette(scene, plan["vignette"]["strength"])
    return _finish(_film(_develop(scene, tone), tone["black"], plan.get("film")), plan)


def _finish(tones: Image, plan: dict[str, Any]) -> npt.NDArray[np.uint8]:
    if "noise" in plan:
        tones = tones + _noise(tones.shape, plan["noise"], grey=plan.get("film", {}).get("grey", False))
    image = np.asarray(np.round(np.clip(tones, 0, 1) * 255), np.uint8)
    quality = plan.get("jpeg", {}).get("quality")
    return image if quality is None else _compress(image, quality)


def _expose(light: Image, level: float) -> Image:
    """Scale so that 95 % of the pixels are darker than ``level``."""
    bright = float(np.percentile(light @ LUMINANCE, 95))
    return np.asarray(light * (level / max(bright, 1e-6)), np.float32)


def _aberrate(image: Image, per_mille: float) -> Image:
    """Show red larger and blue smaller than green, each by half of the difference."""
    halves = (1 + per_mille / 2000, 1.0, 1 - per_mille / 2000)
    return np.stack([_scaled(image[..., c], scale) for c, scale in enumerate(halves)], -1)


def _scaled(plane: npt.NDArray[np.float32], scale: float) -> npt.NDArray[np.float32]:
    """Magnify about the middle, bilinearly."""
    middle = (np.array(plane.shape) - 1) / 2
    moved = ndimage.affine_transform(plane, np.full(2, 1 / scale), middle * (1 - 1 / scale), order=1, mode="nearest")
    return np.asarray(moved, np.float32)


def _blur(image: Image, per_mille: float) -> Image:
    sigma = per_mille * min(image.shape[:2]) / 1000
    return np.asarray(ndimage.gaussian_filter(image, (sigma, sigma, 0), mode="nearest"), np.float32)


def _vignette(image: Image, strength: float) -> Image:
    """Darken towards the corners, where the loss is ``strength``."""
    rows, columns = (np.linspace(-1, 1, size, dtype=np.float32) for size in image.shape[:2])
    radius2 = (rows[:, None] ** 2 + columns[None, :] ** 2) / 2
    return np.asarray(image * (1 - strength * radius2)[..., None], np.float32)


def _develop(light: Image, tone: dict[str, Any]) -> Image:
    """Tone curve with a soft shoulder, then the halo of unsharp masking, as old prints show it."""
    tones = np.maximum(light, 0) ** np.float32(1 / tone["gamma"])
    tones = np.where(tones > 0.8, 1 - 0.2 * np.exp(-(tones - 0.8) / 0.2), tones)
    if tone["halo"]:
        sigma = 0.012 * min(tones.shape[:2])
        tones = tones + tone["halo"] * (tones - ndimage.gaussian_filter(tones, (sigma, sigma, 0), mode="nearest"))
    return np.asarray(tones, np.float32)


def _film(tones: Image, black: float, film: dict[str, Any] | None) -> Image:
    """Greyscale or a colour cast, above the film's own black."""
    if film is not None:
        tones = np.repeat((tones @ LUMINANCE)[..., None], 3, 2) if film["grey"] else tones * np.array(film["cast"])
    return np.asarray(black + (1 - black) * tones, np.float32)


def _noise(shape: tuple[int, ...], plan: dict[str, Any], *, grey: bool) -> Image:
    """Gaussian grain, a little correlated, the same in all channels of a greyscale image."""
    rng = np.random.default_rng(plan["seed"])
    grain = rng.standard_normal((*shape[:2], 1 if grey else 3))
    grain = ndimage.gaussian_filter(grain, (plan["grain"], plan["grain"], 0), mode="wrap")
    return np.asarray(plan["level"] * grain / max(float(grain.std()), 1e-6), np.float32)


def _compress(image: npt.NDArray[np.uint8], quality: int) -> npt.NDArray[np.uint8]:
    """There and back through a JPEG file in memory."""
    buffer = io.BytesIO()
    Pictures.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Pictures.open(buffer).convert("RGB"))
