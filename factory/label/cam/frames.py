"""Pictures of any size as one batch: reduced, framed alike, with a record of which cells are picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

Image8 = npt.NDArray[np.uint8]


class Frames(NamedTuple):
    """RGB in [0, 1], (N, 3, H, W), each at the top left of its frame; ``inside_nhw`` says which cells are picture."""

    images_nchw: Tensor
    inside_nhw: Tensor


def reduced(image_hwc: Image8, longest: int) -> Image8:
    """The picture with its longer side at most ``longest`` pixels (area averaging); smaller ones as they are."""
    height, width = image_hwc.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return image_hwc
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(image_hwc, size, interpolation=cv2.INTER_AREA), np.uint8)


def tensor(image_hwc: Image8) -> Tensor:
    """RGB in [0, 1], (3, H, W)."""
    return torch.from_numpy(image_hwc.copy()).permute(2, 0, 1).float() / 255


def framed(images: Sequence[Image8], stride: int) -> Frames:
    """The pictures in frames of the largest height and width, filled up by repeating their last row and column."""
    height, width = (max(image.shape[axis] for image in images) for axis in (0, 1))
    inside_nhw = torch.zeros(len(images), -(-height // stride), -(-width // stride), dtype=torch.bool)
    filled = []
    for row, image in enumerate(images):
        tall, wide = image.shape[:2]
        inside_nhw[row, : -(-tall // stride), : -(-wide // stride)] = True
        padding = (0, width - wide, 0, height - tall)
        filled.append(functional.pad(tensor(image)[None], padding, mode="replicate"))
    return Frames(torch.cat(filled), inside_nhw)
