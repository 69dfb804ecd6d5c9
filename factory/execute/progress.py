"""Progress of long work: a bar with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

LINE_EVERY_SECONDS = 10.0
SEVERAL_AT_A_TIME = 6
"""Work with a name says so less often by this factor: it is one of several at a time."""

_name: ContextVar[str] = ContextVar("name", default="")


@contextmanager
def named(name: str) -> Iterator[None]:
    """Whatever is done inside is one of several pieces at a time: it prints lines with its ``name``, and no bar."""
    token = _name.set(name)
    try:
        yield
    finally:
        _name.reset(token)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:.1f}/s", style="cyan")


class Progress:
    """A context manager around ``total`` steps of work called ``title``."""

    def __init__(self, title: str, total: int) -> None:
        self.title, self.total, self.done = f"{_name.get()}, {title}".removeprefix(", "), total, 0
        self.every = LINE_EVERY_SECONDS * (SEVERAL_AT_A_TIME if _name.get() else 1)
        self.began = self.last_line = time.monotonic()
        console = Console(stderr=True)
        columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), _Rate())
        self._bar = (
            Bar(*columns, TimeRemainingColumn(), console=console) if console.is_terminal and not _name.get() else None
        )

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
            self._task = self._bar.add_task(self.title, total=self.total)
        return self

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count steps; ``note`` is shown beside the title."""
        self.done += steps
        if self._bar:
            self._bar.update(self._task, advance=steps, description=f"{self.title} {note}".strip())
        elif time.monotonic() - self.last_line > self.every:
            self._line(note)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()
        elif self.last_line > self.began and kind is None:
            self._line("")

    def _line(self, note: str) -> None:
        self.last_line = time.monotonic()
        seconds = self.last_line - self.began
        rate = self.done / max(seconds, 1e-9)
        left = (self.total - self.done) / rate if rate else float("inf")
        text = f"{self.title}: {self.done}/{self.total}, {rate:.1f}/s, {left:.0f} s left"
        print(f"{text}  {note}".rstrip(), file=sys.stderr, flush=True)
