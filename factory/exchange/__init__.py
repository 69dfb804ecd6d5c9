"""Files of other tools: what a codec reads and writes, whatever the format.

A codec is exact: the class ids it writes are the class ids it reads back, pixel for pixel, and the ignore index comes
back as ignore ("nothing said"). What a file holds and a codec cannot read is named, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from factory.core.classes import ClassList
from factory.core.errors import InputError

Mask = npt.NDArray[np.uint8]
"""Class ids, shape (height, width); the ignore index means "nothing said"."""


class Entry(Protocol):
    """What a file says about one image."""

    @property
    def name(self) -> str:
        """The image's name as the file states it, folders included."""

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence for each thing in the file that this codec does not read."""

    def mask(self, classes: ClassList, size_hw: tuple[int, int]) -> Mask:
        """The class ids of every pixel; `InputError` for another size, an unknown class or a broken entry."""


class Codec(Protocol):
    """Reads and writes the masks of a data set in one format."""

    def read(self, path: Path) -> Iterator[Entry]:
        """One entry an image, in the file's order; `InputError` for a file that is not of this format."""

    def write(self, masks: Iterable[tuple[str, Mask]], classes: ClassList) -> Iterator[tuple[str, bytes]]:
        """Files as (relative path, content) for (image name, class ids) pairs. Equal masks give equal bytes."""


def require_size(got_hw: tuple[int, int], expected_hw: tuple[int, int], where: object) -> None:
    """`InputError` unless the entry is of the image's size."""
    if got_hw != expected_hw:
        got, expected = (f"{width} x {height} (width x height)" for height, width in (got_hw, expected_hw))
        todo = "correct the image as it is in the data set, without scaling or cropping"
        raise InputError("another size than the image", where=where, got=got, expected=expected, todo=todo)


def placed(error: InputError, where: object, todo: str) -> InputError:
    """The same error, said of an entry; its own advice goes before ``todo``."""
    return InputError(error.what, where=where, got=error.got, expected=error.expected, todo=error.todo or todo)
