"""Pictures and labels decoded once into one memory-mapped file, and read from there ever after.

The file is named after what it holds (data sets by digest, rows, working size), so that runs, sweeps and processes of
one machine share it; it lies outside the artefacts and may be deleted at any time between runs. The operating system
keeps in memory what is in use: neither the number of pictures nor of processes multiplies it.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from factory.core import digests
from factory.core.errors import ConfigError, MachineError
from factory.execute.progress import Progress
from factory.segment.data import CLASS, Image8, Pixels, Row, Size, decode

FORMAT = 1
CHANNELS = 6
"""Bytes a pixel: RGB and label."""

IDS = 256
SUFFIX = ".pixels"


@dataclass(kw_only=True)
class PixelCache:
    """Decoded pictures of ``rows`` at their working size (``size_hw``; None: their own), kept under ``folder``.

    ``limit`` bounds the folder in bytes: what was used longest ago makes room. `MachineError` without room on the disk.
    """

    rows: Sequence[Row]
    size_hw: Size | None
    folder: Path
    limit: int = 64 << 30

    def __post_init__(self) -> None:
        if self.limit < 0:
            raise ConfigError("cache_gib must not be negative", got=self.limit / 2**30)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Pixels:
        height, width = self.shapes[index]
        start, size = int(self._starts[index]), height * width
        flat = self._content[start : start + CHANNELS * size]
        return Pixels(flat[: 3 * size].reshape(height, width, 3), flat[3 * size :].reshape(height, width, 3))

    @cached_property
    def shapes(self) -> list[Size]:
        """(height, width) of each picture as it is kept."""
        return [self.size_hw or (row.sample.height, row.sample.width) for row in self.rows]

    def largest(self) -> Size:
        """The smallest frame every picture fits in, (height, width)."""
        heights, widths = zip(*self.shapes, strict=True)
        return max(heights), max(widths)

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
    def _path(self) -> Path:
        held = [(row.dataset.digest, row.sample.id) for row in self.rows]
        return self.folder / f"{digests.of_bytes(digests.canonical([FORMAT, self.size_hw, held]))[:32]}{SUFFIX}"

    @cached_property
    def _content(self) -> Image8:
        if not self.rows:
            return np.zeros(0, np.uint8)
        with _locked(self.folder / "lock"):
            if not self._path.is_file():
                self._fill()
            os.utime(self._path)
            with self._path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        self._make_room()
        return np.frombuffer(mapped, np.uint8)

    def _fill(self) -> None:
        draft = self._path.with_suffix(".draft")
        counts_nk = np.zeros((len(self.rows), IDS), np.int64)
        try:
            with draft.open("wb") as file, Progress("decode", len(self.rows)) as progress:

                def place(index: int) -> None:
                    image_hwc, label_hwc = decode(self.rows[index], self.size_hw)
                    counts_nk[index] = np.bincount(label_hwc[..., CLASS].ravel(), minlength=IDS)
                    data = np.concatenate([image_hwc.ravel(), label_hwc.ravel()]).tobytes()
                    os.pwrite(file.fileno(), data, int(self._starts[index]))

                with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
                    for _ in pool.map(place, range(len(self.rows))):
                        progress.advance()
                os.pwrite(file.fileno(), counts_nk.tobytes(), int(self._starts[-1]))
            draft.replace(self._path)
        except OSError as error:
            todo = "free some room, or choose another folder with cache=<folder>"
            raise MachineError.of(error, what="decoded pictures cannot be kept", where=draft, todo=todo) from error
        finally:
            draft.unlink(missing_ok=True)

    def _make_room(self) -> None:
        """Delete what was used longest ago until the folder fits; never this file. Who has one open keeps it."""
        files = sorted(self.folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)
        total = sum(path.stat().st_size for path in files)
        for path in files:
            if total <= self.limit or path == self._path:
                continue
            total -= path.stat().st_size
            path.unlink(missing_ok=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        todo = "choose a folder that can be written to with cache=<folder>"
        raise MachineError.of(error, what="decoded pictures cannot be kept", where=path, todo=todo) from error
