"""What several answers to one question come to: averages over them, streamed, so that no answer is kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

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
        self._sums: dict[str, Tensor] = {}

    def add(self, logs_nkhw: Tensor) -> None:
        """One more answer, as logits or log-probabilities (N, K, H, W)."""
        if not self.count:
            self._sums = {name: torch.zeros_like(logs_nkhw) for name in ("mean", "doubt", *self.extras)}
            self._sums |= {name: torch.empty_like(logs_nkhw) for name in ("logs", "found")}
        sums = self._sums
        logs_nkhw = torch.log_softmax(logs_nkhw, dim=1, out=sums["logs"])
        found_nkhw = torch.exp(logs_nkhw, out=sums["found"])
        sums["mean"] += found_nkhw
        sums["doubt"].addcmul_(logs_nkhw, found_nkhw, value=-1)
        if SQUARES in self.extras:
            sums[SQUARES].addcmul_(found_nkhw, found_nkhw)
        if VOTES in self.extras:
            chosen_n1hw = logs_nkhw.argmax(dim=1, keepdim=True)
            sums[VOTES].scatter_add_(1, chosen_n1hw, torch.ones_like(chosen_n1hw, dtype=logs_nkhw.dtype))
        self.count += 1

    def channels(self) -> Tensor:
        """All averages as channels of one map (N, C, H, W), which tiles may blend; see `Moments.of_channels`."""
        sums = self._sums
        parts = [sums["mean"], sums["doubt"].sum(dim=1, keepdim=True)]
        parts += [sums[SQUARES].sum(dim=1, keepdim=True)] if SQUARES in self.extras else []
        parts += [sums[VOTES]] if VOTES in self.extras else []
        return torch.cat(parts, dim=1) / self.count
