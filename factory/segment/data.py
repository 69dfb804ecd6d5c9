"""Samples to batches: every picture is decoded once, and batch ``k`` is a pure function of ``(seed, k)``.

Nothing about the order of samples is ever stored: to go on after step k, ask for batch k.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from factory.core import masks
from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError, TrainingError
from factory.core.sample import Sample, Split, Supervision
from factory.core.seeds import generator

Image8 = npt.NDArray[np.uint8]
Size = tuple[int, int]
SPARSE = 0.02
"""Share of labelled pixels below which a mask counts as points or strokes."""


class Row(NamedTuple):
    """A sample and the data set it lies in."""

    dataset: Dataset
    sample: Sample


class Pixels(NamedTuple):
    """A picture, shape (H, W, 3), and its class ids, shape (H, W)."""

    image_hwc: Image8
    target_hw: Image8


class Batch(NamedTuple):
    """8-bit RGB (N, 3, H, W) and 8-bit class ids (N, H, W), with the ids of the samples."""

    images_nchw: Tensor
    targets_nhw: Tensor
    ids: tuple[str, ...]


def training_rows(dataset: Dataset | None) -> list[Row]:
    """The rows that may be learnt from: split TRAIN, with a mask."""
    samples = dataset.where(split=Split.TRAIN) if dataset else []
    return [Row(dataset, sample) for sample in samples if dataset and sample.mask]


def validation_rows(given: Dataset | None, *others: Dataset | None) -> list[Row]:
    """The rows to validate on: split VAL with a mask, of ``given``; without it, of the first other that has any.

    The others' masks must be beyond doubt: exact or human.
    """
    if given:
        return [Row(given, sample) for sample in given.where(split=Split.VAL) if sample.mask]
    trusted = (Supervision.EXACT, Supervision.HUMAN)
    for dataset in filter(None, others):
        rows = [Row(dataset, sample) for sample in dataset.where(split=Split.VAL) if sample.mask]
        if rows := [row for row in rows if row.sample.supervision in trusted]:
            return rows
    return []


def resize_image(image_hwc: Image8, size_hw: Size | None) -> Image8:
    """The image at another size, bilinear with antialiasing; None leaves it alone."""
    if size_hw is None or image_hwc.shape[:2] == size_hw:
        return image_hwc
    return np.asarray(Image.fromarray(image_hwc).resize(size_hw[::-1], Image.Resampling.BILINEAR))


def resize_mask(mask_hw: Image8, size_hw: Size | None) -> Image8:
    """The mask at another size, nearest; None leaves it alone.

    Where hardly a pixel is labelled (points, strokes), nearest lookup would lose most of them: there each labelled
    pixel is carried to the pixel it falls into.
    """
    if size_hw is None or mask_hw.shape == size_hw:
        return mask_hw
    small_hw = np.array(Image.fromarray(mask_hw).resize(size_hw[::-1], Image.Resampling.NEAREST))
    rows, columns = np.nonzero(mask_hw != IGNORE)
    if len(rows) < SPARSE * mask_hw.size:
        height, width = mask_hw.shape
        small_hw[:] = IGNORE
        small_hw[rows * size_hw[0] // height, columns * size_hw[1] // width] = mask_hw[rows, columns]
    return small_hw


@dataclass(kw_only=True)
class PixelCache:
    """Decoded pictures of ``rows`` at their working size (``size_hw``; None: their own), kept while memory allows.

    Mask pixels of confidence below ``min_confidence`` (0 to 1) become ignore where a sample has a confidence map.
    Memory is bounded by ``budget`` bytes; what does not fit is decoded again at each visit.
    """

    rows: Sequence[Row]
    size_hw: Size | None
    min_confidence: float = 0.0
    budget: int = 4 << 30
    _kept: dict[int, Pixels] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise ConfigError("min_confidence is a probability", got=self.min_confidence, expected="0 to 1")
        if self.budget < 0:
            raise ConfigError("cache_gib must not be negative", got=self.budget / 2**30)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Pixels:
        if (pixels := self._kept.get(index)) is None:
            pixels = self._decode(self.rows[index])
            size = pixels.image_hwc.nbytes + pixels.target_hw.nbytes
            if size <= self.budget:
                self.budget -= size
                self._kept[index] = pixels
        return pixels

    def largest(self) -> Size:
        """The smallest frame every picture fits in, (height, width)."""
        if self.size_hw:
            return self.size_hw
        return max(row.sample.height for row in self.rows), max(row.sample.width for row in self.rows)

    def _decode(self, row: Row) -> Pixels:
        dataset, sample = row
        image_hwc, mask_hw = dataset.image(sample), dataset.mask(sample)
        where = f"{dataset.root}: {sample.id}"
        masks.check_mask(mask_hw, dataset.classes, (image_hwc.shape[0], image_hwc.shape[1]), where)
        if self.min_confidence > 0 and sample.confidence:
            doubtful_hw = dataset.map(sample, "confidence") < 255 * self.min_confidence
            mask_hw = np.where(doubtful_hw, np.uint8(IGNORE), mask_hw)
        return Pixels(resize_image(image_hwc, self.size_hw), resize_mask(mask_hw, self.size_hw))


@dataclass(frozen=True, kw_only=True)
class TrainingBatches:
    """Batches drawn from ``sources`` ({name: cache}), each source shuffled anew at each of its epochs.

    ``shares`` says which part of the pictures each source supplies (they add up to 1): in any run of batches the count
    is off by less than one picture. Pictures are cut at random to ``crop_hw``; smaller ones are padded with ignore.
    """

    sources: Mapping[str, PixelCache]
    shares: Mapping[str, float]
    batch: int
    crop_hw: Size
    seed: int

    def __post_init__(self) -> None:
        if self.sources.keys() != self.shares.keys() or abs(sum(self.shares.values()) - 1) > 1e-9:
            raise ConfigError("shares must add up to 1, one a source", got=dict(self.shares))
        for cache in self.sources.values():
            if strays := [row.sample.id for row in cache.rows if row.sample.split != Split.TRAIN]:
                raise TrainingError("only rows of the train split may be trained on", where=", ".join(strays[:5]))

    def __getitem__(self, step: int) -> Batch:
        """The batch of one optimisation step, counted from 0."""
        picked = self._picks(step)
        rng = generator(self.seed, "crop", step)
        framed = [_frame(self.sources[name][index], self.crop_hw, rng) for name, index in picked]
        return stack(framed, [self.sources[name].rows[index].sample.id for name, index in picked])

    def _picks(self, step: int) -> list[tuple[str, int]]:
        picked: list[tuple[str, int]] = []
        before = after = 0.0
        for name, share in self.shares.items():
            before, after = after, after + share
            first, stop = (self._supplied(at, before, after) for at in (step, step + 1))
            picked += [(name, self._index(name, position)) for position in range(first, stop)]
        return picked

    def _supplied(self, step: int, before: float, after: float) -> int:
        """Pictures one source has supplied in all batches before ``step``."""
        total = step * self.batch
        return round(total * after) - round(total * before)

    def _index(self, name: str, position: int) -> int:
        epoch, place = divmod(position, len(self.sources[name]))
        return int(_order(self.seed, name, epoch, len(self.sources[name]))[place])


def validation_batches(cache: PixelCache, batch: int) -> Iterator[Batch]:
    """Every picture once and uncut, in order; neighbours of equal size share a batch."""
    held: list[int] = []
    for index in range(len(cache)):
        if held and (len(held) == batch or cache[held[0]].target_hw.shape != cache[index].target_hw.shape):
            yield stack([cache[i] for i in held], [cache.rows[i].sample.id for i in held])
            held = []
        held.append(index)
    if held:
        yield stack([cache[i] for i in held], [cache.rows[i].sample.id for i in held])


def stack(pixels: Sequence[Pixels], ids: Sequence[str]) -> Batch:
    """Pictures of equal size as one batch, channels last in memory."""
    images_nhwc = torch.from_numpy(np.stack([one.image_hwc for one in pixels]))
    targets_nhw = torch.from_numpy(np.stack([one.target_hw for one in pixels]))
    return Batch(images_nhwc.permute(0, 3, 1, 2), targets_nhw, tuple(ids))


@functools.lru_cache(maxsize=8)
def _order(seed: int, name: str, epoch: int, length: int) -> npt.NDArray[np.int64]:
    return generator(seed, "order", name, epoch).permutation(length)


def _frame(pixels: Pixels, crop_hw: Size, rng: np.random.Generator) -> Pixels:
    height, width = pixels.target_hw.shape
    top, left = (
        int(rng.integers(max(have - want, 0) + 1)) for have, want in zip((height, width), crop_hw, strict=True)
    )
    window = (slice(top, top + crop_hw[0]), slice(left, left + crop_hw[1]))
    image_hwc, target_hw = pixels.image_hwc[window], pixels.target_hw[window]
    below, right = crop_hw[0] - target_hw.shape[0], crop_hw[1] - target_hw.shape[1]
    if below or right:
        image_hwc = np.pad(image_hwc, ((0, below), (0, right), (0, 0)), mode="edge")
        target_hw = np.pad(target_hw, ((0, below), (0, right)), constant_values=IGNORE)
    return Pixels(image_hwc, target_hw)
