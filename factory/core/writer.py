"""Writing one artefact so that a kill at any instant costs only the sample in hand.

Everything a writer knows is on disk, so it can be handed to worker processes: a sample's files are written first, then
its manifest row is journalled with one rename. `Writer.seal` turns the journal into `manifest.parquet`, and writes the
header last of all: a folder that has one is whole, and all that a kill can still cost it is its place.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from factory.core import digests, disk, manifest, masks
from factory.core.artefact import DRAFT, HEADER, SUMS, Artefact, Header, Identity, Kind, read_header
from factory.core.classes import ClassList
from factory.core.errors import ArtefactError, ConfigError, InputError
from factory.core.sample import MAPS, Sample
from factory.core.version import library_versions

IDENTITY, JOURNAL, SCRATCH, LOCK = "identity.json", "journal", "scratch", "lock"
WORKING = (IDENTITY, JOURNAL, SCRATCH, LOCK)
"""What only the making of an artefact needs."""

FOLDERS = {"image": "images", "mask": "masks"}


@dataclass
class Writer:
    """The open end of a stage. ``figures`` and ``issues`` set by the stage are part of the sealed header."""

    root: Path
    target: Path
    identity: Identity
    kind: Kind = Kind.DATASET
    classes: ClassList | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    issues: list[dict[str, str]] = field(default_factory=list)

    @property
    def scratch(self) -> Path:
        """Working files that survive a kill and vanish at sealing."""
        folder = self.root / SCRATCH
        folder.mkdir(exist_ok=True)
        return folder

    def path(self, relative: str) -> Path:
        """A place for a file of the artefact; its folder is made."""
        place = self.root / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def write(self, relative: str, data: bytes) -> str:
        """Write one file; returns its path inside the artefact. A file linked from another artefact is replaced, not
        written through.
        """
        digests.replace_with(self.path(relative), data)
        return relative

    def write_map(self, name: str, sample_id: str, pixels: npt.NDArray[np.generic]) -> str:
        """Write one of a sample's pixel maps losslessly; returns its path inside the artefact."""
        if name in ("depth", "normals"):
            buffer = io.BytesIO()
            np.save(buffer, pixels.astype(np.float32))
            return self.write(f"{name}/{sample_id}.npy", buffer.getvalue())
        return self.write_png(name, sample_id, masks.encode_png(pixels))

    def write_png(self, name: str, sample_id: str, data: bytes) -> str:
        """Write one of a sample's images or maps that is a PNG already; returns its path inside the artefact."""
        return self.write(f"{FOLDERS.get(name, name)}/{sample_id}.png", data)

    def write_image(self, sample_id: str, rgb_hwc: npt.NDArray[np.uint8]) -> tuple[str, str]:
        """Write an RGB image; returns its path and the SHA-256 of the file."""
        data = masks.encode_png(rgb_hwc)
        return self.write_png("image", sample_id, data), digests.of_bytes(data)

    def carry(self, source: Artefact, sample: Sample, *names: str) -> Sample:
        """Take over maps of another artefact's sample without decoding them; maps not named are dropped.

        Sealed files never change, so they are hard-linked where the file system allows and copied elsewhere.
        """
        wanted = {name: getattr(sample, name) for name in names or ("image", *MAPS)}
        for relative in filter(None, (*wanted.values(), sample.hints.scribbles, sample.hints.masks)):
            self.link(source.path(relative), relative)
        return sample.replace(**{name: wanted.get(name) for name in ("image", *MAPS)})

    def link(self, origin: Path, relative: str) -> str:
        """Bring one file of a sealed artefact into this one."""
        place = self.path(relative)
        if not place.exists():
            try:
                os.link(origin, place)
            except OSError:
                digests.replace_with(place, origin.read_bytes())
        return relative

    def add(self, sample: Sample) -> None:
        """Journal a sample whose files are all written. Adding an id again replaces its row."""
        self.write(f"{JOURNAL}/{sample.id}.json", digests.canonical(manifest.to_record(sample)))

    def done(self) -> frozenset[str]:
        """Ids journalled so far, also by an earlier try that was killed."""
        return frozenset(sample.id for sample in self.samples())

    def samples(self) -> Iterator[Sample]:
        """The samples journalled so far whose files are all there, in id order."""
        for row in sorted((self.root / JOURNAL).glob("[!.]*.json")):
            sample = manifest.from_record(json.loads(row.read_text()))
            if all(_written(self.root / path) for path in manifest.files_of(sample)):
                yield sample

    def report(self, where: object, reason: str) -> None:
        """Put one thing that was left out, or worth a look, into the header and the report."""
        self.issues.append({"where": str(where), "reason": reason})

    def discard(self) -> None:
        """Forget what was written: the input is refused, and no later try is to take anything of it up."""
        _empty(self.root)

    def seal(self) -> Header:
        """Write manifest, checksums and header, flush everything, and rename into place."""
        if self.kind == Kind.DATASET:
            self.write(manifest.NAME, manifest.encode(list(self.samples())))
        self._drop_drafts()
        header = Header(
            kind=self.kind,
            identity=self.identity,
            classes=self.classes,
            digest=self._write_sums(),
            libraries=library_versions(),
            figures=self.figures,
            issues=tuple(self.issues),
        )
        digests.write_atomically(self.root / HEADER, digests.canonical(header.to_json()))
        _swap_in(self.root, self.target)
        return header

    def _drop_drafts(self) -> None:
        """Forget what a killed process was in the middle of writing."""
        for path in self._files():
            if path.name.startswith("."):
                path.unlink()

    def _files(self) -> list[Path]:
        """The artefact's own files, in name order."""
        files = digests.files_below(self.root)
        return [path for path in files if path.relative_to(self.root).parts[0] not in (*WORKING, HEADER, SUMS)]

    def _write_sums(self) -> str:
        files = self._files()
        found = zip(disk.each(_synced_digest, files), files, strict=True)
        lines = [f"{digest}  {path.relative_to(self.root).as_posix()}\n" for digest, path in found]
        data = "".join(lines).encode()
        digests.write_atomically(self.root / SUMS, data)
        return digests.of_bytes(data)


