"""One piece after another, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from factory.execute import Item, Result
from factory.execute.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Serial:
    """The executor to debug with."""

    @property
    def workers(self) -> int:
        """Always 1."""
        return 1

    def map(self, function: Callable[[Item], Result], items: Sequence[Item], *, title: str) -> Iterator[Result]:
        """See `factory.execute.Executor.map`."""
        with Progress(title, len(items)) as progress:
            for item in items:
                yield function(item)
                progress.advance()
