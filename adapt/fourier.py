"""Fourier domain adaptation (FDA): low frequencies carry the style, so take their amplitude from a real image."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from adapt import Image8
from factory.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Fourier:
    """FDA (Yang & Soatto 2020, equations 1-3): amplitude of the central window from the reference, phase kept.

    The window reaches ``beta`` times the shorter side on each side of the zero frequency, and at least to the frequency
    next to it, without which small pictures took on the mean colour alone; one of ``betas`` is drawn for each image.
    The paper uses 0.01, 0.05 and 0.09.
    """

    betas: tuple[float, ...] | list[float]

    def __post_init__(self) -> None:
        if not self.betas or not all(0 <= beta <= 0.5 for beta in self.betas):
            raise ConfigError(
                "adapter.betas are shares of the spectrum", got=self.betas, expected="one or more, 0 to 0.5"
            )

    def __call__(self, image_hwc: Image8, reference_hwc: Image8, rng: np.random.Generator) -> Image8:
        """See `adapt.Adapter`."""
        height, width = image_hwc.shape[:2]
        beta = float(rng.choice(np.asarray(self.betas)))
        shrinks = reference_hwc.shape[0] >= height and reference_hwc.shape[1] >= width
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR  # which leaves no steps of its own in the spectrum
        reference = cv2.resize(reference_hwc, (width, height), interpolation=how)
        spectrum, style = (np.fft.fft2(pixels.astype(np.float32), axes=(0, 1)) for pixels in (image_hwc, reference))
        window = low_frequencies(height, width, beta)[..., None]
        amplitude = np.where(window, np.abs(style), np.abs(spectrum))
        mixed = np.fft.ifft2(amplitude * np.exp(1j * np.angle(spectrum)), axes=(0, 1)).real
        return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def low_frequencies(height: int, width: int, beta: float) -> npt.NDArray[np.bool_]:
    """The square window of frequencies up to beta x min(height, width), in the layout of an unshifted FFT.

    It is never the zero frequency alone, unless beta is 0.
    """
    reach = max(int(np.floor(beta * min(height, width))), int(beta > 0))
    rows, columns = (np.abs(np.fft.fftfreq(n, 1 / n)) <= reach for n in (height, width))
    return np.outer(rows, columns).astype(bool)
