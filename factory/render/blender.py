"""Blender worker processes: kept busy, watched, replaced when they die or hang, and never left behind.

A worker is judged by the frames it delivers and by nothing else; its exit status may lie. Workers are short-lived
because Blender's memory grows with every scene.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from factory.core.errors import WorkerError
from factory.execute import program
from factory.render.frame import folder_of, is_delivered
from factory.render.job import Job, Request

LIFETIME = 50
"""Most frames a worker renders before a fresh one takes over."""

IN_HAND = 2
"""Frames a worker knows of at a time, so that it never waits for the next."""

TRIES = 3
POLL_S = 0.05
PATIENCE_S = 600.0
"""Longest time without a new frame before a worker counts as hung."""

ALONE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1") | {"PYTHONHASHSEED": "0"}
"""A worker's environment: nothing adds threads to Blender's own, nothing depends on hashes."""

OnFrame = Callable[[int], None]
Settle = Callable[[int, str], None]


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    log: Path
    pending: list[Request] = field(default_factory=list)
    served: int = 0
    last_sign: float = field(default_factory=time.monotonic)

    @property
    def is_spent(self) -> bool:
        return self.served >= LIFETIME

    def ask(self, request: Request, line: bytes) -> None:
        """Hand over one more frame; a worker that is gone is noticed later, by its frames."""
        if not self.pending:
            self.last_sign = time.monotonic()
        self.pending.append(request)
        self.served += 1
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line)
            self.process.stdin.flush()
            if self.is_spent:
                self.process.stdin.close()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()


@dataclass(kw_only=True)
class Farm:
    """Workers for one job, as a context manager; they stay between calls of `render`.

    ``places`` holds the environment variables of each worker, one worker a place; ``threads`` are those it renders
    with (0: all cores), None for one each, or all of them where there is one worker. ``lost`` counts workers that died
    or hung, ``retried`` the frames tried again.
    """

    job: Job
    out: Path
    places: Sequence[Mapping[str, str]]
    patience_s: float = PATIENCE_S
    threads: int | None = None
    lost: int = 0
    retried: int = 0
    _queue: deque[Request] = field(default_factory=deque)
    _workers: dict[int, _Worker] = field(default_factory=dict)
    _tries: Counter[int] = field(default_factory=Counter)
    _failures: dict[int, str] = field(default_factory=dict)
    _started: int = 0
    _delivered: int = 0

    def __enter__(self) -> Farm:
        self.out.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers.values():
            worker.stop()
        self._workers.clear()

    def render(self, requests: Sequence[Request], *, on_frame: OnFrame) -> dict[int, str]:
        """Have the frames rendered into ``out``; frames that are there already are not touched.

        ``on_frame`` is called in this process once for each frame, as it arrives. Returns {index: reason} of frames
        that took down, or failed in, three workers. `WorkerError` where nothing can be rendered at all.
        """
        self._failures = {}
        there = [request.index for request in requests if is_delivered(self.out, request.index)]
        for index in there:
            self._arrived(index, on_frame)
        self._queue.extend(request for request in requests if request.index not in set(there))
        while self._queue or any(worker.pending for worker in self._workers.values()):
            self._hand_out()
            time.sleep(POLL_S)
            for place in list(self._workers):
                self._settle(place, on_frame)
        return self._failures

    def _arrived(self, index: int, on_frame: OnFrame) -> None:
        self._delivered += 1
        on_frame(index)

    def _hand_out(self) -> None:
        """Keep every worker supplied, starting those that are missing as long as there is work."""
        for place in range(len(self.places)):
            if self._queue and place not in self._workers:
                self._workers[place] = self._start(place)
            worker = self._workers.get(place)
            while self._queue and worker and not worker.is_spent and len(worker.pending) < IN_HAND:
                request = self._queue.popleft()
                worker.ask(request, self.job.line(request))

    def _start(self, place: int) -> _Worker:
        self._started += 1
        path, log = (self.out / f".worker-{self._started}.{end}" for end in ("json", "log"))
        threads = int(len(self.places) > 1) if self.threads is None else self.threads
        self.job.write(path, self.out, threads=threads)
        command = program.command("scenes.kit.worker", str(path))
        environment = program.environment() | ALONE | dict(self.places[place])
        with log.open("wb") as stream:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=stream, env=environment
            )
        return _Worker(process=process, log=log)

    def _settle(self, place: int, on_frame: OnFrame) -> None:
        """Take note of what the worker delivered and where it failed; settle its account once it has ended or hangs."""
        worker = self._workers[place]
        ended = worker.process.poll() is not None  # asked first: what it delivered before it ended is seen below
        raised = self._take(worker, on_frame)
        hung = bool(worker.pending) and time.monotonic() - worker.last_sign > self.patience_s
        if not (ended or hung):
            return
        worker.stop()
        del self._workers[place]
        if worker.pending:
            self._lose(worker, hung=hung and not ended, excused=raised)

    def _take(self, worker: _Worker, on_frame: OnFrame) -> bool:
        """Strike off the frames that arrived or raised; whether any raised."""
        raised = False
        for request in list(worker.pending):
            complaint = self._complaint(request.index)
            arrived = is_delivered(self.out, request.index)
            if not (arrived or complaint):
                continue
            worker.pending.remove(request)
            worker.last_sign = time.monotonic()
            if arrived:
                self._arrived(request.index, on_frame)
            else:
                raised = True
                self._charge(request, complaint, worker)
        return raised

    def _lose(self, worker: _Worker, *, hung: bool, excused: bool) -> None:
        """Queue again what a dead worker left; the frame it had in hand is charged, unless another has raised."""
        self.lost += 1
        first, *others = worker.pending
        self._queue.extendleft(reversed(others))
        if excused:
            self._queue.appendleft(first)
        else:
            self._charge(first, "no new frame for too long" if hung else _last_words(worker.log), worker)

    def _charge(self, request: Request, reason: str, worker: _Worker) -> None:
        """Count a try against a frame, and give it up after the third."""
        self._tries[request.index] += 1
        folder_of(self.out, request.index).with_suffix(".error.txt").unlink(missing_ok=True)
        if self._tries[request.index] < TRIES:
            self.retried += 1
            self._queue.append(request)
            return
        self._failures[request.index] = reason
        if not self._delivered:
            what = f"frame {request.index} could not be rendered in {TRIES} tries, nor any other frame"
            todo = "read that file; if it is about this machine, mend that; else please report it"
            raise WorkerError(what, where=worker.log, got=reason, todo=todo)

    def _complaint(self, index: int) -> str:
        """The last line of what the worker wrote about a frame that raised; empty where it wrote nothing."""
        try:
            text = folder_of(self.out, index).with_suffix(".error.txt").read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return (text.strip().splitlines() or ["raised without a word"])[-1]


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "the worker ended without a word"
