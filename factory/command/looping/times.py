"""How long people took for a round: what they noted, kept beside its steps and handed on to the next queue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from factory.command.looping.rounds import named
from factory.core import digests
from factory.measure.cost import joined, read_log

Config = dict[str, Any]
TIMES, LOG = "times", "log.csv"
"""``times*.csv`` beside a round's steps are a queue's table with the column ``taken`` filled in; ``log.csv`` is what a
queue learnt from: all that lay in earlier rounds when it was made."""


def hand_on(config: Config, number: int) -> None:
    """Let a round's queue learn from the times noted in earlier rounds; what comes later serves later queues."""
    select = config[named("select", number)]
    log = Path(select["out"]).parent / LOG
    noted = [path for earlier in range(1, number) for path in _files(config, earlier)]
    if noted and not log.exists() and not Path(select["out"]).exists():
        log.parent.mkdir(parents=True, exist_ok=True)
        digests.write_atomically(log, joined(noted))
    if log.exists():
        select["inputs"] = select["inputs"] | {"log": str(log)}


def noted(config: Config, number: int) -> tuple[int, float]:
    """Regions of a round that people noted a time for, and the seconds; 0 where nobody did."""
    works = [work for path in _files(config, number) for work in read_log(path)]
    return sum(work.regions for work in works), sum(work.seconds for work in works)


def _files(config: Config, number: int) -> list[Path]:
    folder = Path(config[named("review", number)]["out"]).parent
    return [path for path in sorted(folder.glob("*")) if holds_times(path)]


def holds_times(path: Path) -> bool:
    """Whether a file is called as tables of times are, in small letters or capital ones."""
    return path.name.lower().startswith(TIMES) and path.suffix.lower() == ".csv"
