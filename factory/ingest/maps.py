"""Files of class ids beside the pictures, masks and scribbles: which belongs to which picture, and which to none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from factory.core.errors import InputError
from factory.ingest import pictures
from factory.ingest.names import Names

SUFFIXES = (".png", ".json", ".tif", ".tiff", ".bmp")
"""Files of class ids, lossless, or of LabelMe's; of several for one picture the first kind counts."""

TODO = (
    "give each picture a file of its own: a PNG, or LabelMe's JSON; save what COCO's holds as such PNGs; and give "
    "CVAT's XML to factory merge corrections=…, with the pictures ingested without masks as its source"
)


@dataclass(frozen=True, kw_only=True)
class MapFiles:
    """One kind of map: the files of a folder, or the one given, by the picture that each belongs to.

    ``unclear`` says of those that may belong to several pictures, and so belong to none, what to call them.
    """

    folder: Path
    by_picture: Mapping[str, Path]
    unclear: Mapping[Path, str]


def find(folder: Path, names: Names) -> MapFiles:
    """The files that are called like pictures, none of which they are; `InputError` where there is none.

    Where two pictures differ in their suffix alone, a map is called like the whole of one: ``a.jpg.png``.
    """
    if folder.is_file() and len(names.paths) == 1:
        return MapFiles(folder=folder, by_picture=dict.fromkeys(names.paths, folder), unclear={})
    taken = set(names.paths.values())
    there = [path for path in pictures.find(folder, SUFFIXES) if path not in taken]
    meant = {path: names.meant(_name(path, folder)) for path in sorted(there, key=_kind, reverse=True)}
    by_picture = {found[0]: path for path, found in meant.items() if len(found) == 1}
    unclear = {path: _advice(path, meant[path]) for path in there if len(meant[path]) > 1}
    if not by_picture:
        got = ", ".join(f"{path.name} {unclear.get(path, '')}".strip() for path in there[:3]) or "no such file"
        first = Path(next(iter(names.paths))).with_suffix(".png")
        expected = f"{first}, or the like: {', '.join(SUFFIXES)}, each named like its picture"
        what = (
            "a folder of maps is expected, not a file"
            if folder.is_file()
            else "no file in the folder belongs to a picture"
        )
        raise InputError(what, where=folder, got=got, expected=expected, todo=TODO)
    return MapFiles(folder=folder, by_picture=by_picture, unclear=unclear)


def unused(given: Sequence[MapFiles], names: Names) -> list[tuple[str, str]]:
    """What lies in the folders and is of no use, as (file or folder, reason)."""
    unclear = {path: (kind.folder, advice) for kind in given for path, advice in kind.unclear.items()}
    reasons = [(_place_in(folder, path), f"{advice}: ignored") for path, (folder, advice) in sorted(unclear.items())]
    known = {*names.paths.values(), *unclear, *(path for kind in given for path in kind.by_picture.values())}
    for folder in dict.fromkeys(kind.folder for kind in given if kind.folder.is_dir()):
        if stray := [path for path in pictures.find(folder, SUFFIXES) if path not in known]:
            such = f"such as {stray[0].relative_to(folder)}"
            reasons.append((folder.name, f"files that belong to no picture: {len(stray)}, {such}: ignored"))
    return reasons


def _advice(path: Path, found: Sequence[str]) -> str:
    called = " or ".join(f"{Path(file).name}{path.suffix}" for file in found)
    return f"may belong to {' or '.join(found)} (call it {called})"


def _place_in(folder: Path, path: Path) -> str:
    return f"{folder.name}/{path.relative_to(folder).as_posix()}"


def _name(path: Path, folder: Path) -> str:
    base = folder.parent if folder.is_file() else folder
    return path.relative_to(base).with_suffix("").as_posix()


def _kind(path: Path) -> int:
    """Where its kind stands in `SUFFIXES`; a file that was given may be of any."""
    suffix = path.suffix.lower()
    return SUFFIXES.index(suffix) if suffix in SUFFIXES else len(SUFFIXES)