@dataclass
class Onlooker(Writer):
    """The open end for a process beside the one that writes: it reads what is there, and writes nothing."""

    def write(self, relative: str, data: bytes) -> str:  # noqa: ARG002  # the first process writes it
        """Nothing; returns the path at which the first process writes the same."""
        return relative


DatasetWriter = Writer
ModelWriter = Annotated[Writer, Kind.MODEL]
QueueWriter = Annotated[Writer, Kind.QUEUE]
ReportWriter = Annotated[Writer, Kind.REPORT]


def is_sealed(target: Path, identity: Identity, *, overwrite: bool = False) -> bool:
    """Whether exactly this artefact is there already; a whole one that a kill kept from its place is put there first.

    Another one there is an error unless ``overwrite``.
    """
    root = _partial(target)
    if _is_there(target, identity, overwrite=overwrite):
        if (target / LOCK).exists():
            with suppress(ArtefactError), _locked(target):  # another process may be doing so
                _tidy(target)
        return True
    if _is_whole(root, identity):
        with suppress(ArtefactError), _locked(root, waits=True):  # whoever held it may have done the same
            if _is_whole(root, identity):
                _swap_in(root, target)
    return _is_there(target, identity, overwrite=overwrite)


def _is_there(target: Path, identity: Identity, *, overwrite: bool) -> bool:
    if around := next((folder for folder in target.absolute().parents if (folder / HEADER).is_file()), None):
        todo = "give another out=…: what is sealed never changes"
        raise ArtefactError("the place lies within another artefact", where=target, got=around, todo=todo)
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return False
    if not (target / HEADER).is_file():
        todo = "give another out=… (or name=…), or move it away"
        raise ArtefactError("something that is no artefact is in the way", where=target, todo=todo)
    if not (differing := identity.differences(read_header(target).identity)):
        return True
    if overwrite:
        return False
    raise ArtefactError(
        "another artefact is in the way, made with different settings",
        where=target,
        got="\n".join(differing[:12]),
        todo="give another out=… (or name=…), or overwrite=true to replace it",
    )


def _is_whole(root: Path, identity: Identity) -> bool:
    """Whether exactly this artefact was made to its end, header and all, and is only not in its place."""
    return (root / HEADER).is_file() and not identity.differences(read_header(root).identity)


def _partial(target: Path) -> Path:
    return target.with_name(f"{target.name}{DRAFT}")


def is_begun(target: Path, identity: Identity) -> bool:
    """Whether a writer for exactly this artefact has been opened, by this try or an earlier one, and not yet sealed."""
    root = _partial(target)
    marker = root / IDENTITY
    return (root / JOURNAL).is_dir() and marker.is_file() and marker.read_bytes() == digests.canonical(asdict(identity))


