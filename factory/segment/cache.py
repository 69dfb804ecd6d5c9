"""Pictures and labels decoded once into one memory-mapped file, and read from there ever after.

The file is named after what it holds (data sets by digest, rows, working size), so that runs, sweeps and processes of
one machine share it. The operating system keeps in memory what is in use: neither the number of pictures nor of
processes multiplies it.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from factory.core import digests
from factory.core.cache import Cache
from factory.core.errors import MachineError
from factory.execute.progress import Progress
from factory.segment.data import CLASS, Image8, Pixels, Row, Size, decode

FORMAT = 2
CHANNELS = 6
"""Bytes a pixel: RGB and label."""

IDS = 256


@dataclass(kw_only=True)
class PixelCache:
    """Decoded pictures of ``rows`` at their working size (``size_hw``; None: their own), kept in ``cache``.

    `MachineError` without room on the disk.
    """

    rows: Sequence[Row]
    size_hw: Size | None
    cache: Cache

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Pixels:
        height, width = self.shapes[index]
        start, size = int(self._starts[index]), height * width
        flat = self._content[start : start + CHANNELS * size]
        return Pixels(flat[: 3 * size].reshape(height, width, 3), flat[3 * size :].reshape(height, width, 3))

    def decode(self) -> None:
        """Read all pictures now, not when the first is asked for."""
        _ = self._content

    @cached_property
    def shapes(self) -> list[Size]:
        """(height, width) of each picture as it is kept."""
        return [self.size_hw or (row.sample.height, row.sample.width) for row in self.rows]

    @cached_property
    def counts_nk(self) -> npt.NDArray[np.int64]:
        """Pixels of each class id in each picture, (rows, 256); the last column is what nobody labelled."""
        start = int(self._starts[-1])
        counts: npt.NDArray[np.int64] = self._content[start:].view(np.int64).reshape(len(self.rows), IDS)
        return counts

    @cached_property
    def _starts(self) -> npt.NDArray[np.int64]:
        """Where each picture's bytes begin, and behind the last where the counts do (aligned to 8)."""
        sizes = [CHANNELS * height * width for height, width in self.shapes]
        starts = np.concatenate([[0], np.cumsum(np.asarray(sizes, np.int64))])
        starts[-1] += -starts[-1] % 8
        return starts

    @property
    def _name(self) -> str:
        held = [(row.dataset.digest, row.sample.id, bool(row.sample.mask)) for row in self.rows]
        return f"pixels-{digests.of_bytes(digests.canonical([FORMAT, self.size_hw, held]))[:32]}"

    @cached_property
    def _content(self) -> Image8:
        if not self.rows:
            return np.zeros(0, np.uint8)
        with self.cache.kept(self._name) as place:
            if not self._is_whole(place):
                self._fill(place)
            with place.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        return np.frombuffer(mapped, np.uint8)

    def _is_whole(self, place: Path) -> bool:
        """Whether the file is there, and as long as it must be: a power cut or a full disk may have shortened it."""
        whole = int(self._starts[-1]) + len(self.rows) * IDS * np.dtype(np.int64).itemsize
        return place.is_file() and place.stat().st_size == whole

    def _fill(self, place: Path) -> None:
        draft = place.with_name(f"{place.name}.draft")
        counts_nk = np.zeros((len(self.rows), IDS), np.int64)
        try:
            with draft.open("wb") as file, Progress("decode", len(self.rows)) as progress:

                def keep(index: int) -> None:
                    image_hwc, label_hwc = decode(self.rows[index], self.size_hw)
                    counts_nk[index] = np.bincount(label_hwc[..., CLASS].ravel(), minlength=IDS)
                    data = np.concatenate([image_hwc.ravel(), label_hwc.ravel()]).tobytes()
                    _write(file.fileno(), data, int(self._starts[index]))

                with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
                    for _ in pool.map(keep, range(len(self.rows))):
                        progress.advance()
                _write(file.fileno(), counts_nk.tobytes(), int(self._starts[-1]))
                os.fsync(file.fileno())
            draft.replace(place)
        except OSError as error:
            todo = "free some room, or choose another folder with cache=<folder>"
            raise MachineError.of(error, what="decoded pictures cannot be kept", where=draft, todo=todo) from error
        finally:
            draft.unlink(missing_ok=True)


def largest(caches: Iterable[PixelCache]) -> Size:
    """The smallest frame that every picture of all of them fits in, (height, width)."""
    heights, widths = zip(*(shape for cache in caches for shape in cache.shapes), strict=True)
    return max(heights), max(widths)


def _write(descriptor: int, data: bytes, start: int) -> None:
    """All of it, at its place: a disk that fills up takes a part, and refuses only what is asked of it after that."""
    rest = memoryview(data)
    while rest:
        taken = os.pwrite(descriptor, rest, start)
        rest, start = rest[taken:], start + taken
