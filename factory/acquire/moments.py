"""What several answers to one question come to: averages over them, streamed, so that no answer is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from factory.segment.chance import LN_2, exponents

Map = npt.NDArray[np.float32]
SQUARES, VOTES = "squares", "votes"
"""Averages that are only taken where an uncertainty asks for them."""


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Averages over all answers for one picture, each of which gives every pixel K class probabilities.

    ``mean_khw`` are the probabilities, ``entropy_hw`` the answers' entropies in nats, ``squares_hw`` their sums of
    squared probabilities, ``votes_khw`` the shares of answers by their likeliest class; the last two if asked for.
    ``label_hw`` is what the data set says now, class ids or ignore, where it says anything of the picture.
    """

    mean_khw: Map
    entropy_hw: Map
    squares_hw: Map | None = None
    votes_khw: Map | None = None
    label_hw: npt.NDArray[np.uint8] | None = None

    @staticmethod
    def of_channels(maps_chw: Map, extras: Collection[str]) -> Moments:
        """From `Tally.channels` of one picture."""
        left = len(maps_chw) - 1 - (SQUARES in extras)
        classes = left // 2 if VOTES in extras else left
        return Moments(
            mean_khw=maps_chw[:classes],
            entropy_hw=maps_chw[classes],
            squares_hw=maps_chw[classes + 1] if SQUARES in extras else None,
            votes_khw=maps_chw[-classes:] if VOTES in extras else None,
        )


class Tally:
    """Adds answers up: memory does not grow with their number."""

    def __init__(self, extras: Collection[str]) -> None:
        self.extras, self.count = extras, 0
        self._strips: list[dict[str, Tensor]] = []

    def add(self, strips: Iterable[Tensor]) -> None:
        """One more answer, as logits or log-probabilities (N, K, rows, W), in the same strips from top to bottom."""
        self.add_exponents(map(exponents, strips))

    def add_exponents(self, strips: Iterable[Tensor]) -> None:
        """One more answer in such strips as z, where probabilities are 2^z over their sum.

        No pixel's largest z is much above 0 or under -120. Powers of 2 take a third of the time of powers of e.
        """
        for number, exponents_nkhw in enumerate(strips):
            if not self.count:
                self._strips.append(self._nothing(exponents_nkhw))
            self._add(self._strips[number], exponents_nkhw)
        self.count += 1

    def channels(self) -> Tensor:
        """All averages as channels of one map (N, C, H, W), which tiles may blend; see `Moments.of_channels`."""
        return torch.cat([torch.cat(list(sums.values()), dim=1) for sums in self._strips], dim=2) / self.count

    def _nothing(self, logs_nkhw: Tensor) -> dict[str, Tensor]:
        of_classes, of_all = torch.zeros_like(logs_nkhw), torch.zeros_like(logs_nkhw[:, :1])
        sums = {"mean": of_classes, "doubt": of_all}
        sums |= {SQUARES: of_all.clone()} if SQUARES in self.extras else {}
        return sums | ({VOTES: of_classes.clone()} if VOTES in self.extras else {})

    def _add(self, sums: dict[str, Tensor], exponents_nkhw: Tensor) -> None:
        """The entropy is ln n - ln 2 * sum(p z), n being the sum of all 2^z."""
        found_nkhw = torch.exp2(exponents_nkhw)
        total_n1hw = found_nkhw.sum(dim=1, keepdim=True)
        sums["mean"].add_(found_nkhw.mul_(total_n1hw.reciprocal()))
        if VOTES in self.extras:
            chosen_n1hw = found_nkhw.argmax(dim=1, keepdim=True)
            sums[VOTES].scatter_add_(1, chosen_n1hw, torch.ones_like(chosen_n1hw, dtype=found_nkhw.dtype))
        if SQUARES in self.extras:
            sums[SQUARES].add_(found_nkhw.square().sum(dim=1, keepdim=True))
        weighed_n1hw = found_nkhw.mul_(exponents_nkhw).sum(dim=1, keepdim=True)
        sums["doubt"].add_(total_n1hw.log_()).sub_(weighed_n1hw, alpha=LN_2)
