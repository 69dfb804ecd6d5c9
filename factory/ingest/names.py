"""Which picture of a folder is meant by a name in a table, or by that of a file beside it."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from factory.ingest import pictures


@dataclass(frozen=True)
class Names:
    """The pictures of a folder by their paths in it, such as ``site/a.jpg``, in name order."""

    paths: Mapping[str, Path]

    @classmethod
    def of(cls, images: Path, paths: Iterable[Path]) -> Names:
        """Of pictures found in a folder, or of the one given."""
        base = images.parent if images.is_file() else images
        return cls({path.relative_to(base).as_posix(): path for path in paths})

    def meant(self, stated: str) -> list[str]:
        """The pictures that a name may mean: the one of that very path, else all that are called so but for a suffix.

        Among these the one goes first whose suffix is written in other capitals. Only suffixes of pictures are any:
        other dots are part of a name. Letters with accents are the same in one sign (NFC) and in two (NFD, as some
        systems write names of files).
        """
        if stated in self.paths:
            return [stated]
        name = _composed(stated)
        found = [file for stem in dict.fromkeys((name, _stem(name))) for file in self._by_stem.get(stem, ())]
        return [file for file in found if _composed(file).lower() == name.lower()] or found

    def why_not(self, stated: str) -> str:
        """Why what is said of a name that does not mean one picture counts for none."""
        if found := self.meant(stated):
            return f"hints for a name that may be {' or '.join(found)}: ignored; give it its suffix"
        return "hints for a picture that is not in the folder: ignored"

    @cached_property
    def _by_stem(self) -> Mapping[str, list[str]]:
        stems = defaultdict(list)
        for file in self.paths:
            stems[_composed(PurePosixPath(file).with_suffix("").as_posix())].append(file)
        return dict(stems)


def tidied(stated: str) -> str:
    """A name as a path in the folder: without blanks around it, or what Windows and shells write otherwise."""
    return PurePosixPath(stated.strip().replace("\\", "/")).as_posix()


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _stem(stated: str) -> str:
    path = PurePosixPath(stated)
    return (path.with_suffix("") if path.suffix.lower() in pictures.SUFFIXES else path).as_posix()
