"""What people bring back to a round: one file or several, also late ones that answer an earlier round's queue."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from factory.command.already import digest_of
from factory.command.looping.rounds import named
from factory.command.looping.times import LOG, holds_times
from factory.core.artefact import DRAFT, HEADER, read_header
from factory.core.errors import ConfigError

Config = dict[str, Any]
RETURNED, LATE = "corrections", "late"
"""Answers are looked for beside the round's steps by these names: ``corrections*`` answers the round's own queue,
``late-2*`` that of round 2, in small letters or capital ones; files that end as `FILES` do, or folders."""
FILES = (".zip", ".xml")
SINGLE = (".json", ".png")
"""What belongs into a folder of answers, by the name of its picture."""


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
    return path.name.lower().startswith((LATE, RETURNED)) or path.suffix.lower() in (*FILES, *SINGLE) or is_table


def _exports(folder: Path, called: str) -> list[Path]:
    alike = (path for path in sorted(folder.glob("*")) if path.name.lower().startswith(called))
    return [path for path in alike if path.is_dir() or path.suffix.lower() in FILES]


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
    return any(out.exists() or out.with_name(f"{out.name}{DRAFT}").exists() for out in outs)


def require_in_time(config: Config, number: int, returns: Sequence[Return]) -> None:
    """`ConfigError` where a round had gone on with fewer, more or other returns than lie there now.

    What was made of them is what later rounds ask about, and people may hold those questions already.
    """
    last = config[named("merge", number)]
    out = Path(last["out"])
    if not (out / HEADER).exists():
        return
    counts, there = _merged(out, Path(last["inputs"]["source"])), [one.path.name for one in returns]
    outs = [out.with_name(f"{out.name}{_suffix(place, returns)}") for place in range(1, len(returns) + 1)]
    others = [one.path.name for one, made in zip(returns, outs, strict=True) if not _is_made_of(made, one.path)]
    if counts and len(returns) not in counts:
        got, expected = ", ".join(there) or "nothing", f"{max(counts)} of them, as when the round went on"
    elif others and not last["overwrite"]:
        got, expected = f"{', '.join(others)}, changed since", ", ".join(there) + " as when the round went on"
    else:
        return
    todo = f"put what is new to the round that waits, as {LATE}-{number}.zip, and have here what was here before"
    raise ConfigError(f"round {number} has gone on already", where=out.parent, got=got, expected=expected, todo=todo)


def _merged(out: Path, source: Path) -> set[int]:
    """How many returns a sealed merge may have been made of: it read ``source``, or the last of the merges before it.

    Where a merge changed nothing, what it made is what it read, and several numbers are right. None is where what it
    read is not there any more.
    """
    places = (out.with_name(f"{out.name}-{place}") for place in itertools.count(1))
    before = [source, *itertools.takewhile(lambda made: (made / HEADER).exists(), places)]
    read = read_header(out).identity.inputs["source"]
    return {count for count, made in enumerate(before, 1) if read_header(made).digest == read}


def _is_made_of(merge: Path, path: Path) -> bool:
    """Whether a merge took in what lies there now; also one that is gone, and can be made of it again."""
    return not (merge / HEADER).exists() or read_header(merge).identity.inputs["corrections"] == digest_of(path)


def _suffix(place: int, returns: Sequence[Return]) -> str:
    """What sets the merge of a return, counted from 1, apart from the round's own, which is the last one's."""
    return "" if place == len(returns) else f"-{place}"


def chained(config: Config, number: int, returns: Sequence[Return], *, anew: bool) -> list[str]:
    """The names of the merges that take all ``returns`` in, one after the other; ``config`` gets those it lacks.

    The last one is the round's own merge. Where two returns state the same pixel, the later one counts. Merges of other
    returns that are in the way are replaced if the round may be merged ``anew``.
    """
    last = config[named("merge", number)]
    source, names = last["inputs"]["source"], []
    for place, found in enumerate(returns, 1):
        name, out = (f"{one}{_suffix(place, returns)}" for one in (named("merge", number), last["out"]))
        queue = config[named("select", found.number)]["out"]
        inputs = {"source": source, "queue": queue, "corrections": str(found.path)}
        overwrite = last["overwrite"] or anew
        config[name] = last | {"inputs": last["inputs"] | inputs, "out": out, "overwrite": overwrite}
        names.append(name)
        source = out
    return names
