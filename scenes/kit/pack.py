"""What a scene pack is: parameters that plan one picture, and the classes it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from scenes.kit.sampling import Streams
from scenes.kit.sensor import Photographed

Colour = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Pack(Photographed):
    """A pack's parameters. Called with the random streams of one picture it returns the plan, JSON-able.

    ``plan["pack"]`` names the folder whose ``program.build`` makes the scene, ``plan["seed"]`` seeds Cycles. Every
    component draws from the stream of its own name, so that adding one never shifts another. ``emphasis`` says how
    much more often than configured a class is wanted, by name (1 where it is silent): a quota that is not met yet.
    ``ratio`` is the picture's width by its height; those of up to 4:3, upright ones too, are planned alike.
    """

    classes: ClassVar[tuple[tuple[str, Colour], ...]]
    """Name and colour of each class, in id order."""

    nothing: ClassVar[int] = 0
    """Class of pixels whose ray hits no object."""

    @property
    def folders(self) -> dict[str, str]:
        """The user's folders that plans refer to by name (see `scenes.kit.files`): those of the pack's components."""
        parts = (getattr(self, field.name) for field in fields(self))
        return {part.named: part.folder for part in parts if getattr(part, "named", "") and part.folder}

    @property
    def left_out(self) -> tuple[str, ...]:
        """What of the user's files is never shown, and why, a sentence each: what the pack's fields left out."""
        parts = (getattr(self, field.name) for field in fields(self))
        return tuple(sentence for part in parts for sentence in getattr(part, "left_out", ()))

    def __call__(self, rng: Streams, emphasis: Mapping[str, float], ratio: float = 1.0, /) -> dict[str, Any]:
        """Plan one picture of ``ratio`` width by height; up to 4:3, upright too, it makes no difference."""
        raise NotImplementedError
