"""What a search prints: a line a trial, and the table at the end."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from rich.table import Table
from rich.text import Text

from factory.command import tree
from factory.command.show import paper
from factory.tune.results import Row


def trial_began(number: int, words: Mapping[str, str], trials: int) -> None:
    """One line as a trial begins or is taken up."""
    print(f"trial {number} of {trials}: {settings(words)} …", file=sys.stderr, flush=True)


def trial_ended(row: Row, figure: str, best: Row | None) -> None:
    """One line as it ends."""
    value = f", {figure} {row.value:.4g}" if row.value is not None else ""
    leader = f"; best so far {best.value:.4g} (trial {best.number})" if best and best.value is not None else ""
    reason = f": {row.reason}" if row.reason else ""
    print(f"trial {row.number}: {row.state}{value}{reason}{leader}", file=sys.stderr, flush=True)


def settings(words: Mapping[str, str]) -> str:
    """Settings as they stand on a command line."""
    return " ".join(f"{key}={word}" for key, word in words.items())


def table(rows: list[Row], figure: str, shares: Mapping[str, float]) -> None:
    """Trials best first, the reasons of those that failed, and what mattered."""
    drawn = Table(title="Trials", title_justify="left", title_style="bold")
    keys = list(dict.fromkeys(key for row in rows for key in row.words))
    drawn.add_column("trial", justify="right")
    drawn.add_column(figure, justify="right")
    for key in keys:
        drawn.add_column(key, overflow="fold")
    drawn.add_column("seconds", justify="right")
    drawn.add_column("state")
    for row in rows:
        value = "" if row.value is None else f"{row.value:.4f}"
        seconds = "" if row.seconds is None else f"{row.seconds:.1f}"
        words = [row.words.get(key, "") for key in keys]
        cells = [str(row.number), value, *words, seconds, row.state]
        drawn.add_row(*(Text(cell) for cell in cells))
    paper().print(drawn)
    for row in rows:
        if row.reason:
            print(f"trial {row.number} failed: {row.reason}")
    if shares:
        print("what mattered: " + ", ".join(f"{key} {100 * share:.0f} %" for key, share in shares.items()))


def found(best: Row, figure: str, folder: Path, stage: str, experiment: Path) -> None:
    """The best trial, where it lies, and how to use it."""
    print(f"best: trial {best.number}, {figure} {best.value:.4g}, {settings(best.words)}")
    print(f"its artefacts: {folder}")
    place = "root" if stage == tree.LINE else "out"
    print(f"use it: factory {stage} experiment={experiment} {place}=…")
