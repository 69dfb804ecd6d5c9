"""Worker processes on this machine."""

from __future__ import annotations

import functools
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing.process import BaseProcess
from typing import Any

from factory.core.errors import ConfigError, WorkerError
from factory.execute import Item, Result
from factory.execute.progress import Progress

TRIES = 3
AHEAD = 4
"""Pieces a worker is given ahead: what came back and is not yet asked for takes memory."""
GRACE_SECONDS = 120
"""How long a worker that was told to stop has for the step in hand and for saving its state."""
_given: list[bytes] = []
"""In a worker, what all its pieces are worked on by."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, kw_only=True)
class Process:
    """A pool of ``count`` processes; 0 means one a core.

    A worker that dies (killed, out of memory, a crash in native code) costs its pool: the pool is made again and the
    pieces that had not come back are done again, up to three times in a row without any progress. Workers do not hear a
    terminal's Ctrl-C: when this process is stopped, or a piece fails, it has the others end, and those that can save
    their state do. If it is killed, they end too.
    """

    count: int = 0

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ConfigError("executor.count must not be negative", got=self.count, expected="0 (one a core) or more")

    @property
    def workers(self) -> int:
        """How many processes run."""
        return self.count or len(os.sched_getaffinity(0))

    def map(self, function: Callable[[Item], Result], items: Sequence[Item], *, title: str) -> Iterator[Result]:
        """See `factory.execute.Executor.map`."""
        delivered, failures = 0, 0
        with Progress(title, len(items)) as progress:
            while delivered < len(items):
                before = delivered
                try:
                    for result in self._one_pool(function, items[delivered:]):
                        delivered += 1
                        progress.advance()
                        yield result
                except BrokenProcessPool as error:
                    failures = failures + 1 if delivered == before else 1
                    if failures == TRIES:
                        todo = "look for a lack of memory, or run with executor=serial to see the cause"
                        raise WorkerError.of(
                            error, what=f"workers died {TRIES} times", where=title, todo=todo
                        ) from error

    def _one_pool(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([getattr(function, "func", function).__module__])  # imported once, not by each
        others = set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(
            min(self.workers, len(items)), mp_context=context, initializer=_begin, initargs=(pickle.dumps(function),)
        )
        try:
            waiting = iter(items)
            pending = deque(_submitted(pool, islice(waiting, AHEAD * self.workers)))
            while pending:
                yield pending.popleft().result()
                pending.extend(_submitted(pool, islice(waiting, 1)))
        except BaseException:
            _stop(set(multiprocessing.active_children()) - others)
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, items: Iterable[Any]) -> list[Future[Any]]:
    """Given to the pool; processes that it starts for them have one thread each, as more would fight over the cores."""
    with _one_thread():
        return [pool.submit(_piece, item) for item in items]


def _begin(function: bytes) -> None:
    """In a worker, first of all: the terminal's Ctrl-C is the parent's to hear, and nobody outlives the parent."""
    _given.append(function)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@functools.cache
def _work() -> Callable[[Any], Any]:
    """In a worker: opened once, with the first piece, as what it keeps (a model, say) is good for the others too."""
    function: Callable[[Any], Any] = pickle.loads(_given[0])  # noqa: S301  # our own bytes
    return function


def _piece(item: Any) -> Any:
    """A worker that was told to stop ends: waiting for more, it could wait for a lock that another one died with."""
    try:
        return _work()(item)
    except (KeyboardInterrupt, SystemExit):
        os._exit(1)


def _stop(workers: set[BaseProcess]) -> None:
    """End workers: what they work on would come to nothing. They have a while to save their state."""
    for worker in workers:
        worker.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for worker in workers:
        worker.join(max(0.0, deadline - time.monotonic()))
        if worker.is_alive():
            worker.kill()


@contextmanager
def _one_thread() -> Iterator[None]:
    """What starts within has one thread."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
