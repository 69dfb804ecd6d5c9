"""A ZIP of files that codecs read from folders."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from factory.core.errors import InputError
from factory.exchange.cvat import NAME

ENDINGS = (".png", ".json")
LABELS = "labels.json"
"""CVAT's list of classes, which lies beside what is handed out: no corrections."""

UNREADABLE = (zipfile.BadZipFile, zlib.error, UnicodeError, RuntimeError)


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A folder of what is in a ZIP of PNG or JSON files, gone afterwards; any other path is left as it is.

    One with CVAT's XML is left as it is too, unless JSON lies beside it that may be LabelMe's: its codec reads it
    without unpacking the pictures beside it.
    """
    if path.is_dir() or not zipfile.is_zipfile(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            yield Path(folder) if _unpack(path, Path(folder)) else path
        except InputError as error:
            error.where = path if error.where == Path(folder) else error.where
            raise


def _unpack(path: Path, folder: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [PurePosixPath(name).name.lower() for name in archive.namelist()]
            endings = ENDINGS[1:] if NAME in names else ENDINGS
            if not any(name.endswith(endings) and name != LABELS for name in names):
                return False
            archive.extractall(folder)
            return True
    except UNREADABLE as error:
        todo = "pack it again, without a password"
        raise InputError.of(error, what="unreadable ZIP", where=path, todo=todo) from error
