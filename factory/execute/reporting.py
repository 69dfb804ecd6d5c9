"""Figures on the way: work that takes long says how it goes, and whoever listens may end it early.

Nobody needs to listen: a report that nobody asked for is nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[int, float], None]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


class Pruned(Exception):  # noqa: N818  # not an error: the listener has seen enough
    """Raised by a listener through `report`, to end work that promises too little."""


def report(step: int, value: float) -> None:
    """Say that after ``step`` steps the figure that counts stands at ``value``; larger is better."""
    if listener := _listener.get():
        listener(step, value)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hear what is reported inside the block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
