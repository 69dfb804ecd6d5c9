"""Refiners that work on batches of tensors, and how they decide one picture."""

from __future__ import annotations

import functools
import multiprocessing
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from factory.core.errors import ConfigError
from factory.refine import Confidence, Mask
from factory.refine.checks import check_scores

FLOOR = 1e-6
"""Smallest probability taken: a score of 0 could not be overruled by any neighbour."""


class Posterior(Protocol):
    """Pictures (N, 3, H, W), grey levels 0-255, and scores (N, K, H, W) -> probabilities (N, K, H, W), float32.

    On the device of the scores; pictures of a batch do not see each other.
    """

    def __call__(self, images_nchw: Tensor, scores_nkhw: Tensor) -> Tensor:
        """Probabilities that sum to 1 over the classes."""


def decide(
    posterior: Posterior, image_hwc: npt.NDArray[np.uint8], scores_khw: npt.NDArray[np.float32]
) -> tuple[Mask, Confidence]:
    """One picture's mask and confidence, on the best device there is.

    `ConfigError` where settings make numbers overflow.
    """
    check_scores(image_hwc, scores_khw)
    device = best_device()
    with torch.inference_mode():
        images_nchw = _tensor(image_hwc).to(device).permute(2, 0, 1).unsqueeze(0)
        scores_nkhw = _tensor(scores_khw).to(device, torch.float32).unsqueeze(0)
        confidence_hw, mask_hw = posterior(images_nchw, scores_nkhw)[0].max(dim=0)
        if not confidence_hw.isfinite().all():
            todo = "take settings nearer to those that factory label --help shows"
            raise ConfigError("the refiner's numbers overflow", where="refiner", todo=todo)
        confidence_hw.clamp_(0, 1)
    return mask_hw.to(torch.uint8).cpu().numpy(), confidence_hw.cpu().numpy()


def _tensor(array: npt.NDArray[np.generic]) -> Tensor:
    """Not copied where torch can be sure of the memory: refiners change nothing that they are given."""
    return torch.from_numpy(array) if array.flags.writeable else torch.tensor(array)


def normalised(values_nkhw: Tensor) -> Tensor:
    """Divided in place by their sum over the classes."""
    return values_nkhw.div_(values_nkhw.sum(dim=1, keepdim=True))


@functools.cache
def best_device() -> torch.device:
    """The first CUDA device where there is one, but the CPU in a worker process: workers would fight over it."""
    alone = multiprocessing.parent_process() is None
    return torch.device("cuda", 0) if alone and torch.cuda.is_available() else torch.device("cpu")
