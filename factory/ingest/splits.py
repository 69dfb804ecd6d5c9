"""Splits by group: what belongs together is never divided between training and testing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath

from factory.core.errors import ConfigError
from factory.core.sample import Split
from factory.core.seeds import derive
from factory.core.words import many


def group_of(name: str, pattern: str | None) -> str:
    """The group of an image by its name: what the pattern's first bracket matches, else its folder, else itself."""
    if pattern:
        match = re.search(pattern, name)
        return (match.group(1) if match.re.groups else match.group(0)) if match else name
    folder = str(PurePosixPath(name).parent)
    return name if folder == "." else folder


def assign(groups: Sequence[str], *, fixed: str, val_share: float, test_share: float, seed: int) -> dict[str, Split]:
    """A split for each distinct group, given the group of every image.

    ``fixed`` is "auto" or the split that all get. With "auto", groups in a seeded order fill test, then validation, up
    to their share of the images, and the rest trains; a group too large for what is left of a share goes on to the
    next. Of few groups the last one trains, whatever the shares.
    """
    sizes = Counter(groups)
    if fixed != "auto":
        return dict.fromkeys(sizes, _split(fixed))
    if min(val_share, test_share) < 0 or val_share + test_share >= 1:
        got, expected = f"{val_share} and {test_share}", "0 or more, below 1 together"
        raise ConfigError("val_share and test_share must leave something to train on", got=got, expected=expected)
    room = {Split.TEST: test_share * len(groups), Split.VAL: val_share * len(groups)}
    result: dict[str, Split] = {}
    order = sorted(sizes, key=lambda name: derive(seed, "split", name))
    for group in order:
        fitting = (split for split, left in room.items() if sizes[group] <= left + 0.5)
        result[group] = next(fitting, Split.TRAIN)
        room[result[group]] = room.get(result[group], 0) - sizes[group]
    return result if Split.TRAIN in result.values() else result | dict.fromkeys(order[-1:], Split.TRAIN)


def unfilled(places: Collection[tuple[str, Split]], val_share: float, test_share: float) -> list[tuple[str, str]]:
    """The splits that came to nothing because groups are whole, given the group and split of every image."""
    sizes, taken = Counter(group for group, _ in places), {split for _, split in places}
    reason = (
        "no picture is for {}: those of a group (a folder) stay together, and the smallest of {} has {} of {}; "
        "if they need not, group_pattern=.+ takes each picture by itself"
    )
    return [
        ("split", reason.format(split, many(len(sizes), "group"), min(sizes.values()), many(len(places), "picture")))
        for split, share in ((Split.VAL, val_share), (Split.TEST, test_share))
        if split not in taken and len(sizes) < len(places) and share * len(places) >= 0.5
    ]


def check_pattern(pattern: str | None) -> None:
    """`ConfigError` for a pattern that is no regular expression."""
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise ConfigError.of(error, what="group_pattern is no regular expression", where=pattern) from error


def _split(name: str) -> Split:
    try:
        return Split(name)
    except ValueError as error:
        raise ConfigError("unknown split", got=name, expected="auto, train, val or test") from error
