"""``factory show <folder>``: what an artefact is, what it was made of and how, and whether it is as it was sealed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from factory.command.show import figures_of, listing, paper
from factory.core.artefact import DRAFT, HEADER, SUMS, TARGET, Artefact, Header, flattened, read_header
from factory.core.errors import ArtefactError, ConfigError, FactoryError
from factory.core.words import many

CHECK = "check=true"
SHORT = 12
"""Digits of a digest that are shown."""


def show(words: Sequence[str]) -> int:
    """Print artefacts, or all that lie in folders; the exit status, 1 where ``check=true`` finds one changed.

    `ArtefactError` where there is nothing.
    """
    if strange := [word for word in words if word.startswith(("-", "check=")) and word != CHECK]:
        got, expected = " ".join(strange), f"folders, and {CHECK}"
        raise ConfigError("words that mean nothing here", where="factory show", got=got, expected=expected)
    folders, check = [Path(word) for word in words if word != CHECK], CHECK in words
    statuses = [
        _one(folder, check=check) if _is_one(folder) else _all_in(folder, check=check)
        for folder in folders or [Path("outputs")]
    ]
    return max(statuses)


def _is_one(folder: Path) -> bool:
    return (folder / HEADER).is_file()


def _one(folder: Path, *, check: bool) -> int:
    header = read_header(folder)
    console = paper()
    console.print(Text.assemble((str(folder), "bold"), f": {header.kind}, made by {header.identity.stage}\n"))
    made = [("seed", str(header.identity.seed)), ("code", header.identity.code), ("digest", header.digest[:SHORT])]
    listing(console, "Made", [*made, *_inputs(folder, header)])
    for title, values in (("Settings", header.identity.config), ("Figures", header.figures)):
        if values:
            listing(console, title, list(_rows(values)))
    if header.issues:
        told = [(issue["where"], issue["reason"]) for issue in header.issues]
        listing(console, f"Left out or to look at ({len(told)})", told)
    return _checked(folder) if check else 0


def _inputs(folder: Path, header: Header) -> Iterator[tuple[str, str]]:
    """Each input by its digest, and the artefact beside this one that has it."""
    beside = {_digest(other): other for other in folder.absolute().parent.iterdir() if _is_one(other)}
    for name, digest in header.identity.inputs.items():
        there = f", {beside[digest].name} beside it" if digest in beside else ""
        yield f"inputs.{name}", f"{digest[:SHORT]}{there}"


def _digest(folder: Path) -> str:
    try:
        return read_header(folder).digest
    except FactoryError:
        return ""


def _rows(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each key with its value; a part's own key says what it is."""
    for key, text in flattened(values).items():
        value = json.loads(text)
        if key.endswith(TARGET):
            yield key.removesuffix(f".{TARGET}"), value.rpartition(".")[2]
        else:
            yield key, f"{value:.6g}" if isinstance(value, float) else text.strip('"')


def _checked(folder: Path) -> int:
    """Say which files are no longer what was sealed."""
    files = len((folder / SUMS).read_text("utf-8").splitlines())
    try:
        damaged = Artefact.open(folder).damaged()
    except ArtefactError as error:
        print(f"{folder}: {error.one_line()}")
        return 1
    found = f"changed since: {', '.join(damaged)}" if damaged else "as sealed"
    print(f"{folder}: {many(files, 'file')}, {found}")
    return int(bool(damaged))


def _all_in(folder: Path, *, check: bool) -> int:
    if not folder.is_dir():
        raise ArtefactError("no such folder", where=folder, expected="an artefact, or a folder of artefacts")
    found = list(_artefacts(folder))
    if not found:
        raise ArtefactError(
            "no artefact here", where=folder, todo="give a folder that a stage has written, or one above"
        )
    table = Table(title="Artefacts", title_justify="left", title_style="bold")
    for column in ("folder", "kind", "stage", "seed", "issues", "figures"):
        table.add_column(column, overflow="fold")
    for path in found:
        table.add_row(Text(str(path)), *map(Text, _row(path)))
    paper().print(table)
    return max(map(_checked, filter(_is_one, found)), default=0) if check else 0


def _artefacts(folder: Path) -> Iterator[Path]:
    """The sealed folders below one, and the drafts of some; none holds another."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        if HEADER in files or place.endswith(DRAFT):
            folders.clear()
            yield Path(place)


def _row(path: Path) -> tuple[str, ...]:
    if not _is_one(path):
        return "", "not finished: the command that makes it goes on from there"
    try:
        header = read_header(path)
    except FactoryError as error:
        return "", error.one_line()
    identity = header.identity
    issues = str(len(header.issues) or "")
    return str(header.kind), identity.stage, str(identity.seed), issues, figures_of(header.figures)
