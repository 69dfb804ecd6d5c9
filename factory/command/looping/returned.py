"""What people bring back to a round: one file or several, also late ones that answer an earlier round's queue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from factory.command.looping.rounds import named
from factory.core.errors import ConfigError

Config = dict[str, Any]
RETURNED, LATE = "corrections", "late"
"""Answers are looked for beside the round's steps by these names: ``corrections*`` answers the round's own queue,
``late-2*`` that of round 2; any ending, or a folder."""


class Return(NamedTuple):
    """A file or folder of answers, and the round whose queue it answers."""

    path: Path
    number: int


def returned(folder: Path, number: int) -> list[Return]:
    """What lies in a round's folder: first what is late, the earliest first, then the round's own, by name.

    A late file that does not name an earlier round is a `ConfigError`.
    """
    late = sorted((Return(path, _answered(path, number)) for path in folder.glob(f"{LATE}*")), key=lambda r: r[::-1])
    return [*late, *(Return(path, number) for path in sorted(folder.glob(f"{RETURNED}*")))]


def passed_over(folder: Path) -> list[str]:
    """Names of exports that lie in a round's folder, and are not called as answers are."""
    names = sorted(path.name for ending in (".zip", ".xml") for path in folder.glob(f"*{ending}"))
    return [name for name in names if not name.startswith((RETURNED, LATE))]


def _answered(path: Path, number: int) -> int:
    found = re.match(rf"{LATE}-(\d+)", path.name)
    if found is None or not 1 <= int(found[1]) < number:
        expected = f"{LATE}-N with N from 1 to {number - 1}" if number > 1 else f"nothing late: this is round {number}"
        todo = f"name it after the round whose queue it answers, as {LATE}-1.zip, or take it away"
        raise ConfigError("a late return of no earlier round", where=path, got=path.name, expected=expected, todo=todo)
    return int(found[1])


def require_in_time(config: Config, number: int, returns: Sequence[Return]) -> None:
    """`ConfigError` where a round had gone on with fewer or more returns than lie there now.

    What was made of them is what later rounds ask about, and people may hold those questions already.
    """
    out = Path(config[named("merge", number)]["out"])
    before = 1
    while out.with_name(f"{out.name}-{before}").exists():
        before += 1
    if out.exists() and returns and len(returns) != before:
        todo = f"put what is new to the round that waits, as {LATE}-{number}.zip, and have here what was here before"
        got, expected = ", ".join(one.path.name for one in returns), f"{before} of them, as when the round went on"
        raise ConfigError(
            f"round {number} has gone on already", where=out.parent, got=got, expected=expected, todo=todo
        )


def chained(config: Config, number: int, returns: Sequence[Return]) -> list[str]:
    """The names of the merges that take all ``returns`` in, one after the other; ``config`` gets those it lacks.

    The last one is the round's own merge. Where two returns state the same pixel, the later one counts.
    """
    last = config[named("merge", number)]
    source, names = last["inputs"]["source"], []
    for place, found in enumerate(returns, 1):
        name = named("merge", number) if place == len(returns) else f"{named('merge', number)}-{place}"
        out = last["out"] if place == len(returns) else f"{last['out']}-{place}"
        queue = config[named("select", found.number)]["out"]
        inputs = {"source": source, "queue": queue, "corrections": str(found.path)}
        config[name] = last | {"inputs": last["inputs"] | inputs, "out": out}
        names.append(name)
        source = out
    return names
