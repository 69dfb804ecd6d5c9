"""Blender worker processes: kept busy, watched, replaced when they die or hang, and never left behind.

A worker is judged by the frames it delivers and by nothing else; its exit status may lie. Workers are short-lived
because Blender's memory grows with every scene.
"""

from __future__ import annotations

import importlib.util
import math
import os
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from factory.core.errors import WorkerError
from factory.render.frame import folder_of, is_delivered
from factory.render.job import Job

CHUNK = 25
"""Most frames a worker renders before a fresh one takes over."""

TRIES = 3
POLL_S = 0.1
PATIENCE_S = 600.0
"""Longest time without a new frame before a worker counts as hung."""

OnFrame = Callable[[int], None]


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    pending: list[int]
    log: Path
    last_frame: float = field(default_factory=time.monotonic)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def render(
    job: Job, indexes: Sequence[int], out: Path, *, workers: int, on_frame: OnFrame, patience_s: float = PATIENCE_S
) -> None:
    """Have the frames rendered into ``out``; frames that are there already are not touched.

    ``on_frame`` is called in this process once for each frame, as it arrives. `WorkerError` when one frame has taken
    down, or failed in, three workers.
    """
    out.mkdir(parents=True, exist_ok=True)
    _Farm(job=job, out=out, workers=workers, on_frame=on_frame, patience_s=patience_s).run(indexes)


@dataclass(kw_only=True)
class _Farm:
    job: Job
    out: Path
    workers: int
    on_frame: OnFrame
    patience_s: float
    queue: deque[list[int]] = field(default_factory=deque)
    running: list[_Worker] = field(default_factory=list)
    tries: Counter[int] = field(default_factory=Counter)
    started: int = 0

    def run(self, indexes: Sequence[int]) -> None:
        there = {index for index in indexes if is_delivered(self.out, index)}
        for index in sorted(there):
            self.on_frame(index)
        self.queue.extend(chunks([index for index in indexes if index not in there], self.workers))
        try:
            while self.queue or self.running:
                while self.queue and len(self.running) < self.workers:
                    self.running.append(self._start(self.queue.popleft()))
                time.sleep(POLL_S)
                self.running = [worker for worker in self.running if self._is_working(worker)]
        finally:
            for worker in self.running:
                worker.stop()

    def _start(self, indexes: list[int]) -> _Worker:
        self.started += 1
        path, log = (self.out / f".worker-{self.started}.{end}" for end in ("json", "log"))
        self.job.write(path, indexes, self.out, threads=1 if self.workers > 1 else 0)
        command = [sys.executable, "-m", "scenes.kit.worker", str(path)]
        with log.open("wb") as stream:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stream, env=_environment()
            )
        return _Worker(process=process, pending=list(indexes), log=log)

    def _is_working(self, worker: _Worker) -> bool:
        """Take note of what the worker delivered; settle its account once it has ended or hangs."""
        ended = worker.process.poll() is not None  # asked first: what it delivered before it ended is seen below
        arrived = [index for index in worker.pending if is_delivered(self.out, index)]
        worker.pending = [index for index in worker.pending if index not in arrived]
        for index in arrived:
            worker.last_frame = time.monotonic()
            self.on_frame(index)
        hung = time.monotonic() - worker.last_frame > self.patience_s
        if not (ended or hung):
            return True
        worker.stop()
        if worker.pending:
            self._charge(worker, hung=hung and not ended)
            self.queue.appendleft(worker.pending)
        return False

    def _charge(self, worker: _Worker, *, hung: bool) -> None:
        """Count a try against the frames to blame: those that raised, and the one in hand when the worker ended."""
        raised = [index for index in worker.pending if self._error_of(index).exists()]
        in_hand = [index for index in worker.pending if index not in raised][:1]
        for index in [*raised, *in_hand]:
            self.tries[index] += 1
            if self.tries[index] >= TRIES:
                what = f"frame {index} could not be rendered in {TRIES} tries"
                got = "no new frame for too long" if hung else _last_words(worker.log)
                todo = "read that file; if it is about this picture alone, use another seed, and please report it"
                raise WorkerError(what, where=worker.log, got=got, todo=todo)
            self._error_of(index).unlink(missing_ok=True)

    def _error_of(self, index: int) -> Path:
        return folder_of(self.out, index).with_suffix(".error.txt")


def chunks(indexes: Sequence[int], workers: int) -> list[list[int]]:
    """Even runs of at most `CHUNK` frames, as many as keep all workers busy to the end."""
    if not indexes:
        return []
    rounds = math.ceil(len(indexes) / (CHUNK * workers))
    size = math.ceil(len(indexes) / (rounds * workers))
    return [list(indexes[start : start + size]) for start in range(0, len(indexes), size)]


def _environment() -> dict[str, str]:
    """This process's environment, with the scene programs importable and nothing that would add threads."""
    found = importlib.util.find_spec("scenes")
    assert found is not None
    assert found.origin is not None
    path = [str(Path(found.origin).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return os.environ | single | {"PYTHONPATH": os.pathsep.join(path), "PYTHONHASHSEED": "0"}


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "the worker ended without a word"
