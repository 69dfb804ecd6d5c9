"""Boxes: nothing outside them, an object within that reaches every side, and colours that tell the two apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from factory.core.errors import ConfigError
from factory.core.picture import Picture
from factory.label import Scores, unknown
from factory.label.colours import WIDEST, ColourDensity
from factory.label.superpixel_graph import Floats, SuperpixelGraph, graph_of

FLOOR = 1e-6
Box = tuple[int, int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Boxes:
    """Colours of object and surroundings, learnt in turns from each other, as GrabCut begins (Rother et al. 2004).

    Outside all boxes is class ``background``, with probability ``outside``. Within a box the object is as likely as
    ``inside`` says at its middle and half as likely at its rim; the background's colours come from a frame around the
    box, as wide as ``frame`` of its sides. ``rounds`` of soft assignment follow, in which no superpixel's colours say
    more than ``most`` (logarithm of odds). A tight box is crossed by its object in every row and column (Lempitsky et
    al. 2009; Hsu et al. 2019): where no pixel of a line is as likely as ``tightness``, the line's odds are raised until
    one is. Where boxes overlap, the smaller one's object lies in front.
    """

    NEEDS: ClassVar[str] = "boxes"
    RANGES: ClassVar[dict[str, str]] = {
        "colour_sigma": "log:2:15",
        "inside": "float:0.5:0.95",
        "most": "float:1:6",
        "tightness": "float:0.3:0.9",
    }

    background: int
    area: int
    compactness: float
    colour_sigma: float
    inside: float
    outside: float
    frame: float
    most: float
    tightness: float
    rounds: int

    def __post_init__(self) -> None:
        for name in ("area", "compactness", "colour_sigma", "most", "frame"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"labeler.{name} must be positive", got=getattr(self, name))
        if self.colour_sigma > WIDEST:
            raise ConfigError("labeler.colour_sigma is too wide", got=self.colour_sigma, expected=f"up to {WIDEST:g}")
        for name in ("inside", "outside", "tightness"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"labeler.{name} is a probability between 0 and 1", got=getattr(self, name))
        if self.rounds < 0 or self.background < 0:
            got = f"rounds {self.rounds}, background {self.background}"
            raise ConfigError("labeler.rounds and background must not be negative", got=got)

    def __call__(self, given: Picture, classes: int) -> Scores:
        """See `factory.label.Labeler`. A picture without boxes is unknown everywhere."""
        if not given.hints.boxes:
            return unknown(given, classes)
        if self.background >= classes:
            raise ConfigError(
                "no such class", where="labeler.background", got=self.background, expected=f"below {classes}"
            )
        graph = graph_of(given.image, area=self.area, compactness=self.compactness)
        scores_khw = np.full((classes, *given.size_hw), (1 - self.outside) / max(classes - 1, 1), np.float32)
        scores_khw[self.background] = self.outside if classes > 1 else 1
        in_some_hw = np.zeros(given.size_hw, bool)
        for x0, y0, x1, y1, _ in given.hints.boxes:
            in_some_hw[y0:y1, x0:x1] = True
        for box in sorted(given.hints.boxes, key=lambda b: -(b[2] - b[0]) * (b[3] - b[1])):
            self._put(scores_khw, self._object(graph, box, in_some_hw), box)
        return scores_khw

    def _put(self, scores_khw: Scores, object_hw: Floats, box: Box) -> None:
        """Lay an object over what was decided behind it: with its probability it hides that."""
        x0, y0, x1, y1, class_id = box
        behind_khw = scores_khw[:, y0:y1, x0:x1]
        behind_khw *= 1 - object_hw
        behind_khw[class_id] += object_hw

    def _object(self, graph: SuperpixelGraph, box: Box, in_some_hw: np.ndarray) -> Floats:
        """The object's probability at each pixel of its box."""
        x0, y0, x1, y1, _ = box
        part_hw = graph.segments_hw[y0:y1, x0:x1]
        prior_hw = self._prior(y1 - y0, x1 - x0)
        mine_s = np.bincount(part_hw.ravel(), minlength=len(graph)).astype(float)
        prior_s = np.bincount(part_hw.ravel(), prior_hw.ravel(), len(graph)) / np.maximum(mine_s, 1)
        around_s = self._around(graph, box, in_some_hw)
        object_s = prior_s
        for _ in range(self.rounds if around_s.any() else 0):
            here = ColourDensity(graph.lab_sc, mine_s * object_s, self.colour_sigma)(graph.lab_sc)
            there = ColourDensity(graph.lab_sc, mine_s * (1 - object_s) + around_s, self.colour_sigma)(graph.lab_sc)
            odds_s = np.clip(np.log(here + FLOOR) - np.log(there + FLOOR), -self.most, self.most)
            object_s = _sigmoid(odds_s + _logit(np.clip(prior_s, FLOOR, 1 - FLOOR)))
        shift_s = _logit(np.clip(object_s, FLOOR, 1 - FLOOR)) - _logit(np.clip(prior_s, FLOOR, 1 - FLOOR))
        return self._tight(_sigmoid(shift_s[part_hw] + _logit(prior_hw)))

    def _prior(self, height: int, width: int) -> Floats:
        """Likely in the middle, half as likely at the rim."""
        down, across = (np.abs((np.arange(n) + 0.5) / n * 2 - 1) for n in (height, width))
        prior_hw: Floats = self.inside * (1 - 0.5 * np.maximum(down[:, None], across) ** 2)
        return prior_hw

    def _around(self, graph: SuperpixelGraph, box: Box, in_some_hw: np.ndarray) -> Floats:
        """Pixels of each superpixel in the frame around a box that lie in no box."""
        x0, y0, x1, y1, _ = box
        wide, tall = max(2, round(self.frame * (x1 - x0))), max(2, round(self.frame * (y1 - y0)))
        rows, columns = slice(max(y0 - tall, 0), y1 + tall), slice(max(x0 - wide, 0), x1 + wide)
        outside_hw = ~in_some_hw[rows, columns]
        return np.bincount(graph.segments_hw[rows, columns][outside_hw], minlength=len(graph)).astype(float)

    def _tight(self, object_hw: Floats) -> Floats:
        """Raise the odds along rows and columns that the object would not cross."""
        logits_hw = _logit(np.clip(object_hw, FLOOR, 1 - FLOOR))
        least = float(_logit(np.asarray(self.tightness)))
        lifts = [np.maximum(least - logits_hw.max(axis=axis, keepdims=True), 0) for axis in (0, 1)]
        return _sigmoid(logits_hw + np.maximum(*np.broadcast_arrays(*lifts)))


def _logit(probability: Floats) -> Floats:
    odds: Floats = np.log(probability) - np.log1p(-probability)
    return odds


def _sigmoid(logit: Floats) -> Floats:
    probability: Floats = 1 / (1 + np.exp(-logit))
    return probability
