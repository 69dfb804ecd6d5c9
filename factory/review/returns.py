"""What came back from annotators: which entries can be used, and why the others cannot.

Uses `factory.exchange` for the formats; knows of them no more than its `Codec` protocol.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from factory.core import masks
from factory.core.classes import ClassList
from factory.core.errors import InputError
from factory.core.sample import Sample, Split
from factory.exchange import Entry, Mask


@dataclass
class Intake:
    """Matches entries to samples by the image's name without folders and ending, its accents as ids have them (NFC).

    ``asked`` are the only ids that may come back (None: any). What cannot be used goes to ``report`` with its reason
    and, by its name, to ``left_out``; ``strict`` raises it instead. Of several masks of an image the first that can
    be used counts: ``seen`` has its name by the image's id.
    """

    samples: dict[str, Sample]
    classes: ClassList
    asked: frozenset[str] | None
    report: Callable[[object, str], None]
    strict: bool
    left_out: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)

    def accept(self, entries: Iterable[Entry]) -> Iterator[tuple[Sample, Mask]]:
        """(sample, class ids as stated) for every usable entry, in the entries' order."""
        for entry in entries:
            try:
                sample, stated_hw = self._stated(entry)
            except InputError as error:
                self._refuse(error)
                continue
            self.seen[sample.id] = entry.name
            self._pass_on(entry)
            yield sample, stated_hw

    def takes(self, entry: Entry) -> bool:
        """Whether the entry is a mask that can be used."""
        with suppress(InputError):
            self._stated(entry)
            return True
        return False

    def _stated(self, entry: Entry) -> tuple[Sample, Mask]:
        sample = self._sample(entry)
        stated_hw = entry.mask(self.classes, (sample.height, sample.width))
        masks.check_mask(stated_hw, self.classes, (sample.height, sample.width), entry.name)
        return sample, stated_hw

    def _sample(self, entry: Entry) -> Sample:
        sample_id = unicodedata.normalize("NFC", PurePosixPath(entry.name.replace("\\", "/")).stem)
        if sample_id not in self.samples:
            todo = "keep the names of the images as they were handed out"
            raise InputError("no such image in the data set", where=entry.name, todo=todo)
        sample = self.samples[sample_id]
        if sample.split == Split.TEST:
            todo = "test images are for measuring only: take it out of the corrections"
            raise InputError("a correction of a test image", where=entry.name, todo=todo)
        if self.asked is not None and sample_id not in self.asked:
            todo = "give the queue it was handed out with, or rules.scope=image"
            raise InputError("the image is not in the queue", where=entry.name, todo=todo)
        if sample_id in self.seen:
            what = f"a second mask for the same image: {self.seen[sample_id]} counts"
            raise InputError(what, where=entry.name, todo="keep one of them")
        return sample

    def _refuse(self, error: InputError) -> None:
        if self.strict:
            raise error
        sides = [f"{side} {value}" for side, value in (("got", error.got), ("expected", error.expected)) if value]
        reason = f"left out: {error.what}" + (f" ({', '.join(sides)})" if sides else "")
        self.left_out.append(f"{error.where}: {reason}")
        self.report(error.where, reason)

    def _pass_on(self, entry: Entry) -> None:
        for note in entry.notes:
            if self.strict:
                raise InputError(note, where=entry.name, todo="remove the shapes, or run with strict=false")
            self.report(entry.name, note)
