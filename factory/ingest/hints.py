"""Weak labels as users keep them: CSV and JSON files of tags, points and boxes, read into one table by image name."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from factory.core.classes import ClassList
from factory.core.errors import InputError
from factory.core.sample import Hints
from factory.ingest import rows
from factory.ingest.names import Names, tidied
from factory.ingest.rows import Row

GIVEN, DENIED = ("", "true", "t", "yes", "y"), ("false", "f", "no", "n")
POINT, BOX, TAG = ("x", "y", "class"), ("x0", "y0", "x1", "y1", "class"), ("tag",)


@dataclass
class HintTable:
    """Hints by picture, or by a name that means none, and what could not be used, as (where, reason)."""

    points: dict[str, list[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(list))
    boxes: dict[str, list[tuple[int, int, int, int, int]]] = field(default_factory=lambda: defaultdict(list))
    tags: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    absent: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    refused: list[tuple[str, str]] = field(default_factory=list)

    def strays(self, names: Names) -> list[tuple[str, str]]:
        """What is said of names that mean no picture, or several, as (name, reason)."""
        said = {name for table in (self.points, self.boxes, self.tags, self.absent) for name in table}
        return [(name, names.why_not(name)) for name in sorted(said - names.paths.keys())]

    def complete(self) -> None:
        """Let every class that some row speaks of be absent wherever it is not said to be there.

        Classes that no row names (background, texture) stay open; so do pictures that no tag row names.
        """
        named = set().union(*self.tags.values(), *self.absent.values())
        for name in (*self.tags, *self.absent):
            self.absent[name] |= named - self.tags.get(name, set())

    def disputed(self, classes: ClassList) -> list[tuple[str, str]]:
        """The tags that are both given and denied, by their names, as (image, reason)."""
        both = {name: self.tags[name] & self.absent[name] for name in self.tags.keys() & self.absent.keys()}
        reason = "tags are both given and denied: {}: neither counts"
        return [
            (name, reason.format(", ".join(classes.names[class_id] for class_id in sorted(ids))))
            for name, ids in sorted(both.items())
            if ids
        ]

    def of(self, name: str) -> Hints:
        """What is said of one image; a tag both given and denied counts as neither."""
        tags, absent = self.tags.get(name, set()), self.absent.get(name, set())
        return Hints(
            points=tuple(self.points.get(name, ())),
            boxes=tuple(self.boxes.get(name, ())),
            tags=tuple(sorted(tags - absent)),
            absent=tuple(sorted(absent - tags)),
        )


def read(classes: ClassList, names: Names, *, tags: Path | None, points: Path | None, boxes: Path | None) -> HintTable:
    """Read the files that are given. A row that cannot be used is refused alone; a file without rows is an error.

    Coordinates count from the outer corner of the top-left pixel: a point is the pixel it lies in (10.7 in pixel 10, as
    10 is), a box the pixels between the edges nearest to its own.
    """
    table = HintTable()
    numbers: list[float] = []

    def point(name: str, row: Row) -> None:
        place = [_number(row, key) for key in POINT[:2]]
        x, y = map(math.floor, place)
        table.points[name].append((x, y, classes.id_of(row["class"])))
        numbers.extend(place)

    def box(name: str, row: Row) -> None:
        edges = [_number(row, key) for key in BOX[:4]]
        x0, y0, x1, y1 = map(round, edges)
        table.boxes[name].append((x0, y0, x1, y1, classes.id_of(row["class"])))
        numbers.extend(edges)

    def tag(name: str, row: Row) -> None:
        (table.tags if _present(row.get("present")) else table.absent)[name].add(classes.id_of(row["tag"]))

    for path, columns, take in ((points, POINT, point), (boxes, BOX, box), (tags, TAG, tag)):
        if path is not None:
            _take_all(path, columns, take, names, table.refused)
            _require_pixels(path, numbers)
            numbers.clear()
    return table


def place(hints: Hints, width: int, height: int, classes: ClassList) -> tuple[Hints, list[str]]:
    """The hints that can stand in an image of this size, and a reason for each that cannot, classes by their names.

    Points outside the image are dropped; points that contradict each other at one pixel are all dropped; boxes are cut
    at the border and dropped when nothing is left.
    """
    reasons: list[str] = []
    said: dict[tuple[int, int], set[int]] = defaultdict(set)
    for x, y, class_id in hints.points:
        if 0 <= x < width and 0 <= y < height:
            said[x, y].add(class_id)
        else:
            turned = " (x and y exchanged?)" if 0 <= y < width and 0 <= x < height else ""
            reasons.append(f"point ({x}, {y}) lies outside the image of {width} x {height}{turned}: dropped")
    for (x, y), ids in said.items():
        if len(ids) > 1:
            names = " and ".join(classes.names[class_id] for class_id in sorted(ids))
            reasons.append(f"points at ({x}, {y}) contradict each other ({names}): dropped")
    kept = tuple((x, y, ids.copy().pop()) for (x, y), ids in said.items() if len(ids) == 1)
    boxes = tuple((max(x0, 0), max(y0, 0), min(x1, width), min(y1, height), c) for x0, y0, x1, y1, c in hints.boxes)
    fitting = tuple(box for box in boxes if box[0] < box[2] and box[1] < box[3])
    for (x0, y0, x1, y1, _), box in zip(hints.boxes, boxes, strict=True):
        if box not in fitting:
            turned = " (x0 and y0 are the left upper corner)" if x0 > x1 or y0 > y1 else ""
            given = f"box {(x0, y0, x1, y1)} is empty inside the image of {width} x {height}"
            reasons.append(f"{given}{turned}: dropped")
    return Hints(tags=hints.tags, absent=hints.absent, points=kept, boxes=fitting), reasons


def joined(one: Hints, other: Hints) -> Hints:
    """What is said of a picture in two places; a tag that is `contradicted` counts as neither."""
    neither = contradicted(one, other)
    return Hints(
        points=tuple(dict.fromkeys((*one.points, *other.points))),
        boxes=tuple(dict.fromkeys((*one.boxes, *other.boxes))),
        tags=tuple(sorted({*one.tags, *other.tags} - neither)),
        absent=tuple(sorted({*one.absent, *other.absent} - neither)),
    )


def contradicted(one: Hints, other: Hints) -> set[int]:
    """Classes whose tag is given in one place and denied in the other."""
    return ({*one.tags} & {*other.absent}) | ({*one.absent} & {*other.tags})


def _take_all(
    path: Path, columns: Sequence[str], take: Callable[[str, Row], None], names: Names, refused: list[tuple[str, str]]
) -> None:
    taken: set[str] = set()
    unusable = []
    for number, row in rows.read(path, columns):
        try:
            name = _picture(_cells(row, ("image", *columns))[0], names)
            take(name, row)
            taken.add(name)
        except (ValueError, TypeError, OverflowError) as error:
            unusable.append((f"{path.name}:{number}", f"unusable row: {error}"))
        except InputError as error:
            unusable.append((f"{path.name}:{number}", error.one_line()))
    refused += unusable
    if not taken:
        got = ": ".join(unusable[0]) if unusable else "no row at all"
        raise InputError("no usable row", where=path, got=got, expected=f"columns {', '.join(('image', *columns))}")
    if taken.isdisjoint(names.paths):
        got, expected = ", ".join(sorted(taken)[:3]), f"names of pictures, such as {', '.join(list(names.paths)[:3])}"
        raise InputError("no row is of a picture in the folder", where=path, got=got, expected=expected)


def _require_pixels(path: Path, numbers: Sequence[float]) -> None:
    """`InputError` for coordinates that are shares of a picture's sides: all of them would be its first pixel."""
    if any(0 < number < 1 for number in numbers) and all(0 <= number <= 1 for number in numbers):
        todo = "multiply x by the picture's width, y by its height"
        got = f"none above {max(numbers):g}"
        raise InputError("coordinates are pixels, not shares of a picture", where=path, got=got, todo=todo)


def _number(row: Row, key: str) -> float:
    try:
        return float(row[key])
    except ValueError as error:
        raise ValueError(f"{key} is {row[key]!r}, no number of pixels") from error


def _cells(row: Row, needed: Sequence[str]) -> list[str]:
    """The cells that a row must have, as text."""
    if lacking := [name for name in needed if row.get(name) is None or not str(row[name]).strip()]:
        raise ValueError(f"it lacks {', '.join(lacking)}; it has {rows.shown(dict(row))}")
    return [str(row[name]) for name in needed]


def _picture(image: str, names: Names) -> str:
    """The one picture that is meant, else the name as it stands."""
    stated = tidied(image)
    found = names.meant(stated)
    return found[0] if len(found) == 1 else stated


def _present(value: object) -> bool:
    """Whether a tag is given rather than denied: a number or a word; nothing at all gives it."""
    word = "" if value is None else str(value).strip().lower()
    if word in GIVEN or word in DENIED:
        return word in GIVEN
    try:
        return float(word) != 0
    except ValueError as error:
        raise ValueError(f"present is {value!r}, neither yes nor no") from error
