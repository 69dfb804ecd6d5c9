"""Regions with their figures: what may be queued, before any choice."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from skimage.measure import label

from factory.core.borders import borders_within
from factory.core.classes import ClassList
from factory.measure.cost import Cost

LEAST = 1e-30
"""Weights that add up to less than this have lost digits."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One region of one image.

    ``place`` is (picture, x, y): where the image's corner lies in the picture it was cut from, so that two tiles that
    show the same spot can be told. ``box`` is (x0, y0, x1, y1) within the image, ends exclusive. ``probabilities`` and
    ``scores`` are means over the region. What it takes to answer, going by the prediction: ``border`` pixels between
    classes within it, ``clicks`` one for each connected part of a class, ``seconds`` once its image is open, which
    takes ``opening``. ``embedding`` is what it looks like to the model, a direction (see `factory.acquire.embeddings`).
    """

    sample_id: str
    place: tuple[str, int, int]
    region: int
    box: tuple[int, int, int, int]
    pixels: int
    probabilities: tuple[float, ...]
    score: float
    scores: dict[str, float]
    border: int = 0
    clicks: int = 1
    seconds: float = 0.0
    opening: float = 0.0
    embedding: npt.NDArray[np.float32] | None = field(default=None, compare=False, repr=False)

    def box_in_picture(self) -> tuple[int, int, int, int]:
        """The box in the coordinates of the whole picture."""
        _, x, y = self.place
        return (self.box[0] + x, self.box[1] + y, self.box[2] + x, self.box[3] + y)


def describe(
    sample_id: str,
    place: tuple[str, int, int],
    regions_hw: npt.NDArray[np.intp],
    askable_hw: npt.NDArray[np.bool_],
    probability_khw: npt.NDArray[np.float32],
    score_hw: npt.NDArray[np.float32],
    maps: dict[str, npt.NDArray[np.float32]],
    cost: Cost,
    temperature: float | None = None,
) -> list[Candidate]:
    """Every region with at least half its pixels askable; means are over the whole region, but for the score.

    That is over the pixels whose score is a number (0 if none is): their mean, or with a ``temperature`` the mean
    weighed by softmax(score / temperature), in which the highest count most.
    """
    count = int(regions_hw.max(initial=0))
    numbers = np.arange(1, count + 1)
    pixels = np.bincount(regions_hw.ravel(), minlength=count + 1)[1:]
    askable = np.bincount(regions_hw[askable_hw], minlength=count + 1)[1:]

    def means(values_hw: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        return np.asarray(ndimage.mean(np.nan_to_num(values_hw), regions_hw, numbers))

    probability_kr = [means(channel_hw) for channel_hw in probability_khw]
    score_r = pooled(score_hw, regions_hw, pixels, temperature)
    named = {name: means(values_hw) for name, values_hw in maps.items()}
    boxes = ndimage.find_objects(regions_hw, count)
    predicted_hw = probability_khw.argmax(axis=0).astype(np.uint8)
    border_r, parts_r = borders_within(predicted_hw, regions_hw, count + 1)[1:], _parts(predicted_hw, regions_hw, count)
    return [
        Candidate(
            sample_id=sample_id,
            place=place,
            region=int(number),
            box=(box[1].start, box[0].start, box[1].stop, box[0].stop),
            pixels=int(pixels[i]),
            probabilities=tuple(round(float(channel[i]), 6) for channel in probability_kr),
            score=float(score_r[i]),
            scores={name: round(float(values[i]), 6) for name, values in named.items()},
            border=int(border_r[i]),
            clicks=int(parts_r[i]),
            seconds=cost.seconds(int(border_r[i])),
            opening=cost.image,
        )
        for i, (number, box) in enumerate(zip(numbers, boxes, strict=True))
        if box is not None and 2 * askable[i] >= pixels[i]
    ]


def pooled(
    score_hw: npt.NDArray[np.float32],
    regions_hw: npt.NDArray[np.intp],
    pixels_r: npt.NDArray[np.intp],
    temperature: float | None,
) -> npt.NDArray[np.float64]:
    """A score for each region, numbered from 1, of so many pixels; see `describe`."""
    regions, score = regions_hw.reshape(-1), score_hw.reshape(-1)
    if temperature is not None and pixels_r.tolist() == [len(score)]:  # a picture as one region
        whole = _soft_maximum(score, temperature)
        if math.isfinite(whole):
            return np.array([whole])
    known = ~np.isnan(score)
    regions, score = regions[known], score[known]
    if temperature is None:
        weight = np.ones_like(score)
    else:
        highest_r = np.full(len(pixels_r) + 1, -np.inf, np.float32)
        np.maximum.at(highest_r, regions, score)
        weight = np.exp((score - highest_r[regions]) / np.float32(temperature))
    sums, weights = (np.bincount(regions, w, minlength=len(pixels_r) + 1)[1:] for w in (score * weight, weight))
    return np.asarray(sums / np.where(weights > 0, weights, 1))


def _soft_maximum(score: npt.NDArray[np.float32], temperature: float) -> float:
    """Scores weighed by e^(score / temperature), averaged; no number where one is none or weights leave the floats.

    Powers of two take a third of exp's time. A dot product would be quicker, but loses a digit: it has few sums.
    """
    score_p = torch.from_numpy(score)
    weight_p = torch.mul(score_p, 1 / (temperature * math.log(2))).exp2_()
    total = float(weight_p.sum())
    return float(weight_p.mul_(score_p).sum()) / total if total > LEAST else math.nan


def _parts(predicted_hw: npt.NDArray[np.uint8], regions_hw: npt.NDArray[np.intp], count: int) -> npt.NDArray[np.intp]:
    """Connected parts of one predicted class in each region."""
    pairs_hw = regions_hw * 256 + predicted_hw
    numbers_hw = np.asarray(label(pairs_hw + 1, connectivity=1, background=0), np.intp)  # type: ignore[no-untyped-call]
    first = np.unique(numbers_hw, return_index=True)[1]
    return np.bincount(regions_hw.ravel()[first], minlength=count + 1)[1:]


def ranked(candidate: Candidate) -> list[int]:
    """Class ids, the likeliest first; of equally likely ones the lowest, which is the class that is predicted."""
    return sorted(range(len(candidate.probabilities)), key=lambda class_id: -candidate.probabilities[class_id])


def reason(candidate: Candidate, classes: ClassList) -> str:
    """One sentence for the annotator: between which classes the model wavers, and how much."""
    said = [f"{classes.names[i]} ({candidate.probabilities[i]:.0%})" for i in ranked(candidate)[:2]]
    doubt = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in candidate.scores.items())
    return (
        f"the model wavers between {' and '.join(said)}: {doubt} nats" if len(said) > 1 else f"{said[0]}: {doubt} nats"
    )
