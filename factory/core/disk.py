"""Many files of a disk at a time: it takes many in hardly more time than one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

AT_ONCE = 16

Found = TypeVar("Found")


def each(function: Callable[[Path], Found], files: Iterable[Path]) -> list[Found]:
    """What a function that waits for the disk returns of each file, in their order."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return [*threads.map(function, files)]


def remove(folder: Path) -> None:
    """Remove a folder and all in it; of a link that alone. Nothing where there is none."""
    if folder.exists():
        each(os.unlink, (Path(place, name) for place, _, names in os.walk(folder) for name in names))
        shutil.rmtree(folder)
