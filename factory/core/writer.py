"""Writing one artefact so that a kill at any instant costs only the sample in hand.

Everything a writer knows is on disk, so it can be handed to worker processes: a sample's files are written first, then
its manifest row is journalled with one rename. `Writer.seal` turns the journal into `manifest.parquet`.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from factory.core import digests, manifest, masks
from factory.core.artefact import HEADER, SUMS, Artefact, Header, Identity, Kind, read_header
from factory.core.classes import ClassList
from factory.core.errors import ArtefactError
from factory.core.sample import MAPS, Sample
from factory.core.version import library_versions

IDENTITY, JOURNAL, SCRATCH, LOCK = "identity.json", "journal", "scratch", "lock"
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
        place = self.path(relative)
        draft = place.with_name(f".{place.name}.{os.getpid()}")
        draft.write_bytes(data)
        draft.replace(place)
        return relative

    def write_map(self, name: str, sample_id: str, pixels: npt.NDArray[np.generic]) -> str:
        """Write one of a sample's pixel maps losslessly; returns its path inside the artefact."""
        folder = FOLDERS.get(name, name)
        if name in ("depth", "normals"):
            buffer = io.BytesIO()
            np.save(buffer, pixels.astype(np.float32))
            return self.write(f"{folder}/{sample_id}.npy", buffer.getvalue())
        return self.write(f"{folder}/{sample_id}.png", masks.encode_png(pixels))

    def write_image(self, sample_id: str, rgb_hwc: npt.NDArray[np.uint8]) -> tuple[str, str]:
        """Write an RGB image; returns its path and the SHA-256 of the file."""
        data = masks.encode_png(rgb_hwc)
        return self.write(f"images/{sample_id}.png", data), digests.of_bytes(data)

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
                draft = place.with_name(f".{place.name}.draft")
                shutil.copyfile(origin, draft)
                draft.replace(place)
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
        for leftover in (self.root / JOURNAL, self.root / SCRATCH):
            shutil.rmtree(leftover, ignore_errors=True)
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
        (self.root / IDENTITY).unlink()
        self._swap_in()
        return header

    def _drop_drafts(self) -> None:
        """Forget what a killed process was in the middle of writing."""
        for draft in self.root.rglob(".*"):
            draft.unlink()

    def _write_sums(self) -> str:
        skip = {IDENTITY, LOCK, HEADER, SUMS}
        names = (path.relative_to(self.root).as_posix() for path in digests.files_below(self.root))
        lines = [f"{_synced_digest(self.root / name)}  {name}\n" for name in names if name not in skip]
        data = "".join(lines).encode()
        digests.write_atomically(self.root / SUMS, data)
        return digests.of_bytes(data)

    def _swap_in(self) -> None:
        (self.root / LOCK).unlink()
        digests.sync_folder(self.root)
        if self.target.exists():
            old = self.target.with_name(f"{self.target.name}.old")
            self.target.rename(old)
            self.root.rename(self.target)
            shutil.rmtree(old)
        else:
            self.root.rename(self.target)
        digests.sync_folder(self.target.parent)


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
    """Whether exactly this artefact is there already. Another one there is an error unless ``overwrite``."""
    if not target.exists():
        return False
    try:
        header = read_header(target)
    except ArtefactError:
        if not any(target.iterdir()):
            return False
        raise
    if not (differing := identity.differences(header.identity)):
        return True
    if overwrite:
        return False
    raise ArtefactError(
        "another artefact is in the way, made with different settings",
        where=target,
        got="\n            ".join(differing[:12]),
        todo="give another out=… (or name=…), or overwrite=true to replace it",
    )


def is_begun(target: Path, identity: Identity) -> bool:
    """Whether a writer for exactly this artefact has been opened, by this try or an earlier one, and not yet sealed."""
    root = target.with_name(f"{target.name}.partial")
    marker = root / IDENTITY
    return (root / JOURNAL).is_dir() and marker.is_file() and marker.read_bytes() == digests.canonical(asdict(identity))


@contextmanager
def open_writer(target: Path, identity: Identity, kind: Kind, *, overwrite: bool = False) -> Iterator[Writer]:
    """A writer for ``target``; takes up what an earlier try with the same identity left, holds a lock meanwhile."""
    root = target.with_name(f"{target.name}.partial")
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root):
        _claim(root, identity, overwrite=overwrite)
        (root / JOURNAL).mkdir(exist_ok=True)
        out = Writer(root=root, target=target, identity=identity, kind=kind)
        try:
            yield out
        except Exception:
            if not _holds_work(root):
                shutil.rmtree(root)
            raise


def _holds_work(root: Path) -> bool:
    """Whether anything was made that a later try could take up."""
    return any(path.is_file() and path.name not in (IDENTITY, LOCK) for path in root.rglob("*"))


def _claim(root: Path, identity: Identity, *, overwrite: bool) -> None:
    stated = digests.canonical(asdict(identity))
    marker = root / IDENTITY
    if marker.exists() and marker.read_bytes() != stated:
        differing = identity.differences(Identity(**json.loads(marker.read_text())))
        if not overwrite:
            raise ArtefactError(
                "an unfinished artefact with different settings is in the way",
                where=root,
                got="\n            ".join(differing[:12]),
                todo="finish it with its own settings, delete it, or give overwrite=true to begin anew",
            )
    if not marker.exists() or marker.read_bytes() != stated:
        _empty(root)
        digests.write_atomically(marker, stated)


def _empty(root: Path) -> None:
    for child in root.iterdir():
        if child.name != LOCK:
            shutil.rmtree(child) if child.is_dir() else child.unlink()


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    with (root / LOCK).open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            todo = "wait for it, or give another out=…"
            raise ArtefactError("another process is making this artefact", where=root, todo=todo) from error
        yield


def _written(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _synced_digest(path: Path) -> str:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
    return digests.of_file(path)