@contextmanager
def open_writer(target: Path, identity: Identity, kind: Kind, *, overwrite: bool = False) -> Iterator[Writer]:
    """A writer for ``target``; takes up what an earlier try with the same identity left, holds a lock meanwhile.

    To be asked for where `is_sealed` finds nothing; `ArtefactError` where another process works on the same, or has
    sealed it since. What a try began with settings or inputs that turn out to be impossible (`ConfigError`,
    `InputError`) is of no use to any later one, and would be in its way.
    """
    root = _partial(target)
    absent = [folder for folder in root.parents if not folder.exists()]
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root):
        taken_up = _holds_work(root)
        try:
            if _is_there(target, identity, overwrite=overwrite) or _is_whole(root, identity):
                todo = "run the same command again: it takes what is there"
                raise ArtefactError("another process has just made this artefact", where=target, todo=todo)
            _claim(root, identity, overwrite=overwrite)
            (root / JOURNAL).mkdir(exist_ok=True)
            yield Writer(root=root, target=target, identity=identity, kind=kind)
        except Exception as error:
            if not _holds_work(root) or (isinstance(error, ConfigError | InputError) and not taken_up):
                disk.remove(root)
                _remove_empty(absent)
            raise


def _remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders, the innermost first, up to the first in which something else was made meanwhile."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _holds_work(root: Path) -> bool:
    """Whether anything was made that a later try could take up."""
    return any(path.is_file() and path.name not in (IDENTITY, LOCK) for path in root.rglob("*"))


def _claim(root: Path, identity: Identity, *, overwrite: bool) -> None:
    begun = _begun(root)
    differing = identity.differences(begun) if begun else []
    if differing and not overwrite:
        raise ArtefactError(
            "an unfinished artefact with different settings is in the way",
            where=root,
            got="\n".join(differing[:12]),
            todo="finish it with its own settings, delete it, or give overwrite=true to begin anew",
        )
    if differing or not begun:
        _empty(root)
        digests.write_atomically(root / IDENTITY, digests.canonical(asdict(identity)))


def _begun(root: Path) -> Identity | None:
    """Whose work lies in an unfinished folder."""
    if (root / HEADER).is_file():
        return read_header(root).identity
    marker = root / IDENTITY
    return Identity(**json.loads(marker.read_text())) if marker.exists() else None


def _empty(root: Path) -> None:
    (root / HEADER).unlink(missing_ok=True)  # before anything else: what has a header counts as whole
    for child in root.iterdir():
        if child.name != LOCK:
            disk.remove(child) if child.is_dir() else child.unlink()


def _swap_in(root: Path, target: Path) -> None:
    """Rename a whole folder into its place, and what was there before out of it. The lock moves along."""
    for leftover in (root / JOURNAL, root / SCRATCH):
        with suppress(OSError):
            disk.remove(leftover)
    (root / IDENTITY).unlink(missing_ok=True)
    digests.sync_folder(root)
    if target.exists():
        disk.remove(_replaced(target))
        target.rename(_replaced(target))
    root.rename(target)
    digests.sync_folder(target.parent)
    _tidy(target)


def _tidy(target: Path) -> None:
    """Remove what the artefact replaces, then the lock: as long as that is there, it may not be done."""
    disk.remove(_replaced(target))
    (target / LOCK).unlink()


def _replaced(target: Path) -> Path:
    """Where an artefact lies until another has its place; hidden, so that it is nobody's but ours."""
    return target.with_name(f".{target.name}.old")


@contextmanager
def _locked(root: Path, *, waits: bool = False) -> Iterator[None]:
    """Hold a folder alone. Whoever held it before may have renamed or removed it: such a lock guards nothing."""
    with ExitStack() as held:
        try:
            stream = held.enter_context((root / LOCK).open("w"))
            fcntl.flock(stream, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_in_place = os.path.samestat(os.fstat(stream.fileno()), (root / LOCK).stat())
        except (BlockingIOError, FileNotFoundError) as error:
            raise _busy(root) from error
        if not is_in_place:
            raise _busy(root)
        yield


def _busy(root: Path) -> ArtefactError:
    todo = "wait for it, or give another out=…"
    return ArtefactError("another process is making this artefact", where=root, todo=todo)


def _written(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _synced_digest(path: Path) -> str:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
    return digests.of_file(path)
