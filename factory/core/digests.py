"""Content digests of files and folders, and writing that is either whole or absent."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any


def of_bytes(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def of_file(path: Path) -> str:
    """SHA-256 of a file's content in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and a final newline: equal values give equal bytes."""
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def files_below(folder: Path) -> Iterator[Path]:
    """Every regular file below a folder, in name order."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def of_path(path: Path, files_in: Callable[[Path], Iterable[Path]] = files_below) -> str:
    """Digest of a file, or of the names and contents of ``files_in`` a folder; where it lies and when it was written do
    not count.
    """
    if path.is_file():
        return of_file(path)
    lines = [f"{of_file(file)}  {file.relative_to(path).as_posix()}\n" for file in files_in(path)]
    return of_bytes("".join(lines).encode())


def write_atomically(path: Path, data: bytes) -> None:
    """Write beside the target, flush to disk, rename: a reader sees the old content or the new, never a half."""
    replace_with(path, data, synced=True)


def replace_with(path: Path, data: bytes, *, synced: bool = False) -> None:
    """The same, flushed only if ``synced``. What a full disk cuts short is removed, and the error names the file."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as stream:
            stream.write(data)
            if synced:
                stream.flush()
                os.fsync(stream.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        error.filename = error.filename or str(path)
        raise


def sync_folder(folder: Path) -> None:
    """Make renames inside the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
