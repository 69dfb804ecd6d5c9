"""Threads that read what comes next and write what came before, while the caller's network is at work.

One thread reads: Pillow's limit on a picture's size, and Python's on warnings, are the process's and not a thread's.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from factory.execute import Item, Result

AHEAD = 1
"""Pieces that are read before they are asked for: large photographs take gigabytes."""


def ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The results in the order of the items, the next being worked at meanwhile."""
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(1) as threads:
        for item in items:
            waiting.append(threads.submit(work, item))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def behind(room: int) -> Iterator[Callable[[int, Callable[[], None]], None]]:
    """A function that takes the size of a piece of work and the work, which is done while the caller goes on.

    No more than ``room`` waits, or a single piece, so that any number of pieces takes no more memory than a few. When
    the block ends everything is done; a failure is raised then, or by the piece after it.
    """
    waiting: deque[tuple[Future[None], int]] = deque()

    def do(size: int, work: Callable[[], None]) -> None:
        while waiting and (waiting[0][0].done() or size + sum(other for _, other in waiting) > room):
            waiting.popleft()[0].result()
        waiting.append((threads.submit(work), size))

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        yield do
        for future, _ in waiting:
            future.result()
