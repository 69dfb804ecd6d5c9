"""Locks that a process holds while it lives: the system lets go of them when it is killed."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path


def grasp(path: Path) -> TextIOWrapper | None:
    """The lock of this name, held until it is closed; None while another holds it."""
    stream = path.open("w")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stream.close()
        return None
    return stream


@contextmanager
def holding(path: Path, *, waits: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock of this name inside the block; ``waits`` is called once where another holds it first."""
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waits()
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
