"""Tables as spreadsheets save them: what divides their cells, and how they write numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

DELIMITERS = ",;\t"
DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")


def delimiter_of(header: str, needed: Sequence[str]) -> str:
    """What divides a line so that most of the ``needed`` cells come about; a comma where that is all the same."""
    return max(DELIMITERS, key=lambda mark: len(set(needed) & set(named(header.split(mark)))))


def named(header: Sequence[str]) -> list[str]:
    """The names of columns, without what spreadsheets put around them, in small letters."""
    return [name.strip().strip('"').lower() for name in header]


def with_point(cell: str) -> str:
    """A number with a decimal point; where semicolons divide cells, a decimal comma needs no other sign."""
    return cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell
