"""``assets.csv``: which mesh is of which class, how large it is and how it lies. Checked before anything is rendered.

One row a mesh file. Columns, in any order: ``file`` (relative to the folder, subfolders too) and ``class``; ``size_m``
(its largest extent, metres) or ``scale`` (metres for one unit of the file); ``pose`` (upright, any, flat, or
roll/pitch/yaw in degrees), ``weight``, ``count`` (how many come at once: 3, or 2-5) and ``colour`` (#rrggbb, of the
class) may be left out or empty.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from scenes.kit.pack import Colour

NAME = "assets.csv"
ENDINGS = (".obj", ".ply", ".glb", ".stl", ".blend")
COLUMNS = ("file", "class", "size_m", "scale", "pose", "weight", "count", "colour")
POSES = ("upright", "any", "flat")
BACKGROUND = ("background", (0, 0, 0))
MOST_CLASSES, MOST_COPIES = 255, 100

_CYCLE: tuple[Colour, ...] = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
    (187, 187, 187),
)  # fmt: skip
"""Okabe and Ito's colours, which colour-blind people can tell apart, and a grey; darker in every further turn."""


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One row. Either ``size_m`` or ``scale`` is set; ``pose`` is one of `POSES` or three angles in degrees."""

    file: str
    class_name: str
    size_m: float | None
    scale: float | None
    pose: str | tuple[float, float, float]
    weight: float
    count: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a folder offers: usable rows, classes in id order, and what is never shown and why: rows, whole classes."""

    assets: tuple[Asset, ...]
    classes: tuple[tuple[str, Colour], ...]
    left_out: tuple[str, ...]


def read(folder: str) -> Listing:
    """Read and check the folder's ``assets.csv``; ValueError says in which row what was got and what is expected."""
    root = Path(folder)
    path = root / NAME
    if not path.is_file():
        raise ValueError(f"folder: got {folder!r}, expected a folder with {NAME} and the mesh files that it lists")
    assets: list[Asset] = []
    left_out: list[str] = []
    colours: dict[str, Colour | None] = {}
    for row in _rows(path):
        asset, colour = _asset(row)
        colours[asset.class_name] = _agreed(row, asset.class_name, colour, colours.get(asset.class_name))
        fault = _fault(root / asset.file)
        if fault:
            left_out.append(f"row {row.number}: {asset.file}: {fault}; left out")
        else:
            assets.append(asset)
    if sum(asset.weight for asset in assets) <= 0:
        found = "; ".join(left_out[:4]) or "none"
        raise ValueError(f"folder: got no usable row in {NAME} ({found}), expected one or more with a weight above 0")
    shown = {asset.class_name for asset in assets if asset.weight}
    left_out += [
        f"class {name}: no usable row with a weight above 0; never shown" for name in colours if name not in shown
    ]
    return Listing(assets=tuple(assets), classes=_coloured(colours), left_out=tuple(left_out))


@dataclass(frozen=True)
class _Row:
    """A line of the table by column, blanks stripped, empty where nothing is."""

    number: int
    cells: dict[str, str]

    def wrong(self, column: str, expected: str) -> NoReturn:
        raise ValueError(f"{NAME} row {self.number}, {column}: got {self.cells[column]!r}, expected {expected}")

    def number_of(self, column: str, *, least: float = 0.0) -> float | None:
        """A finite number above ``least``, or none where the cell is empty."""
        if not self.cells[column]:
            return None
        expected = f"a number above {least:g}"
        try:
            value = float(self.cells[column])
        except ValueError:
            self.wrong(column, expected)
        if not (math.isfinite(value) and value > least):
            self.wrong(column, expected)
        return value


def _rows(path: Path) -> Iterator[_Row]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{NAME}: got bytes that are no UTF-8 ({error}), expected a CSV file in UTF-8") from None
    reader = csv.reader(lines)
    header = [name.strip() for name in next(reader, [])]
    _check_header(header)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            if len(cells) > len(header):
                got = f"{len(cells)} cells"
                raise ValueError(f"{NAME} row {reader.line_num}: got {got}, expected {len(header)}, as in the header")
            filled = dict(zip(header, (cell.strip() for cell in cells), strict=False))
            yield _Row(reader.line_num, {name: filled.get(name, "") for name in COLUMNS})


def _check_header(header: list[str]) -> None:
    known = f"columns file and class, and any of {', '.join(COLUMNS[2:])}"
    if unknown := [name for name in header if name not in COLUMNS]:
        raise ValueError(f"{NAME}: got unknown columns {', '.join(map(repr, unknown))}, expected {known}")
    if missing := [name for name in COLUMNS[:2] if name not in header]:
        raise ValueError(f"{NAME}: got no column {' and no column '.join(missing)}, expected {known}")
    if len(set(header)) != len(header):
        raise ValueError(f"{NAME}: got columns {', '.join(header)}, expected each once")


def _asset(row: _Row) -> tuple[Asset, Colour | None]:
    size, scale = row.number_of("size_m"), row.number_of("scale")
    if (size is None) == (scale is None):
        row.wrong("size_m", "either size_m (largest extent in metres) or scale (metres for one unit of the file)")
    asset = Asset(
        file=_file(row),
        class_name=_class(row),
        size_m=size,
        scale=scale,
        pose=_pose(row),
        weight=_weight(row),
        count=_count(row),
    )
    return asset, _colour(row)


def _file(row: _Row) -> str:
    place = PurePosixPath(row.cells["file"].replace("\\", "/"))
    if not row.cells["file"] or place.is_absolute() or ".." in place.parts:
        row.wrong("file", "a path inside the folder, relative to it")
    return place.as_posix()


def _class(row: _Row) -> str:
    if row.cells["class"] in ("", BACKGROUND[0]):
        row.wrong("class", f"the name of a class; {BACKGROUND[0]} is what everything else is called")
    return row.cells["class"]


def _pose(row: _Row) -> str | tuple[float, float, float]:
    text, expected = row.cells["pose"] or "upright", f"{', '.join(POSES)}, or roll/pitch/yaw in degrees, as 90/0/45"
    if text in POSES:
        return text
    try:
        roll, pitch, yaw = (float(angle) for angle in text.split("/"))
    except ValueError:
        row.wrong("pose", expected)
    if not all(map(math.isfinite, (roll, pitch, yaw))):
        row.wrong("pose", expected)
    return roll, pitch, yaw


def _weight(row: _Row) -> float:
    """0 keeps a row without using it."""
    text = row.cells["weight"]
    return 0.0 if re.fullmatch(r"0+(\.0*)?|\.0+", text) else row.number_of("weight") or 1.0


def _count(row: _Row) -> tuple[int, int]:
    text = row.cells["count"] or "1"
    found = re.fullmatch(r"(\d+)(?:\s*-\s*(\d+))?", text)
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= low <= high <= MOST_COPIES:
        row.wrong("count", f"a whole number or a range like 2-5, from 1 to {MOST_COPIES}")
    return low, high


def _colour(row: _Row) -> Colour | None:
    text = row.cells["colour"]
    if not text:
        return None
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        row.wrong("colour", "#rrggbb")
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:], 16)


def _agreed(row: _Row, name: str, colour: Colour | None, before: Colour | None) -> Colour | None:
    """The class's colour by this row and those above it."""
    if colour is not None and before is not None and colour != before:
        row.wrong("colour", f"the colour that class {name} has in a row above")
    return colour or before


def _fault(path: Path) -> str | None:
    """Why a file cannot even be tried."""
    checks: tuple[tuple[Callable[[], Any], str], ...] = (
        (lambda: path.suffix.lower() in ENDINGS, f"got ending {path.suffix or 'none'}, expected {', '.join(ENDINGS)}"),
        (path.is_file, "no such file"),
        (lambda: path.stat().st_size, "the file is empty"),
    )
    return next((fault for check, fault in checks if not check()), None)


def _coloured(colours: dict[str, Colour | None]) -> tuple[tuple[str, Colour], ...]:
    """Classes in the order of their first rows; those without a colour take free ones of the cycle."""
    if len(colours) >= MOST_CLASSES:
        raise ValueError(f"{NAME}: got {len(colours)} classes, expected at most {MOST_CLASSES - 1}")
    taken = [BACKGROUND[1], *filter(None, colours.values())]
    if len(set(taken)) != len(taken):
        twice = next(colour for colour in taken if taken.count(colour) > 1)
        raise ValueError(f"{NAME}, colour: got #{bytes(twice).hex()} for two classes, expected one of its own for each")
    free = (colour for colour in _cycle() if colour not in taken)
    return (BACKGROUND, *((name, colour or next(free)) for name, colour in colours.items()))


def _cycle() -> Iterator[Colour]:
    """Distinct colours: each turn a little darker than the one before."""
    seen: set[Colour] = set()
    for turn in range(200):
        for red, green, blue in _CYCLE:
            colour = (round(red * 0.88**turn), round(green * 0.9**turn), round(blue * 0.92**turn))
            if colour not in seen:
                seen.add(colour)
                yield colour
