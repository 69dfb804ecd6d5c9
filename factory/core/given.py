"""The user's files and folders: without what the factory itself put into them, and by a name that is close."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path

from factory.core.artefact import DRAFT, HEADER
from factory.core.writer import IDENTITY, LOCK

_NOTES = ("thumbs.db", "desktop.ini")
"""What Windows writes into folders that one looks at, in any case."""


def files_in(folder: Path) -> Iterator[Path]:
    """Every regular file below a folder, in name order, but none of artefacts, finished or not, nor what is hidden
    (a name that begins with a dot) or an operating system's note of how the folder is shown.

    The folder itself may be any of these: who names it means it. Links to folders are followed, unless they lead to
    where one has been already, or back up: each folder counts once, by its own name before that of a link.
    """
    found, waiting, been = [], [folder], set(folder.resolve().parents)
    while waiting:
        for parent, folders, names in os.walk(waiting.pop(0)):
            if (here := Path(parent).resolve()) in been:
                folders.clear()
                continue
            been.add(here)
            folders[:] = sorted(name for name in folders if not _is_ours(Path(parent, name)))
            waiting += [Path(parent, name) for name in folders if Path(parent, name).is_symlink()]
            found += [Path(parent, name) for name in names]
    return (path for path in sorted(found) if path.is_file() and not _is_hidden(path.name))


def instead_of(absent: Path) -> str:
    """What to do about a path that is not there: what beside it is called nearly so, if anything is."""
    missing = next((path for path in (absent, *absent.parents) if path.parent.is_dir()), absent)
    beside = [path.name for path in missing.parent.iterdir() if path.suffix != DRAFT]
    close = difflib.get_close_matches(missing.name, beside, 1)
    if not close:
        return "check the path, or make it first"
    found = missing.with_name(close[0])
    whole = found / absent.relative_to(missing)
    return f"did you mean {whole if whole.exists() else found}?"


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _NOTES


def _is_ours(folder: Path) -> bool:
    if _is_hidden(folder.name) or (folder / HEADER).is_file():
        return True
    return folder.suffix == DRAFT and any((folder / mark).is_file() for mark in (IDENTITY, LOCK))
