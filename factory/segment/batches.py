"""Batch ``k`` is a pure function of ``(seed, k)``: which pictures, in which order, cut where.

Nothing about the order of samples is ever stored: to go on after step k, ask for batch k.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError, TrainingError
from factory.core.sample import Split
from factory.core.seeds import generator
from factory.segment.cache import PixelCache
from factory.segment.data import CLASS, PADDING, SOURCE, Pixels, Size
from factory.segment.rare import RareClasses

TRIES = 10
"""Crops looked at for one that shows the class a picture was drawn for (as many as DAFormer's)."""


class Batch(NamedTuple):
    """8-bit RGB (N, 3, H, W) and 8-bit labels (N, 3, H, W: class, confidence, source), with the ids of the samples."""

    images_nchw: Tensor
    labels_nchw: Tensor
    ids: tuple[str, ...]


class Pick(NamedTuple):
    """A picture of a source, and the class it was drawn for, if for any."""

    source: str
    row: int
    wanted: int | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingBatches:
    """Batches drawn from ``sources`` ({name: cache}), each source shuffled anew at each of its epochs.

    ``shares`` says which part of the pictures each source supplies (they add up to 1): in any run of batches the count
    is off by one picture at most, of three sources by less than two. ``rare`` draws some of them for a class they
    show, instead of in turn. Pictures are cut at random to ``crop_hw``; smaller ones are padded
    with ignore, which no teacher labels.
    """

    sources: Mapping[str, PixelCache]
    shares: Mapping[str, float]
    batch: int
    crop_hw: Size
    seed: int
    rare: RareClasses | None = None

    def __post_init__(self) -> None:
        if self.sources.keys() != self.shares.keys() or abs(sum(self.shares.values()) - 1) > 1e-9:
            raise ConfigError("shares must add up to 1, one a source", got=dict(self.shares))
        for cache in self.sources.values():
            if strays := [row.sample.id for row in cache.rows if row.sample.split != Split.TRAIN]:
                raise TrainingError("only rows of the train split may be trained on", where=", ".join(strays[:5]))

    def __getitem__(self, step: int) -> Batch:
        """The batch of one optimisation step, counted from 0."""
        picked = self.picks(step)
        rng = generator(self.seed, "crop", step)
        framed = [_frame(self.sources[pick.source][pick.row], self.crop_hw, rng, pick.wanted) for pick in picked]
        return stack(framed, [self.sources[pick.source].rows[pick.row].sample.id for pick in picked])

    def counts(self, classes: int) -> npt.NDArray[np.float32]:
        """Labelled pixels of each class in all sources, (K,)."""
        total_k = np.zeros(classes, np.float32)
        for cache in self.sources.values():
            total_k += cache.counts_nk[:, :classes].sum(axis=0)
        return total_k

    def picks(self, step: int) -> list[Pick]:
        """What the batch of a step shows."""
        ranges = zip(self.shares, self._supplied(step), self._supplied(step + 1), strict=True)
        return [self._pick(name, position) for name, first, stop in ranges for position in range(first, stop)]

    def _supplied(self, step: int) -> list[int]:
        """Pictures each source has supplied in all batches before ``step``: its part of what those before it leave.

        So no count ever falls, which the differences of rounded sums do.
        """
        counts, left, rest = [], step * self.batch, 1.0
        for share in self.shares.values():
            counts.append(round(left * share / rest))
            left, rest = left - counts[-1], rest - share
        return counts

    def _pick(self, name: str, position: int) -> Pick:
        cache = self.sources[name]
        if self.rare and (found := self.rare(cache.counts_nk, generator(self.seed, "rare", name, position))):
            return Pick(name, *found)
        epoch, place = divmod(position, len(cache))
        return Pick(name, int(_order(self.seed, name, epoch, len(cache))[place]))


def validation_batches(cache: PixelCache, batch: int, tile_hw: Size) -> Iterator[Batch]:
    """Every picture once and uncut, in order; neighbours of equal size share a batch, of at most as many pictures as
    have no more pixels than ``batch`` tiles.
    """
    held: list[int] = []
    for index, (height, width) in enumerate(cache.shapes):
        most = min(batch, batch * tile_hw[0] * tile_hw[1] // (height * width))
        if held and (len(held) >= most or cache.shapes[held[0]] != (height, width)):
            yield stack([cache[i] for i in held], [cache.rows[i].sample.id for i in held])
            held = []
        held.append(index)
    if held:
        yield stack([cache[i] for i in held], [cache.rows[i].sample.id for i in held])


def stack(pixels: Sequence[Pixels], ids: Sequence[str]) -> Batch:
    """Pictures of equal size as one batch, channels last in memory."""
    images_nhwc = torch.from_numpy(np.stack([one.image_hwc for one in pixels]))
    labels_nhwc = torch.from_numpy(np.stack([one.label_hwc for one in pixels]))
    return Batch(images_nhwc.permute(0, 3, 1, 2), labels_nhwc.permute(0, 3, 1, 2), tuple(ids))


@functools.lru_cache(maxsize=8)
def _order(seed: int, name: str, epoch: int, length: int) -> npt.NDArray[np.int64]:
    return generator(seed, "order", name, epoch).permutation(length)


def _frame(pixels: Pixels, crop_hw: Size, rng: np.random.Generator, wanted: int | None) -> Pixels:
    height, width = pixels.label_hwc.shape[:2]
    for _ in range(1 if wanted is None else TRIES):
        top, left = (
            int(rng.integers(max(have - want, 0) + 1)) for have, want in zip((height, width), crop_hw, strict=True)
        )
        window = (slice(top, top + crop_hw[0]), slice(left, left + crop_hw[1]))
        if wanted is None or (pixels.label_hwc[window][..., CLASS] == wanted).any():
            break
    image_hwc, label_hwc = pixels.image_hwc[window], pixels.label_hwc[window]
    below, right = crop_hw[0] - label_hwc.shape[0], crop_hw[1] - label_hwc.shape[1]
    if below or right:
        image_hwc = np.pad(image_hwc, ((0, below), (0, right), (0, 0)), mode="edge")
        label_hwc = np.pad(label_hwc, ((0, below), (0, right), (0, 0)))
        for margin_hwc in (label_hwc[height:], label_hwc[:, width:]):
            margin_hwc[..., CLASS], margin_hwc[..., SOURCE] = IGNORE, PADDING
    return Pixels(image_hwc, label_hwc)
