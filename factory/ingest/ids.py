"""Ids of pictures, made of their names: unique, and safe as the names of files on any system."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 200
"""Bytes of an id in other letters than ASCII, which take several each: a file's name has at most 255."""


def unique(names: Iterable[str]) -> list[str]:
    """An id a name (a path without suffix), numbered where two would be the same."""
    taken: set[str] = set()
    result = []
    for name in names:
        base = _safe(name)
        sample_id = next(i for n in range(len(taken) + 1) if (i := f"{base}-{n + 1}" if n else base) not in taken)
        taken.add(sample_id)
        result.append(sample_id)
    return result


def _safe(name: str) -> str:
    """Letters with their marks, digits and ``._-`` as they are, of whatever script; all else is ``_``.

    Systems write an accent as part of its letter or behind it: here it always is a part (NFC).
    """
    plain = unicodedata.normalize("NFC", name.replace("/", "__"))
    kept = "".join(sign if sign in "._-" or unicodedata.category(sign)[0] in "LMN" else " " for sign in plain)
    base = re.sub(" +", "_", kept).lstrip(".") or "image"
    return base if base.isascii() else base.encode()[:LONGEST].decode(errors="ignore")
