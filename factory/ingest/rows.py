"""Rows of a user's table, CSV as spreadsheets save it or JSON; a file of another tool is called by its name."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from factory.core.errors import InputError
from factory.core.tables import delimiter_of, named, with_point

Row = Mapping[str, Any]
COORDINATES = ("x", "y", "x0", "y0", "x1", "y1")
SHOWN = 80
"""Characters of a line or row that a message shows, at most."""

OTHERS = {
    "COCO": ({"images", "annotations"}, "write its points or boxes as CSV"),
    "LabelMe": ({"shapes", "imageHeight"}, "give the folder of such files as inputs.masks or inputs.scribbles"),
    "Label Studio": ({"data", "annotations"}, "export it as CSV, and name the columns so"),
    "VIA": ({"_via_img_metadata"}, "write its points or boxes as CSV"),
}
"""JSON of other tools: keys that tell it, and what to do."""


def read(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, Row]]:
    """Each row, with its line in a CSV file or its place in a JSON one; ``columns`` are needed beside the image.

    Commas, semicolons and tabs divide cells, whichever the header has; beside semicolons 10,7 is 10.7. `InputError` for
    a file that is unreadable, another tool's or without these columns.
    """
    expected = f"CSV with a header, or JSON, in UTF-8: {', '.join(('image', *columns))}"
    if path.is_dir():
        todo = "a folder of maps goes to inputs.scribbles or inputs.masks"
        raise InputError("a folder is no table of hints", where=path, expected=expected, todo=todo)
    try:
        text = _text(path, expected)
        if path.suffix.lower() == ".json":
            yield from enumerate(_of_json(path, json.loads(text), columns, expected), 1)
        else:
            yield from _of_csv(path, text.splitlines(), ("image", *columns))
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
        raise InputError.of(error, what="unreadable hints", where=path, todo=f"expected {expected}") from error


def shown(value: object) -> str:
    """A line or row as a message shows it."""
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _text(path: Path, expected: str) -> str:
    data = path.read_bytes()
    if data.startswith(b"PK\x03\x04"):
        todo = "save the spreadsheet as CSV in UTF-8, or unpack the ZIP"
        raise InputError("a spreadsheet or ZIP is not read as hints", where=path, expected=expected, todo=todo)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        got, todo = f"a byte {data[error.start]:#04x} at {error.start}", "save it as UTF-8 (spreadsheets: CSV UTF-8)"
        raise InputError("the table is not in UTF-8", where=path, got=got, expected=expected, todo=todo) from error
    if text.lstrip().startswith("<"):
        cvat = (
            "ingest the pictures alone; factory merge source=… corrections=<this file> takes CVAT's masks and outlines"
        )
        todo = cvat if "<annotations>" in text else "write its points or boxes as CSV"
        raise InputError("XML is not read as hints", where=path, got=shown(text.strip()), expected=expected, todo=todo)
    return text


def _of_csv(path: Path, lines: list[str], needed: Sequence[str]) -> Iterator[tuple[int, Row]]:
    first = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    if first == len(lines):
        raise InputError("an empty file", where=path, expected=f"columns {', '.join(needed)}")
    delimiter = delimiter_of(lines[first], needed)
    reader = csv.reader(lines[first:], delimiter=delimiter, skipinitialspace=True)
    header = named(next(reader))
    if lacking := [name for name in needed if name not in header]:
        got, expected = shown(lines[first]), f"columns {', '.join(needed)}"
        todo = "name the columns so in the first line, and save with commas"
        raise InputError(f"the header lacks {', '.join(lacking)}", where=path, got=got, expected=expected, todo=todo)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            row = dict(zip(header, cells, strict=False))
            yield first + reader.line_num, _with_points(row) if delimiter == ";" else row


def _with_points(row: dict[str, str]) -> dict[str, str]:
    return row | {name: with_point(row[name]) for name in COORDINATES if name in row}


def _of_json(path: Path, body: Any, columns: Sequence[str], expected: str) -> Iterator[Row]:
    """Either a list of objects, or ``{image: [[x, y, class], …]}``."""
    first = body[0] if isinstance(body, list) and body else body
    for tool, (keys, todo) in OTHERS.items():
        if isinstance(first, dict) and keys <= first.keys():
            raise InputError(f"{tool} JSON is not read as hints", where=path, expected=expected, todo=todo)
    if isinstance(body, dict):
        for image, values in body.items():
            for value in values if isinstance(values, list) else [values]:
                cells = value if isinstance(value, list) else [value]
                fits = len(cells) == len(columns)
                yield {"image": image} | (dict(zip(columns, cells, strict=True)) if fits else {"values": cells})
    else:
        for row in body if isinstance(body, list) else [body]:
            yield row if isinstance(row, dict) else {"values": row}
