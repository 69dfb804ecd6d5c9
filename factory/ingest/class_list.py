"""The class list as users state it: in the configuration, or as a file of names and colours."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from pathlib import Path

from factory.core.classes import ClassList, distinct_colour
from factory.core.errors import ConfigError, InputError
from factory.core.tables import DELIMITERS
from factory.ingest.rows import shown

MARKUP = "<{["
Colour = tuple[int, int, int]
LONGEST = 80
"""Characters of a class's name, at most."""


def choose(path: Path | None, names: Sequence[str | int] | None, colours: list[list[int]] | None) -> ClassList:
    """The class list from a file, else from the configuration; `ConfigError` where neither is given."""
    if path is not None:
        return read(path)
    if not names:
        raise ConfigError(
            "no classes are given", where="classes", todo="give classes=[background,…] or inputs.class_list"
        )
    texts = [" ".join(str(name).split()) for name in names]
    if not all(texts):
        raise ConfigError("a class has no name", where="classes", got=list(names))
    return ClassList.of(texts, colours)


def read(path: Path) -> ClassList:
    """A text or CSV file, a class a line in id order: ``name`` or ``name,red,green,blue``; # begins a comment."""
    try:
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip() and line[0] != "#"]
        delimiter = max(DELIMITERS, key=lambda mark: "".join(lines[:1]).count(mark))
        rows = [_row(cells) for cells in csv.reader(lines, delimiter=delimiter)]
        return ClassList.of([row[0] for row in rows], _colours(rows))
    except (OSError, UnicodeDecodeError, ValueError, csv.Error, ConfigError) as error:
        todo = "one class a line: name, or name,red,green,blue"
        raise InputError.of(error, what="unreadable class list", where=path, todo=todo) from error


def _colours(rows: Sequence[Sequence[str]]) -> list[Colour]:
    """Each row's own colour; rows without one get those of the hue circle that no other row has."""
    own = [_colour(row) for row in rows]
    free = (colour for colour in map(distinct_colour, itertools.count()) if colour not in own)
    return [colour or next(free) for colour in own]


def _colour(row: Sequence[str]) -> Colour | None:
    if len(row) < 4:
        return None
    red, green, blue = (int(cell) for cell in row[1:4])
    return (red, green, blue)


def _row(cells: Sequence[str]) -> list[str]:
    """A class's name, or that and its colour; `ValueError` for a line of anything else, such as XML, JSON or prose."""
    row = [cell.strip() for cell in cells]
    while row and not row[-1]:
        row.pop()
    name = row[0] if row else ""
    if len(row) in (0, 2, 3) or name[:1] in MARKUP or len(name) > LONGEST or any(sign < " " for sign in name):
        raise ValueError(f"no class: {shown(' '.join(cells))}")
    return row
