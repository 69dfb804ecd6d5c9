"""Sealed artefacts: folders that are complete, unchanged and accounted for, or not there at all.

    artefact.json   the header below; written last
    SHA256SUMS      one line a file, in the format of `sha256sum -c`; the artefact's digest is this file's
    …               what the kind asks for

A stage writes into `<name>.partial` (see `factory.core.writer`), which is renamed once everything has reached the disk.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Self

from factory.core import digests
from factory.core.classes import IGNORE, ClassList
from factory.core.errors import ArtefactError

SCHEMA = 1
TARGET = "_target_"
"""The key that says which part a configuration is of."""
HEADER, SUMS = "artefact.json", "SHA256SUMS"
DRAFT = ".partial"
"""What the name of a folder ends with while a stage writes it."""


class Kind(StrEnum):
    """What an artefact holds."""

    DATASET = "dataset"
    MODEL = "model"
    QUEUE = "queue"
    REPORT = "report"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Everything that decides an artefact's content. Two equal identities make byte-identical artefacts.

    ``config`` is the resolved configuration without what must not matter (workers, folders); ``inputs`` maps each
    input's name to its digest; ``code`` is `factory.core.version.code_version`.
    """

    stage: str
    config: dict[str, Any]
    seed: int
    inputs: dict[str, str]
    code: str

    @property
    def name(self) -> str:
        """32 digits that no other identity has: what a thing is called that has no place of its own."""
        return digests.of_bytes(digests.canonical(asdict(self)))[:32]

    def differences(self, other: Identity) -> list[str]:
        """One line for each value in which ``other`` (what is there) departs from this identity (what is asked).

        Of another stage, and of another part, that alone is told: their keys have nothing to do with each other.
        """
        if self.stage != other.stage:
            return [f"what {other.stage} made there, {self.stage} asked"]
        mine, theirs = flattened(asdict(self)), flattened(asdict(other))
        differing = [key for key in sorted(mine.keys() | theirs.keys()) if mine.get(key) != theirs.get(key)]
        parts = tuple(key.removesuffix(TARGET) for key in differing if key.endswith(f".{TARGET}"))
        return [
            f"{key}: {theirs.get(key, 'absent')} there, {mine.get(key, 'absent')} asked"
            for key in differing
            if key.endswith(f".{TARGET}") or not key.startswith(parts)
        ]


@dataclass(frozen=True, kw_only=True)
class Header:
    """The content of artefact.json."""

    kind: Kind
    identity: Identity
    classes: ClassList | None
    digest: str
    libraries: dict[str, str] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    issues: tuple[dict[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The header as artefact.json states it."""
        body: dict[str, Any] = {"schema": SCHEMA, "ignore": IGNORE, **asdict(self)}
        identity: dict[str, Any] = body.pop("identity")
        return body | identity

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Header:
        """Inverse of `to_json`; KeyError or TypeError where the body is not a header."""
        classes = body["classes"] and ClassList.of(body["classes"]["names"], body["classes"]["colours"])
        identity = Identity(**{key: body[key] for key in ("stage", "config", "seed", "inputs", "code")})
        rest = {key: body[key] for key in ("digest", "libraries", "figures")}
        return cls(kind=Kind(body["kind"]), identity=identity, classes=classes, issues=tuple(body["issues"]), **rest)


@dataclass(frozen=True)
class Artefact:
    """A sealed artefact on disk, opened for reading."""

    root: Path
    header: Header
    kind: ClassVar[Kind | None] = None

    @classmethod
    def open(cls, root: Path) -> Self:
        """Open a sealed folder; `ArtefactError` if it is missing, unsealed, tampered with, or of another kind."""
        header = read_header(root)
        if cls.kind is not None and header.kind != cls.kind:
            raise ArtefactError("an artefact of the wrong kind", where=root, got=header.kind, expected=cls.kind)
        if digests.of_file(root / SUMS) != header.digest:
            raise ArtefactError("the artefact was changed after sealing", where=root / SUMS, todo="make it again")
        return cls(root, header)

    @property
    def digest(self) -> str:
        """Content digest: equal for equal content, wherever it lies."""
        return self.header.digest

    @property
    def classes(self) -> ClassList:
        """The class list; `ArtefactError` for an artefact without one."""
        if self.header.classes is None:
            raise ArtefactError("the artefact has no class list", where=self.root)
        return self.header.classes

    @property
    def figures(self) -> dict[str, Any]:
        """Measured figures, as the stage that made the artefact stated them."""
        return self.header.figures

    def path(self, relative: str) -> Path:
        """A file inside the artefact."""
        return self.root / relative

    def damaged(self) -> list[str]:
        """Files whose content is no longer what was sealed: a full check, reads everything."""
        lines = (line.split("  ", 1) for line in self.path(SUMS).read_text().splitlines())
        return [name for sha, name in lines if not self.path(name).is_file() or digests.of_file(self.path(name)) != sha]


class Model(Artefact):
    """A trained segmenter: `best.ckpt`, `last.ckpt`, `history.json`."""

    kind = Kind.MODEL


class Report(Artefact):
    """Figures and pages for people: `index.html`, `metrics.json`, pictures, exports."""

    kind = Kind.REPORT


def read_header(root: Path) -> Header:
    """The header of a sealed folder."""
    if not (root / HEADER).is_file():
        unfinished = Path(f"{root}{DRAFT}").is_dir()
        todo = (
            "run the stage that makes it to its end" if unfinished else "check the path, or run the stage that makes it"
        )
        raise ArtefactError("no sealed artefact here", where=root, expected=f"a folder with {HEADER}", todo=todo)
    try:
        body = json.loads((root / HEADER).read_text())
        if body["schema"] != SCHEMA:
            raise ArtefactError("unknown artefact schema", where=root, got=body["schema"], expected=SCHEMA)
        return Header.from_json(body)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise ArtefactError.of(error, what="unreadable artefact header", where=root / HEADER) from error


def flattened(value: Any, prefix: str = "") -> dict[str, str]:
    """Each value within others by its dotted key, as JSON."""
    if not isinstance(value, dict) or not value:
        return {prefix: json.dumps(value, sort_keys=True)}
    nested = (flattened(child, f"{prefix}.{key}" if prefix else str(key)) for key, child in value.items())
    return {key: text for part in nested for key, text in part.items()}
