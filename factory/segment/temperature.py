"""How sure a segmenter may be: its logits are divided by the one number that suits pictures it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.core.photographs import shuffled
from factory.core.sample import Origin
from factory.core.seeds import generator
from factory.segment.data import CLASS, SOURCE, Row, decode
from factory.segment.predict import Predictor

PIXELS = 2000
"""Known pixels of a picture that count, at most."""
LEAST = 100
"""Known pixels below which no temperature is worth setting."""
FLOOR = np.finfo(np.float32).smallest_subnormal
"""What stands for a probability of 0: a higher one would make a model that is far too sure look less so."""
BOUNDS = (-5.0, 5.0)
"""Of the temperature's logarithm."""
WHOLE = 0.5
"""Share of a picture's pixels that people named above which they were not asked about the doubtful ones alone."""


def parted(rows: Sequence[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """The rows to learn from, and ``share`` of them, drawn by the seed, to keep aside; both in their order.

    A photograph's tiles are on one side, and one photograph at least is learnt from.
    """
    if not 0 <= share < 1:
        raise ConfigError("aside is a share of the pictures, below 1", where="train.aside", got=share)
    aside: set[str] = set()
    for ids in shuffled({row.sample.id: row.sample.photograph for row in rows}, seed, "aside")[:-1]:
        if len(aside) < round(share * len(rows)):
            aside.update(ids)
    return [row for row in rows if row.sample.id not in aside], [row for row in rows if row.sample.id in aside]


def fitted(predictor: Predictor, rows: Sequence[Row], seed: int) -> float | None:
    """The temperature of greatest likelihood (Guo et al. 2017, section 4.2) on the known pixels of pictures kept aside.

    Known are pixels that are exact or that people named without being asked; where those are too few, answers to
    questions too, which are asked about what is doubtful: on them a model looks less sure than it may be elsewhere;
    then a labeler's as well. None where even those are too few.
    """
    for choice in range(3):
        known = [_known(predictor, row, seed, choice) for row in rows]
        if sum(len(ids_n) for _, ids_n in known) >= LEAST:
            break
    else:
        return None
    logs_nk, ids_n = (np.concatenate(parts) for parts in zip(*known, strict=True))

    def loss(log_temperature: float) -> float:
        scaled_nk = logs_nk / np.exp(log_temperature)
        right_n = np.take_along_axis(scaled_nk, ids_n[:, None], axis=1)[:, 0]
        return float((logsumexp(scaled_nk, axis=1) - right_n).mean())

    return float(np.exp(minimize_scalar(loss, bounds=BOUNDS, method="bounded").x))


def _choices(source_hw: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.bool_], ...]:
    """Pixels that may count by their origin: the first choice, the second, the third."""
    human_hw = np.equal(source_hw, Origin.HUMAN)
    unasked_hw = np.isin(source_hw, (Origin.EXACT, Origin.HINT)) | (human_hw & (human_hw.mean() > WHOLE))
    return unasked_hw, unasked_hw | human_hw, np.not_equal(source_hw, Origin.NONE)


def _known(
    predictor: Predictor, row: Row, seed: int, choice: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
    """Log-probabilities (N, K) and class ids of some of a picture's known pixels."""
    image_hwc, label_hwc = decode(row, predictor.working.of((row.sample.height, row.sample.width)))
    there_hw = (label_hwc[..., CLASS] != IGNORE) & _choices(label_hwc[..., SOURCE])[choice]
    rng = generator(seed, "temperature", row.sample.id)
    places = np.sort(rng.permutation(np.flatnonzero(there_hw))[:PIXELS])
    ids_n = label_hwc[..., CLASS].reshape(-1)[places].astype(np.intp)
    if not len(places):
        return np.empty((0, len(predictor.trained.classes)), np.float32), ids_n
    probability_khw = predictor(image_hwc)
    logs_nk = np.log(np.maximum(probability_khw.reshape(len(probability_khw), -1)[:, places].T, FLOOR))
    return logs_nk, ids_n
