"""Augmentation of whole batches on the device they lie on, in two halves: where things are, and how they look.

Between the two a teacher may look at the pictures (see `factory.segment.teacher`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from kornia.augmentation import ColorJiggle, RandomGaussianBlur
from torch import Tensor, nn
from torch.nn import functional

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.segment.data import CLASS, PADDING, SOURCE


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Random geometry of image and label alike, then random light and sensor effects of the image.

    Draws come from torch's global stream, which training seeds anew at every step. What the geometry brings in from
    outside the picture is mirrored in the image and ignore, of no confidence and nobody's, in the label; a mirrored
    margin is a margin still.

    ``flip`` and ``flip_vertical`` are probabilities; ``scale`` is the range of zoom factors (2 shows half the picture
    twice as large); ``rotate`` the largest angle in degrees; ``brightness``, ``contrast``, ``saturation`` and ``hue``
    are relative ranges as in kornia's ColorJiggle (hue: 0.5 is half the circle); ``grey`` is the probability of losing
    all colour; ``blur`` the probability of a Gaussian blur, ``blur_sigma`` its largest sigma in pixels; ``noise`` the
    largest standard deviation of Gaussian noise, of a value range of 1.
    """

    flip: float = 0.5
    flip_vertical: float = 0.0
    scale: tuple[float, float] = (0.75, 1.5)
    rotate: float = 10.0
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.05
    grey: float = 0.0
    blur: float = 0.1
    blur_sigma: float = 1.5
    noise: float = 0.02

    def __post_init__(self) -> None:
        for name in ("flip", "flip_vertical", "grey", "blur"):
            _check(name, getattr(self, name), 0, 1)
        for name in ("brightness", "contrast", "saturation"):
            _check(name, getattr(self, name), 0, 1)
        for name, most in (("hue", 0.5), ("rotate", 180), ("noise", 1), ("blur_sigma", 10)):
            _check(name, getattr(self, name), 0, most)
        if len(self.scale) != 2 or not 0.1 <= self.scale[0] <= self.scale[1] <= 10:
            raise ConfigError("augmentation.scale is a range between 0.1 and 10", got=list(self.scale))

    def __call__(self, images_nchw: Tensor, labels_nchw: Tensor) -> tuple[Tensor, Tensor]:
        """Images in [0, 1] and 8-bit labels (class first), both changed; shapes and types stay."""
        images_nchw, labels_nchw = self.move(images_nchw, labels_nchw)
        return self.colour(images_nchw), labels_nchw

    def move(self, images_nchw: Tensor, labels_nchw: Tensor) -> tuple[Tensor, Tensor]:
        """The geometry alone, in 32 bits: in 16 the places of a large picture's pixels are off by pixels."""
        if self._still:
            return images_nchw, labels_nchw
        with torch.autocast(images_nchw.device.type, enabled=False):
            return self._moved(images_nchw, labels_nchw)

    def _moved(self, images_nchw: Tensor, labels_nchw: Tensor) -> tuple[Tensor, Tensor]:
        count, _, height, width = images_nchw.shape
        theta_n23 = self._matrices(count, width / height).to(images_nchw.device)
        grid_nhw2 = functional.affine_grid(theta_n23, [count, 3, height, width], align_corners=False)
        moved_nchw = functional.grid_sample(images_nchw, grid_nhw2, padding_mode="reflection", align_corners=False)
        # Shifted by one, the ignore index is 0: exactly what grid_sample fills in from outside.
        shifted_nchw = labels_nchw.to(images_nchw.dtype)
        shifted_nchw[:, CLASS] = (shifted_nchw[:, CLASS] + 1) % (IGNORE + 1)
        found_nchw = functional.grid_sample(shifted_nchw, grid_nhw2, mode="nearest", align_corners=False)
        found_nchw[:, CLASS] = (found_nchw[:, CLASS] + IGNORE) % (IGNORE + 1)
        mirrored_nhw = functional.grid_sample(
            shifted_nchw[:, SOURCE:], grid_nhw2, mode="nearest", padding_mode="reflection", align_corners=False
        )[:, 0]
        found_nchw[:, SOURCE].masked_fill_(mirrored_nhw == PADDING, PADDING)
        return moved_nchw, found_nchw.to(labels_nchw.dtype)

    def colour(self, images_nchw: Tensor) -> Tensor:
        """Light and sensor alone, in 32 bits as well."""
        with torch.autocast(images_nchw.device.type, enabled=False):
            for effect in self._effects:
                images_nchw = effect(images_nchw)
            return self._add_noise(images_nchw).clamp(0, 1)

    def _matrices(self, count: int, aspect: float) -> Tensor:
        """Maps from output to input in [-1, 1] coordinates, (N, 2, 3); they keep angles in pixels."""
        low, high = (math.log(bound) for bound in self.scale)
        zoom_n = torch.exp(low + (high - low) * torch.rand(count))
        angle_n = math.radians(self.rotate) * (2 * torch.rand(count) - 1)
        mirror_n = 1 - 2 * (torch.rand(count) < self.flip).float()
        upset_n = 1 - 2 * (torch.rand(count) < self.flip_vertical).float()
        cos_n, sin_n = torch.cos(angle_n) / zoom_n, torch.sin(angle_n) / zoom_n
        rows = [mirror_n * cos_n, -upset_n * sin_n / aspect, mirror_n * sin_n * aspect, upset_n * cos_n]
        matrix_n22 = torch.stack(rows, dim=1).view(count, 2, 2)
        slack_n2 = (1 - 1 / zoom_n).abs().unsqueeze(1)
        shift_n21 = (slack_n2 * (2 * torch.rand(count, 2) - 1)).unsqueeze(2)
        return torch.cat([matrix_n22, shift_n21], dim=2)

    @property
    def _still(self) -> bool:
        return tuple(self.scale) == (1, 1) and not (self.rotate or self.flip or self.flip_vertical)

    @cached_property
    def _effects(self) -> list[nn.Module]:
        effects: list[nn.Module] = []
        if self.brightness or self.contrast or self.saturation or self.hue:
            effects.append(ColorJiggle(self.brightness, self.contrast, self.saturation, self.hue, p=1.0))
        if self.blur and self.blur_sigma:
            effects.append(RandomGaussianBlur((7, 7), (0.1, max(self.blur_sigma, 0.1)), p=self.blur))
        return effects

    def _add_noise(self, images_nchw: Tensor) -> Tensor:
        if self.grey:
            grey_n = (torch.rand(len(images_nchw)) < self.grey).to(images_nchw.device).view(-1, 1, 1, 1)
            images_nchw = torch.where(grey_n, images_nchw.mean(dim=1, keepdim=True), images_nchw)
        if not self.noise:
            return images_nchw
        sigma_n = (self.noise * torch.rand(len(images_nchw))).to(images_nchw).view(-1, 1, 1, 1)
        return images_nchw + sigma_n * torch.randn(images_nchw.shape, device=images_nchw.device)


def _check(name: str, got: float, least: float, most: float) -> None:
    if not least <= got <= most:
        raise ConfigError(f"augmentation.{name} is out of range", got=got, expected=f"{least} to {most}")
