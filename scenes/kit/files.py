"""The user's own files inside plans: named relative to a folder, so that a plan says the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")

_folders: dict[str, Path] = {}


def declare(folders: Mapping[str, str]) -> None:
    """Say where each named folder is on this machine. Once in a worker process."""
    _folders.update({name: Path(path) for name, path in folders.items()})


def locate(folder: str, relative: str) -> Path:
    """The file of a declared folder."""
    return _folders[folder] / relative


def listed(name: str, folder: str | None, endings: tuple[str, ...]) -> tuple[str, ...]:
    """Relative paths of the folder's files with one of the endings, sorted; ValueError names what is missing."""
    if folder is None:
        return ()
    root = Path(folder)
    if not root.is_dir():
        raise ValueError(f"{name}: got {folder!r}, expected an existing folder")
    files = (path for path in root.rglob("*") if path.suffix.lower() in endings and path.is_file())
    found = sorted(path.relative_to(root).as_posix() for path in files)
    if not found:
        raise ValueError(f"{name}: got {folder!r}, expected a folder with files in {', '.join(endings)}")
    return tuple(found)
