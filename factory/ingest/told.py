"""What is told of the pictures that are taken, counted: what was given in vain, and what was hardly meant so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from factory.core.classes import IGNORE, ClassList
from factory.core.picture import Picture
from factory.core.sample import Hints, Sample

MAPS = {"masks": "mask", "noisy_masks": "noisy_mask", "scribbles": "scribbles"}
"""Files of class ids by the name of the input, and the field of `Picture` that holds them."""

KINDS = (*MAPS, "points", "boxes", "tags")
BINARY = {0, IGNORE}
"""What masks of one thing hold as many tools save them: 255 is white."""

DARK = 64
"""What of 255 is white for a camera of 14 bits in a file of 16."""

PER_CENT, MANY, LARGE = 100, 20, 300
"""A coordinate's most as a share of 100; how many hints, in pictures of which sides, are hardly all this close to 0."""


@dataclass
class Told:
    """How much of each kind there is, the ids in each kind of map, and the classes that anything names.

    ``taught`` are those of them that pictures to train on name; ``brightest`` is the highest value of any pixel.

    Of points and boxes also ``reach``, the farthest coordinate, and ``side``, the shortest one of a picture with any.
    """

    counts: Counter[str] = field(default_factory=Counter)
    ids: dict[str, set[int]] = field(default_factory=dict)
    named: set[int] = field(default_factory=set)
    taught: set[int] = field(default_factory=set)
    reach: dict[str, int] = field(default_factory=dict)
    side: dict[str, int] = field(default_factory=dict)
    brightest: int = 0

    @classmethod
    def of(cls, photo: Picture) -> Told:
        """What is told of one picture."""
        hints = photo.hints
        maps = {kind: getattr(photo, field) for kind, field in MAPS.items()}
        ids = {kind: set(np.unique(pixels).tolist()) for kind, pixels in maps.items() if pixels is not None}
        named = {hint[-1] for hint in (*hints.points, *hints.boxes)}.union(hints.tags, *ids.values())
        places: dict[str, Sequence[tuple[int, ...]]] = {"points": hints.points, "boxes": hints.boxes}
        reach = {kind: max(n for hint in some for n in hint[:-1]) for kind, some in places.items() if some}
        return cls(
            counts=Counter(many(hints) | dict.fromkeys(ids, 1)),
            ids=ids,
            named=named - {IGNORE},
            reach=reach,
            side=dict.fromkeys(reach, min(photo.image.shape[:2])),
            brightest=int(photo.image.max()),
        )

    def add(self, other: Told, *, trains: bool) -> None:
        """Count another picture in."""
        self.counts += other.counts
        self.named |= other.named
        self.taught |= other.named if trains else set()
        self.brightest = max(self.brightest, other.brightest)
        for kind, ids in other.ids.items():
            self.ids.setdefault(kind, set()).update(ids)
        for kind, reach in other.reach.items():
            self.reach[kind] = max(reach, self.reach.get(kind, 0))
            self.side[kind] = min(other.side[kind], self.side.get(kind, other.side[kind]))

    def in_vain(self, given: Mapping[str, Path]) -> list[str]:
        """The kinds that were given and came to no picture."""
        return [kind for kind in given if not self.counts[kind]]

    def unnamed(self, classes: ClassList) -> list[int]:
        """The classes that nothing names."""
        return [class_id for class_id in range(len(classes)) if class_id not in self.named]

    def nearly_black(self) -> list[tuple[str, str]]:
        """Pictures that are all too dark to be meant so, as of a camera of fewer than 16 bits (where, reason)."""
        reason = (
            "no pixel of any picture is brighter than {} of 255: white_level says what is white in 16-bit files, 4095 "
            "for 12-bit cameras, 16383 for 14 bits (factory predict white_level=… too)"
        )
        return [("white_level", reason.format(self.brightest))] if self.brightest <= DARK else []

    def untaught(self, classes: ClassList) -> list[tuple[str, str]]:
        """The classes that only pictures to measure on name (where, reason)."""
        reason = (
            "{} is in pictures for val or test alone, and no model learns it: val_share, test_share and group_pattern "
            "say which those are (group_pattern=.+ takes each by itself, not with its folder)"
        )
        return [("split", reason.format(classes.names[class_id])) for class_id in sorted(self.named - self.taught)]

    def likely_per_cent(self, given: Mapping[str, Path]) -> list[tuple[str, str]]:
        """The tables whose coordinates are hardly meant as pixels: many, and all close to a corner (table, reason)."""
        reason = (
            "all {:,} {} lie within {} pixels of the upper left corner, in pictures of more than {} x {}: taken as "
            "pixels; if they are per cent of a picture's sides, multiply x by its width / 100, y by its height / 100"
        )
        return [
            (given[kind].name, reason.format(self.counts[kind], kind, PER_CENT, LARGE, LARGE))
            for kind, reach in self.reach.items()
            if self.counts[kind] >= MANY and reach <= PER_CENT and self.side[kind] > LARGE
        ]

    def hardly_ignored(
        self, classes: ClassList, given: Mapping[str, Path], translations: Mapping[str, Mapping[int, int]]
    ) -> list[tuple[str, str]]:
        """The folders whose 255 is hardly meant to be ignored, as (folder, reason).

        They hold nothing but 0 and 255, and nothing names some class. A translation to 255 says that it is meant so.
        """
        missing = [class_id for class_id in self.unnamed(classes) if class_id]
        strange = [kind for kind, ids in self.ids.items() if IGNORE in ids and ids <= BINARY]
        asked = [kind for kind in strange if missing and IGNORE not in translations[kind].values()]
        return [(given[kind].name, _question(kind, classes, missing)) for kind in asked]


def counted(samples: Iterable[Sample], given: Iterable[str]) -> dict[str, int]:
    """How much of each kind samples hold, of those that they hold or that were ``given``."""
    counts: Counter[str] = Counter()
    for sample in samples:
        hints = sample.hints
        maps = {"masks": sample.mask, "noisy_masks": hints.masks, "scribbles": hints.scribbles}
        counts.update({kind: path is not None for kind, path in maps.items()} | many(hints))
    wanted = set(given)
    return {kind: int(counts[kind]) for kind in KINDS if counts[kind] or kind in wanted}


def many(hints: Hints) -> dict[str, int]:
    """How many hints there are of each kind, denied tags among them."""
    return {"points": len(hints.points), "boxes": len(hints.boxes), "tags": len(hints.tags) + len(hints.absent)}


def _question(kind: str, classes: ClassList, missing: Sequence[int]) -> str:
    name, names = classes.names[missing[0]], ", ".join(classes.names[class_id] for class_id in missing)
    if kind == "scribbles":
        meant = f"if 255 means {name} and 0 nothing, scribble_ids=[[0,255],[255,{missing[0]}]]"
        return f"0 and 255 alone, and nothing names {names}: {meant}; if it is as it is meant, scribble_ids=[[255,255]]"
    meant = f"if 255 means {name}, mask_ids=[[255,{missing[0]}]]"
    return f"0 and 255 alone, and nothing names {names}: {meant}; if it is to be ignored, mask_ids=[[255,255]]"
