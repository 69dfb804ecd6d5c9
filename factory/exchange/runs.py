"""Run lengths of a binary map, row by row, as CVAT counts them: the first run is of zeros and may be empty."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from factory.core.errors import InputError


def encode(region_hw: npt.NDArray[np.bool_]) -> list[int]:
    """Alternating run lengths of zeros and ones; they add up to height x width."""
    flat = region_hw.ravel()
    if not flat.size:
        return []
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate(([0], turns, [flat.size])))
    return [*([0] if flat[0] else []), *runs.tolist()]


def decode(runs: list[int], size_hw: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """The map of ``size_hw`` the runs describe; `InputError` unless they fill it exactly."""
    total = size_hw[0] * size_hw[1]
    if sum(runs) != total or min(runs, default=0) < 0:
        got = f"{sum(runs)} pixels in {len(runs)} runs"
        raise InputError("the runs of a mask do not fill its box", got=got, expected=f"{total} pixels")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(size_hw)
