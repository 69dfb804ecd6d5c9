"""How far confidence can be trusted: the share of right pixels at each confidence, its error, and maps that cure it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression, minimize_scalar

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.measure.iou import Ids

LEVELS = 256
"""Confidences are told apart as finely as maps store them: probability times 255."""

EDGE = 0.5 / (LEVELS - 1)
"""Probabilities are kept this far from 0 and 1 where their odds are taken: half a level."""

Levels = npt.NDArray[np.float64]


@dataclass
class Reliability:
    """Pixels by their confidence (256 levels): how many, and how many of them right. Ignored pixels never count."""

    pixels_l: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(LEVELS, np.int64))
    right_l: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(LEVELS, np.int64))

    def add(self, truth: Ids, guess: Ids, confidence: npt.NDArray[np.floating]) -> None:
        """Count one picture; confidence lies in 0 to 1, guesses of the ignore index do not count either."""
        counted = (np.asarray(truth) != IGNORE) & (np.asarray(guess) != IGNORE)
        levels = level_of(confidence[counted])
        self.pixels_l += np.bincount(levels, minlength=LEVELS)
        self.right_l += np.bincount(levels[truth[counted] == guess[counted]], minlength=LEVELS)

    def __add__(self, other: Reliability) -> Reliability:
        """The pixels of both."""
        return Reliability(self.pixels_l + other.pixels_l, self.right_l + other.right_l)

    def as_json(self) -> dict[str, list[int]]:
        """The counts by level; `of_json` takes them back."""
        return {"pixels": self.pixels_l.tolist(), "right": self.right_l.tolist()}

    @staticmethod
    def of_json(stated: Mapping[str, Sequence[int]]) -> Reliability:
        """From `as_json`."""
        return Reliability(*(np.array(stated[name], np.int64) for name in ("pixels", "right")))

    def mapped(self, curve_l: Levels) -> Reliability:
        """The same pixels with their confidences replaced: ``curve_l`` holds a probability for each level."""
        to = level_of(curve_l)
        pixels_l = np.bincount(to, self.pixels_l, LEVELS).astype(np.int64)
        return Reliability(pixels_l, np.bincount(to, self.right_l, LEVELS).astype(np.int64))

    def ece(self, bins: int = 15) -> float:
        """Expected calibration error with bins of equal width (Guo et al. 2017, equation 3); NaN before any pixel."""
        _, right, stated = self.binned(bins)
        total = self.pixels_l.sum()
        return float(np.abs(right - stated).sum() / total) if total else float("nan")

    def binned(self, bins: int = 15) -> tuple[Levels, Levels, Levels]:
        """By bins of confidence of equal width: pixels, how many of them are right, and how many should be."""
        of_bin = np.minimum((np.arange(LEVELS) / (LEVELS - 1) * bins).astype(int), bins - 1)
        stated_l = self.pixels_l * np.arange(LEVELS) / (LEVELS - 1)
        pixels, right = (np.bincount(of_bin, by_l, bins).astype(np.float64) for by_l in (self.pixels_l, self.right_l))
        return pixels, right, np.bincount(of_bin, stated_l, bins).astype(np.float64)

    def risks(self) -> tuple[Levels, Levels]:
        """Shares of the pixels, surest first, and the share of wrong ones among these (El-Yaniv & Wiener 2010).

        One point a level that has pixels; none before any pixel.
        """
        pixels, wrong = self.pixels_l[::-1], (self.pixels_l - self.right_l)[::-1]
        seen, missed = np.cumsum(pixels[pixels > 0]), np.cumsum(wrong[pixels > 0])
        return seen / max(int(pixels.sum()), 1), missed / seen

    def aurc(self) -> float:
        """Area under the curve of `risks` (Geifman et al. 2019); NaN before any pixel.

        Pixels of one level are taken in random order, whose expected curve is integrated exactly.
        """
        if not self.pixels_l.any():
            return float("nan")
        share, risk = self.risks()
        before, wrong = np.append(0.0, share[:-1]), np.append(0.0, share * risk)
        rate = np.diff(wrong) / (share - before)
        with np.errstate(divide="ignore", invalid="ignore"):
            bend = (wrong[:-1] - rate * before) * np.log(share / before)
        return float((rate * (share - before) + np.where(before > 0, bend, 0)).sum())

    def ause(self) -> float:
        """What `aurc` exceeds that of an oracle by, which is unsure of the wrong pixels alone; NaN before any pixel.

        The area under the sparsification error curve (Ilg et al. 2018) for the error that is 1 where a pixel is wrong.
        """
        total = self.pixels_l.sum()
        accuracy = self.right_l.sum() / total if total else float("nan")
        least = 1 - accuracy + (accuracy * np.log(accuracy) if accuracy else 0.0)
        return self.aurc() - float(least)


def level_of(confidence: npt.NDArray[np.floating]) -> npt.NDArray[np.intp]:
    """The level of each confidence."""
    levels: npt.NDArray[np.intp] = np.rint(np.clip(confidence, 0, 1) * (LEVELS - 1)).astype(np.intp)
    return levels


@dataclass(frozen=True, kw_only=True)
class Isotonic:
    """The non-decreasing curve nearest to what was seen (Zadrozny & Elkan 2002), by pool-adjacent-violators.

    Each level is drawn to its own confidence by ``prior`` imagined pixels, so that levels hardly seen stay sane.
    """

    prior: float

    def __post_init__(self) -> None:
        if self.prior <= 0:
            raise ConfigError("calibration.prior must be positive", got=self.prior)

    def __call__(self, seen: Reliability) -> Levels:
        """A probability for each level."""
        weight_l = seen.pixels_l + self.prior
        share_l = (seen.right_l + self.prior * np.arange(LEVELS) / (LEVELS - 1)) / weight_l
        curve_l: Levels = isotonic_regression(share_l, weights=weight_l).x
        return curve_l


@dataclass(frozen=True, kw_only=True)
class Temperature:
    """One number that divides the log-odds of the confidence, of greatest likelihood (Guo et al. 2017, section 4.2)."""

    def __call__(self, seen: Reliability) -> Levels:
        """A probability for each level."""
        odds_l = _logit(np.arange(LEVELS) / (LEVELS - 1))

        def loss(log_temperature: float) -> float:
            probability_l = _sigmoid(odds_l / np.exp(log_temperature))
            wrong_l = seen.pixels_l - seen.right_l
            return -float(seen.right_l @ np.log(probability_l) + wrong_l @ np.log1p(-probability_l))

        found = minimize_scalar(loss, bounds=(-4, 4), method="bounded").x if seen.pixels_l.any() else 0.0
        return _sigmoid(odds_l / np.exp(found))


@dataclass(frozen=True, kw_only=True)
class AsStated:
    """Confidence is taken at its word."""

    def __call__(self, seen: Reliability) -> Levels:  # noqa: ARG002
        """Each level's own confidence."""
        return np.arange(LEVELS) / (LEVELS - 1)


def _logit(probability: Levels) -> Levels:
    inner = np.clip(probability, EDGE, 1 - EDGE)
    odds: Levels = np.log(inner) - np.log1p(-inner)
    return odds


def _sigmoid(odds: Levels) -> Levels:
    probability: Levels = 1 / (1 + np.exp(-odds))
    return np.clip(probability, 1e-9, 1 - 1e-9)
