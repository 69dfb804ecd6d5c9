"""The class list as users state it: in the configuration, or as a file of names and colours."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from factory.core.classes import ClassList
from factory.core.errors import ConfigError, InputError


def choose(path: Path | None, names: Sequence[str | int] | None, colours: list[list[int]] | None) -> ClassList:
    """The class list from a file, else from the configuration; `ConfigError` where neither is given."""
    if path is not None:
        return read(path)
    if not names:
        raise ConfigError(
            "no classes are given", where="classes", todo="give classes=[background,…] or inputs.class_list"
        )
    return ClassList.of(names, colours)


def read(path: Path) -> ClassList:
    """A text or CSV file, a class a line in id order: ``name`` or ``name,red,green,blue``; # begins a comment."""
    try:
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip() and line[0] != "#"]
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines)]
        colours = [[int(cell) for cell in row[1:4]] for row in rows if len(row) >= 4]
        return ClassList.of([row[0] for row in rows], colours if len(colours) == len(rows) else None)
    except (OSError, UnicodeDecodeError, ValueError, IndexError, ConfigError) as error:
        todo = "one class a line: name, or name,red,green,blue"
        raise InputError.of(error, what="unreadable class list", where=path, todo=todo) from error
