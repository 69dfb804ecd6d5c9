"""Running many independent pieces of work: one protocol, one executor a file.

An executor maps a function over items and yields the results *in item order*, so that nothing downstream can depend on
the number of workers. The function and the items must be picklable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Executor(Protocol):
    """Maps work over ``workers`` processes."""

    @property
    def workers(self) -> int:
        """How many pieces run at a time, at least 1."""

    def map(self, function: Callable[[Item], Result], items: Sequence[Item], *, title: str) -> Iterator[Result]:
        """Results in the order of the items; an exception of the function is raised where its result would stand."""
