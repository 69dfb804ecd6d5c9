"""What people bring back to a round: one file or several, also late ones that answer an earlier round's queue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from factory.command.looping.rounds import named
from factory.command.looping.times import LOG, holds_times
from factory.core.artefact import HEADER, read_header
from factory.core.errors import ConfigError

Config = dict[str, Any]
RETURNED, LATE = "corrections", "late"
"""Answers are looked for beside the round's steps by these names: ``corrections*`` answers the round's own queue,
``late-2*`` that of round 2, in small letters or capital ones; files that end as `FILES` do, or folders."""
FILES = (".zip", ".xml")


class Return(NamedTuple):
    """A file or folder of answers, and the round whose queue it answers."""

    path: Path
    number: int


def returned(folder: Path, number: int) -> list[Return]:
    """What lies in a round's folder: first what is late, the earliest first, then the round's own, by name.

    A late file that does not name an earlier round is a `ConfigError`.
    """
    late = [Return(path, _answered(path, number)) for path in _exports(folder, LATE)]
    return [*sorted(late, key=lambda one: one[::-1]), *(Return(path, number) for path in _exports(folder, RETURNED))]


def passed_over(folder: Path) -> list[str]:
    """Names of what lies in a round's folder and looks like answers or times, but is not called as they are."""
    taken = {*_exports(folder, LATE), *_exports(folder, RETURNED), folder / LOG}
    return [path.name for path in sorted(folder.glob("*")) if path not in taken and _is_like(path)]


def _is_like(path: Path) -> bool:
    is_table = path.suffix.lower() == ".csv" and not holds_times(path)
    return path.name.lower().startswith((LATE, RETURNED)) or _is_file(path) or is_table


def _exports(folder: Path, called: str) -> list[Path]:
    alike = (path for path in sorted(folder.glob("*")) if path.name.lower().startswith(called))
    return [path for path in alike if path.is_dir() or _is_file(path)]


def _is_file(path: Path) -> bool:
    return path.suffix.lower() in FILES


def _answered(path: Path, number: int) -> int:
    found = re.match(rf"{LATE}-(\d+)", path.name.lower())
    if found is None or not 1 <= int(found[1]) < number:
        expected = f"{LATE}-N with N from 1 to {number - 1}" if number > 1 else f"nothing late: this is round {number}"
        todo = f"name it after the round whose queue it answers, as {LATE}-1.zip, or take it away"
        raise ConfigError("a late return of no earlier round", where=path, got=path.name, expected=expected, todo=todo)
    return int(found[1])


def gone_on(config: Config, again: Sequence[str]) -> bool:
    """Whether a round has begun to make anew what hangs on its answers."""
    outs = [Path(config[name]["out"]) for name in again]
    return any(out.exists() or out.with_name(f"{out.name}.partial").exists() for out in outs)


def require_in_time(config: Config, number: int, returns: Sequence[Return]) -> None:
    """`ConfigError` where a round had gone on with fewer or more returns than lie there now.

    What was made of them is what later rounds ask about, and people may hold those questions already.
    """
    out = Path(config[named("merge", number)]["out"])
    if not (out / HEADER).exists() or not returns or len(returns) == (before := _merged(out)):
        return
    todo = f"put what is new to the round that waits, as {LATE}-{number}.zip, and have here what was here before"
    got, expected = ", ".join(one.path.name for one in returns), f"{before} of them, as when the round went on"
    raise ConfigError(f"round {number} has gone on already", where=out.parent, got=got, expected=expected, todo=todo)


def _merged(out: Path) -> int:
    """How many returns a sealed merge was made of: it read the last of the merges before it, if there were any."""
    read, count = read_header(out).identity.inputs["source"], 1
    for path in out.parent.glob(f"{out.name}-*[0-9]/{HEADER}"):
        if read_header(path.parent).digest == read:
            count = int(path.parent.name.rpartition("-")[2]) + 1
    return count


def chained(config: Config, number: int, returns: Sequence[Return], *, anew: bool) -> list[str]:
    """The names of the merges that take all ``returns`` in, one after the other; ``config`` gets those it lacks.

    The last one is the round's own merge. Where two returns state the same pixel, the later one counts. Merges of other
    returns that are in the way are replaced if the round may be merged ``anew``.
    """
    last = config[named("merge", number)]
    source, names = last["inputs"]["source"], []
    for place, found in enumerate(returns, 1):
        name = named("merge", number) if place == len(returns) else f"{named('merge', number)}-{place}"
        out = last["out"] if place == len(returns) else f"{last['out']}-{place}"
        queue = config[named("select", found.number)]["out"]
        inputs = {"source": source, "queue": queue, "corrections": str(found.path)}
        overwrite = last["overwrite"] or anew
        config[name] = last | {"inputs": last["inputs"] | inputs, "out": out, "overwrite": overwrite}
        names.append(name)
        source = out
    return names
