"""A folder of things that took long and can be made again: shared by the runs of a machine, bounded, deleted at will.

It lies outside the artefacts. Each thing is named after all that decides its content, so that nothing is ever taken for
something else.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from factory.core import digests
from factory.core.errors import ConfigError, MachineError

SUFFIX = ".kept"
LOCKS = "locks"
MOST = 1 << 60
"""Bytes that no disk has."""


@dataclass(frozen=True, kw_only=True)
class Cache:
    """``folder``, and the bytes (``limit``) that what is kept in it may take: what was used longest ago makes room."""

    folder: Path
    limit: int = 64 << 30

    def __post_init__(self) -> None:
        if self.limit < 0:
            raise ConfigError("cache_gib must not be negative", where="cache_gib", got=self.limit / 2**30)

    @classmethod
    def of(cls, folder: str, gib: float) -> Self:
        """As a stage's keys ``cache`` and ``cache_gib`` say it."""
        if not folder.strip():
            todo = "give a folder; a variable of the shell may be empty"
            raise ConfigError("a path is empty", where="cache", got=repr(folder), todo=todo)
        return cls(folder=Path(folder), limit=int(min(gib * 2**30, MOST)))

    @contextmanager
    def kept(self, name: str) -> Iterator[Path]:
        """The place of one thing, a file or a folder, to be made there unless it is; one process at a time."""
        place = self.folder / f"{name}{SUFFIX}"
        with _lock(self._lock(place), wait=True):
            yield place
            if place.exists():
                os.utime(place)
        self._make_room(place)

    def _lock(self, place: Path) -> Path:
        return self.folder / LOCKS / place.name

    def _make_room(self, spared: Path) -> None:
        """Delete what was used longest ago until the rest fits; never what is being made, or was made just now."""
        things = sorted(self.folder.glob(f"*{SUFFIX}*"), key=_used)
        total = sum(map(_size, things))
        for thing in things:
            if total <= self.limit or thing == spared:
                continue
            total -= _size(thing)
            self._forget(thing)

    def _forget(self, thing: Path) -> None:
        """Who has a file of it open keeps that."""
        name = thing.name.partition(SUFFIX)[0] + SUFFIX
        with _lock(self._lock(self.folder / name), wait=False) as mine:
            if mine:
                shutil.rmtree(thing, ignore_errors=True) if thing.is_dir() else thing.unlink(missing_ok=True)


@contextmanager
def _lock(path: Path, *, wait: bool) -> Iterator[bool]:
    """Whether nobody else has it: always so after waiting."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("w")
    except OSError as error:
        todo = "choose a folder that can be written to with cache=<folder>"
        raise MachineError.of(error, what="nothing can be kept for later", where=path, todo=todo) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True


def _used(thing: Path) -> float:
    """When it was used last; 0 for what another process deletes meanwhile."""
    try:
        return thing.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _size(thing: Path) -> int:
    """Bytes of a file, or of all files in a folder; what another process deletes meanwhile counts nothing."""
    try:
        return sum(path.stat().st_size for path in ([thing] if thing.is_file() else digests.files_below(thing)))
    except FileNotFoundError:
        return 0
