"""The class list of a data set: names, colours, and the one ignore index."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from factory.core.errors import ConfigError, InputError

IGNORE = 255
"""Class id of pixels nobody vouches for. No loss, metric or vote counts them."""

VOID = (224, 224, 192)
"""The colour of ignored pixels in pictures, that of PASCAL VOC's borders."""

MAX_CLASSES = 255


@dataclass(frozen=True, kw_only=True)
class ClassList:
    """Class names in id order, and one RGB colour (0-255) each, all distinct."""

    names: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.names) <= MAX_CLASSES:
            raise ConfigError("a class list needs 1 to 255 classes", got=len(self.names))
        for title, values in (("names", self.names), ("colours", self.colours)):
            if len(set(values)) != len(self.names):
                raise ConfigError(f"class {title} must be distinct, one for each class", got=values)

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def of(cls, names: Iterable[str | int], colours: Sequence[Sequence[int]] | None = None) -> ClassList:
        """Build a list; colours that are not given are spread over the hue circle."""
        texts = tuple(str(name) for name in names)
        rgb = colours if colours else [distinct_colour(i) for i in range(len(texts))]
        return cls(names=texts, colours=tuple(map(_rgb, rgb)))

    def id_of(self, name: str | int) -> int:
        """The class id of a name, or of an id written as a number."""
        text = str(name).strip()
        if (found := self.named(text)) is not None:
            return found
        if text.isdigit() and int(text) < len(self):
            return int(text)
        raise InputError("unknown class", got=text, expected=", ".join(self.names), todo="correct it or the class list")

    def named(self, text: str) -> int | None:
        """The class of that name; in other capital letters too, where that leaves no doubt which one is meant."""
        if text in self.names:
            return self.names.index(text)
        alike = [class_id for class_id, name in enumerate(self.names) if name.casefold() == text.casefold()]
        return alike[0] if len(alike) == 1 else None

    def palette(self) -> npt.NDArray[np.uint8]:
        """Colours by class id, shape (256, 3); the ignore index has VOC's void colour, undeclared ids are black."""
        table = np.zeros((256, 3), np.uint8)
        table[: len(self)] = self.colours
        table[IGNORE] = VOID
        return table


def _rgb(colour: Sequence[int]) -> tuple[int, int, int]:
    if len(colour) != 3 or not all(0 <= value <= 255 for value in colour):
        raise ConfigError("a class colour is three whole numbers 0-255", where="colours", got=list(colour))
    return (int(colour[0]), int(colour[1]), int(colour[2]))


def distinct_colour(index: int) -> tuple[int, int, int]:
    """A colour for the ``index``-th class; golden-ratio hues keep neighbours apart. Class 0 is black."""
    if index == 0:
        return (0, 0, 0)
    hue, ring = (index * 0.6180339887) % 1.0, (index - 1) // 12
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.85 - 0.12 * (ring % 3), 0.95 - 0.15 * (ring % 4))
    return (round(255 * red), round(255 * green), round(255 * blue))
