"""What every refiner asks of a picture and its scores before it starts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from factory.core.errors import ConfigError, InputError

MOST = 1e9
"""Of any setting: numbers overflow where it is much larger."""

CURE = "see what made the scores: a labeler's settings, or a model whose training diverged"


def check_scores(image_hwc: npt.NDArray[np.uint8], scores_khw: npt.NDArray[np.float32]) -> None:
    """`InputError` unless there is a number of at least 0 for every class and pixel of the picture."""
    if scores_khw.ndim != 3 or scores_khw.shape[1:] != image_hwc.shape[:2] or not scores_khw.size:
        raise InputError(
            "scores do not fit the picture",
            where="refiner",
            got=f"scores of shape {scores_khw.shape}",
            expected=f"(classes, {image_hwc.shape[0]}, {image_hwc.shape[1]})",
            todo=CURE,
        )
    lowest, total = scores_khw.min(), scores_khw.sum(dtype=np.float64)
    if not (np.isfinite(total) and lowest >= 0):
        bad_khw = ~(np.isfinite(scores_khw) & (scores_khw >= 0))
        class_id, row, column = (int(i[0]) for i in np.nonzero(bad_khw))
        raise InputError(
            "scores are not probabilities",
            where=f"refiner: {bad_khw.any(axis=0).sum()} pixels, first at row {row}, column {column}, class {class_id}",
            got=scores_khw[class_id, row, column],
            expected="numbers from 0 to 1",
            todo=CURE,
        )


def check_positive(part: object, *names: str) -> None:
    """`ConfigError` for the first named field that is not above 0, or beyond all use."""
    for name in names:
        if not 0 < getattr(part, name) <= MOST:
            raise ConfigError(f"refiner.{name} must be positive", got=getattr(part, name), expected=f"up to {MOST:g}")


def check_count(part: object, *names: str) -> None:
    """`ConfigError` for the first named field that is below 0."""
    for name in names:
        if getattr(part, name) < 0:
            raise ConfigError(f"refiner.{name} must not be negative", got=getattr(part, name))
