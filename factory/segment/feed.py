"""Batches on their way to the device: made ahead by a thread, cut into the parts a step works through."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from factory.core.classes import IGNORE
from factory.segment.batches import Batch, TrainingBatches, validation_batches
from factory.segment.cache import PixelCache
from factory.segment.data import CLASS, Size

AHEAD = 3
"""Batches made before they are asked for."""


class Feed:
    """The batches of steps ``start`` to ``stop``, as Lightning wants an epoch: each as ``parts`` of equal size.

    Of several processes, number ``rank`` of ``world`` gets its share of each batch.
    """

    def __init__(
        self, batches: TrainingBatches, start: int, stop: int, *, parts: int = 1, rank: int = 0, world: int = 1
    ) -> None:
        self.batches, self.start, self.stop, self.parts, self.rank, self.world = (
            batches,
            start,
            stop,
            parts,
            rank,
            world,
        )

    def __len__(self) -> int:
        return (self.stop - self.start) * self.parts

    def __iter__(self) -> Iterator[Batch]:
        waiting: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(1) as pool:
            for step in range(self.start, self.stop):
                while len(waiting) < AHEAD and step + len(waiting) < self.stop:
                    waiting.append(pool.submit(self._make, step + len(waiting)))
                whole = waiting.popleft().result()
                yield from _parts(whole, self.parts)

    def _make(self, step: int) -> Batch:
        return _pinned(_share(self.batches[step], self.rank, self.world))


class Validation:
    """All validation pictures once, in order; of several processes each gets its share.

    They all get as many batches, for they wait for each other: what is missing is filled up with one that nobody
    labelled.
    """

    def __init__(self, cache: PixelCache, batch: int, tile_hw: Size, *, rank: int = 0, world: int = 1) -> None:
        self.cache, self.batch, self.tile_hw, self.rank, self.world = cache, batch, tile_hw, rank, world

    def __iter__(self) -> Iterator[Batch]:
        batches = validation_batches(self.cache, self.batch, self.tile_hw)
        while together := list(itertools.islice(batches, self.world)):
            yield _pinned(together[self.rank] if self.rank < len(together) else _unlabelled(together[0]))


def _unlabelled(batch: Batch) -> Batch:
    labels_nchw = torch.zeros_like(batch.labels_nchw)
    labels_nchw[:, CLASS] = IGNORE
    return batch._replace(labels_nchw=labels_nchw)


def _share(batch: Batch, rank: int, world: int) -> Batch:
    mine = slice(rank, None, world)
    return Batch(batch.images_nchw[mine], batch.labels_nchw[mine], batch.ids[mine])


def _parts(batch: Batch, parts: int) -> Iterator[Batch]:
    for part in range(parts):
        yield _share(batch, part, parts)


def _pinned(batch: Batch) -> Batch:
    if not torch.cuda.is_available():
        return batch
    return Batch(batch.images_nchw.pin_memory(), batch.labels_nchw.pin_memory(), batch.ids)
