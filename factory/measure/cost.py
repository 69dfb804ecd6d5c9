"""What a person's answers cost in seconds: stated beforehand, and learnt from how long they took."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import nnls

from factory.core.errors import ConfigError, InputError
from factory.core.tables import delimiter_of, with_point

TAKEN = "taken"
"""The column of a log that holds the seconds a region took."""
COLUMNS = ("image", "border", TAKEN)
REWEIGHED = 30
"""Times that the errors weigh anew: enough for three costs to stand still."""


class Work(NamedTuple):
    """One picture's answers: regions, pixels of border that were drawn in them, and the seconds all of it took."""

    regions: int
    border: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Seconds to open a picture, to look at one region and name it, and to draw one pixel of border within it.

    ``trust`` is how firmly these statements hold against a log: ten times as much takes ten times as many pictures to
    move them as far.
    """

    image: float
    region: float
    border: float
    trust: float

    def __post_init__(self) -> None:
        for name in ("image", "region", "border"):
            if getattr(self, name) < 0:
                raise ConfigError(f"cost.{name} is in seconds, 0 or more", got=getattr(self, name))
        if self.trust <= 0:
            raise ConfigError("cost.trust must be above 0", got=self.trust)

    def seconds(self, border: int) -> float:
        """What one region costs once its picture is open."""
        return self.region + self.border * border

    def learnt(self, log: Iterable[Work]) -> Cost:
        """The same with what the pictures of a log took: ridge regression towards what is stated, no cost below 0.

        Huber's loss (1964) of the error of each picture's time relative to what is stated for it - its square up to 1,
        and growing in a straight line beyond, as a picture stays open over lunch - and ``trust`` times the squared
        relative change of each of the three are least in sum: what a log cannot tell apart stays in the proportion
        stated.
        """
        rows = [work for work in log if work.seconds > 0]
        if not rows:
            return self
        stated_3 = np.array([self.image, self.region, self.border])
        scale_3 = np.where(stated_3 > 0, stated_3, max(stated_3.max(), 1.0))
        work_n3 = np.array([[1, work.regions, work.border] for work in rows], float) * scale_3
        expected_n = np.maximum(work_n3 @ (stated_3 / scale_3), 1e-6)
        seen_n3, seen_n = work_n3 / expected_n[:, None], np.array([work.seconds for work in rows]) / expected_n
        held_33, held_3 = np.sqrt(self.trust) * np.eye(3), np.sqrt(self.trust) * stated_3 / scale_3
        found_3 = stated_3 / scale_3
        for _ in range(REWEIGHED):
            root_n = 1 / np.sqrt(np.maximum(np.abs(seen_n3 @ found_3 - seen_n), 1))
            rows_m3 = np.vstack([seen_n3 * root_n[:, None], held_33])
            found_3, _ = nnls(rows_m3, np.concatenate([seen_n * root_n, held_3]))
        image, region, border = (found_3 * scale_3).tolist()
        return replace(self, image=image, region=region, border=border)


def read_log(path: Path) -> list[Work]:
    """Times by picture from a queue's table with the column `taken` filled in; pictures without any are left out.

    A picture's time is the sum of those stated for its regions. `InputError` names the line that is wrong.
    """
    found: dict[str, list[Work]] = defaultdict(list)
    for line, row in enumerate(_rows(path), 2):
        if (row[TAKEN] or "").strip():
            found[row["image"]].append(_work(path, line, row))
    return [
        Work(len(works), sum(work.border for work in works), sum(work.seconds for work in works))
        for _, works in sorted(found.items())
    ]


def joined(paths: Iterable[Path]) -> bytes:
    """One log of several; the same picture in two of them was opened twice. `InputError` for one that is wrong."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for number, path in enumerate(paths):
        read_log(path)
        table.writerows([f"{number}/{row['image']}", row["border"], row[TAKEN]] for row in _rows(path))
    return text.getvalue().encode()


def _rows(path: Path) -> list[dict[str, str]]:
    """The rows of a log as a spreadsheet may have saved it, with semicolons and decimal commas."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        delimiter = delimiter_of(text.partition("\n")[0], COLUMNS)
        table = csv.DictReader(io.StringIO(text), delimiter=delimiter)
        rows = list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        todo = "save it as CSV in UTF-8 (spreadsheets: CSV UTF-8), where it may be read"
        raise InputError.of(error, what="unreadable log", where=path, todo=todo) from error
    if absent := [name for name in COLUMNS if name not in (table.fieldnames or ())]:
        todo = "give the queue.csv that was handed out, with seconds in its column taken"
        raise InputError("the log lacks columns", where=path, got=", ".join(table.fieldnames or ()) or "an empty file",
                         expected=", ".join(absent), todo=todo)  # fmt: skip
    return [row | {TAKEN: with_point(row[TAKEN] or "")} for row in rows] if delimiter == ";" else rows


def _work(path: Path, line: int, row: dict[str, str]) -> Work:
    try:
        work = Work(1, int(row["border"]), float(row[TAKEN]))
    except (TypeError, ValueError) as error:
        todo = f"correct it (border {row['border']!r}, taken {row[TAKEN]!r}); taken is in seconds, such as 90 or 12.5"
        raise InputError.of(error, what="no numbers", where=f"{path}, line {line}", todo=todo) from error
    if not 0 <= work.seconds < np.inf or work.border < 0:
        raise InputError("times are seconds from 0", where=f"{path}, line {line}", got=row[TAKEN])
    return work
