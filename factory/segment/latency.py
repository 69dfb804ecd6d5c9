"""How long a segmenter takes for one picture: for people who choose, never for artefacts, which hold no time."""

from __future__ import annotations

import statistics
import time

import torch
from torch import Tensor

from factory.core.words import many
from factory.segment.models import Segmenter
from factory.segment.predict import ready

WARM, REPEATS = 2, 10


def describe(model: Segmenter, size_hw: tuple[int, int]) -> str:
    """One line on a model: architecture, encoder, weights, and milliseconds a picture where it lies.

    The median of `REPEATS` single pictures of ``size_hw`` (height, width), predicted as `Predictor` does it.
    """
    spec = model.spec
    count = sum(one.numel() for one in model.parameters())
    milliseconds = 1000 * seconds(model, size_hw)
    return (
        f"{spec.architecture} on {spec.encoder}: {count / 1e6:.1f} M weights, "
        f"{milliseconds:.{0 if milliseconds >= 10 else 1}f} ms a picture of {size_hw[0]}×{size_hw[1]} "
        f"on {_machine(_device(model))}, median of {REPEATS}"
    )


def seconds(model: Segmenter, size_hw: tuple[int, int]) -> float:
    """Median time of one picture, after `WARM` others."""
    network, image_nchw = ready(model), torch.full((1, 3, *size_hw), 0.5, device=_device(model))
    with torch.inference_mode():
        return statistics.median([_timed(network, image_nchw) for _ in range(WARM + REPEATS)][WARM:])


def _timed(model: Segmenter, image_nchw: Tensor) -> float:
    _finish(image_nchw.device)
    start = time.perf_counter()
    model(image_nchw)
    _finish(image_nchw.device)
    return time.perf_counter() - start


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _device(model: Segmenter) -> torch.device:
    return next(model.parameters()).device


def _machine(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"this CPU ({many(threads, 'thread')})"
