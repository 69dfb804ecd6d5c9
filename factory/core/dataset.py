"""A sealed data set opened for reading."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from factory.core import manifest, masks
from factory.core.artefact import Artefact, Kind
from factory.core.classes import IGNORE, ClassList
from factory.core.errors import ArtefactError
from factory.core.picture import Picture
from factory.core.sample import Domain, Origin, Sample, Split, Supervision


class Dataset(Artefact):
    """Samples with their pixel maps. The manifest is read on first use."""

    kind = Kind.DATASET

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """Every sample, in id order."""
        return manifest.read(self.path(manifest.NAME))

    def __reduce__(self) -> tuple[object, ...]:
        """Travel light to worker processes: the manifest stays behind and is read there only if asked for."""
        return (Dataset, (self.root, self.header))

    def where(self, *, split: Split | None = None, domain: Domain | None = None) -> list[Sample]:
        """The samples of a split, a domain, or both, in id order."""
        chosen = (s for s in self.samples if split in (None, s.split))
        return [sample for sample in chosen if domain in (None, sample.domain)]

    def image(self, sample: Sample) -> npt.NDArray[np.uint8]:
        """RGB, shape (height, width, 3)."""
        return self._read(sample.image).astype(np.uint8)

    def mask(self, sample: Sample) -> npt.NDArray[np.uint8]:
        """Class ids, shape (height, width); `ArtefactError` for a sample without a mask."""
        return self.map(sample, "mask").astype(np.uint8)

    def map(self, sample: Sample, name: str) -> npt.NDArray[Any]:
        """Any of the sample's pixel maps by its manifest name; `ArtefactError` where it has none."""
        if (relative := getattr(sample, name)) is None:
            todo = "run the stage that makes it first"
            raise ArtefactError(f"the sample has no {name}", where=f"{self.root}: {sample.id}", todo=todo)
        path = self.path(relative)
        return np.load(path) if path.suffix == ".npy" else self._read(relative)

    def picture(self, sample: Sample) -> Picture:
        """The sample's image with everything weak that is said of it; never its mask."""
        drawn = {"scribbles": sample.hints.scribbles, "noisy_mask": sample.hints.masks}
        maps: dict[str, Any] = {name: self._read(path).astype(np.uint8) for name, path in drawn.items() if path}
        return Picture(id=sample.id, image=self.image(sample), hints=sample.hints, **maps)

    def as_said(self, sample: Sample) -> Picture:
        """`picture`, and what people painted of the mask: as scribbles, before any other hint of the same pixels."""
        given = self.picture(sample)
        return given if (painted_hw := self.painted(sample)) is None else _with_painted(given, painted_hw)

    def truth(self, sample: Sample) -> npt.NDArray[np.uint8]:
        """The mask as far as it is beyond doubt, ignore elsewhere: exact, or painted by people."""
        return self.mask(sample) if (painted_hw := self.painted(sample)) is None else painted_hw

    def painted(self, sample: Sample) -> npt.NDArray[np.uint8] | None:
        """Class ids where people painted the sample's mask, ignore elsewhere; None where they painted nothing."""
        if sample.supervision != Supervision.HUMAN or sample.mask is None:
            return None
        mask_hw = self.mask(sample)
        if sample.source is not None:
            mask_hw[self.map(sample, "source") != Origin.HUMAN] = IGNORE
        return mask_hw

    def _read(self, relative: str) -> npt.NDArray[Any]:
        return masks.read_png(self.path(relative))


def _with_painted(given: Picture, painted_hw: npt.NDArray[np.uint8]) -> Picture:
    """What was painted laid over the scribbles; points that contradict it are taken out."""
    known_hw = painted_hw != IGNORE
    scribbles_hw = painted_hw if given.scribbles is None else np.where(known_hw, painted_hw, given.scribbles)
    points = tuple(point for point in given.hints.points if not known_hw[point[1], point[0]])
    return replace(given, scribbles=scribbles_hw, hints=replace(given.hints, points=points))


def require_same_classes(first: Artefact, second: Artefact) -> ClassList:
    """The class list both share; `ArtefactError` naming both lists where they differ."""
    if first.classes.names != second.classes.names:
        raise ArtefactError(
            "the class lists do not match",
            where=f"{first.root} and {second.root}",
            got=", ".join(second.classes.names),
            expected=", ".join(first.classes.names),
            todo="make both with the same classes, in the same order",
        )
    return first.classes
