"""The user's folders, without what the factory itself put into them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from factory.core.artefact import HEADER
from factory.core.writer import IDENTITY, LOCK


def files_in(folder: Path) -> Iterator[Path]:
    """Every regular file below a folder, in name order, but none of artefacts, finished or not, or in hidden folders.

    The folder itself may be any of these: who names it means it.
    """
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _is_ours(Path(parent, name))]
        found += [Path(parent, name) for name in names]
    return (path for path in sorted(found) if path.is_file())


def _is_ours(folder: Path) -> bool:
    if folder.name.startswith(".") or (folder / HEADER).is_file():
        return True
    return folder.suffix == ".partial" and any((folder / mark).is_file() for mark in (IDENTITY, LOCK))
