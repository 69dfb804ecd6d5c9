"""The user's photographs: a folder of them, used in a share of the cases, and how one is read.

Backgrounds and textures have this in common. What cannot be read is left out before anything is planned, so that it
costs no picture.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import ExifTags, Image

from scenes.kit import files
from scenes.kit.sensor import Component

_BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, struct.error, Image.DecompressionBombError
)  # fmt: skip
"""What Pillow raises for files that are no whole pictures."""

_MACHINE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO)
"""Errors that say nothing of the file."""

_JPEG_END = b"\xff\xd9"

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to turn a picture upright, by EXIF orientation.

`factory.ingest.pictures` has the same: scenes know nothing of the factory. A test holds the two readers to each other.
"""


@dataclass(frozen=True, kw_only=True)
class Photographs(Component):
    """Photographs of ``folder``, in a ``share`` of the cases; without a folder there are none.

    ``pictures`` are those that can be read, as paths relative to the folder; ``left_out`` names the others and says
    why. ValueError where there is none that can be read.
    """

    folder: str | None = None
    share: float = 0.5
    pictures: tuple[str, ...] = field(init=False, default=(), repr=False)
    left_out: tuple[str, ...] = field(init=False, default=(), repr=False)

    named: ClassVar[str]
    """Name by which plans refer to the folder (see `scenes.kit.files`)."""

    shares: ClassVar = ("share",)

    def __post_init__(self) -> None:
        super().__post_init__()
        faults = {name: _fault(Path(str(self.folder), name)) for name in self._listed()}
        usable = tuple(name for name, fault in faults.items() if fault is None)
        said = [f"{name}: {fault}" for name, fault in faults.items() if fault is not None]
        if said and not usable:
            raise ValueError(f"folder: got no readable photograph in {self.folder!r} ({'; '.join(said[:4])})")
        object.__setattr__(self, "pictures", usable)
        object.__setattr__(self, "left_out", tuple(f"{self.named}: {sentence}; left out" for sentence in said))

    def _listed(self) -> tuple[str, ...]:
        """The folder's photographs, readable or not; none where none can be drawn."""
        found = files.listed("folder", self.folder, files.PICTURES)
        return found if self.enabled and self.share else ()


def read(path: Path) -> Image.Image:
    """The photograph as a viewer shows it: RGB of 8 bits, upright, transparency over white.

    The largest value of 16 bits is white. A file that is no whole picture, or whose numbers have no defined white
    (floats), is a ValueError that names it, unlike a lack of file handles, which is the OSError that it was.
    """
    with _opened(path) as opened:
        picture: Image.Image = opened
        if opened.mode.startswith("I;16"):
            levels = np.asarray(opened).astype(np.float32) * np.float32(255 / 65535)
            picture = Image.fromarray(levels.round().astype(np.uint8))
        if picture.has_transparency_data:
            rgba = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
        turn = _turn(opened)
        return picture.convert("RGB") if turn is None else picture.convert("RGB").transpose(turn)


def shown(path: Path) -> Any:
    """Blender's image (bpy) of the photograph, made once a frame however many materials show it."""
    import bpy

    for image in bpy.data.images:
        if image.get("photograph") == str(path):
            return image
    photograph = read(path)
    image = bpy.data.images.new(path.name, *photograph.size)
    pixels = np.ones((*photograph.size[::-1], 4), np.float32)
    pixels[..., :3] = np.asarray(photograph, np.float32)[::-1] / 255  # Blender's rows begin at the bottom
    image.pixels.foreach_set(pixels.ravel())
    image["photograph"] = str(path)
    return image


def _fault(path: Path) -> str | None:
    """Why a file cannot be shown; None where it can.

    A JPEG that begins and ends as one is taken for whole: to decode a folder of thousands would take minutes.
    """
    try:
        with _opened(path) as opened:
            if opened.format != "JPEG" or not _has_end(path):
                opened.load()
            _turn(opened)
    except ValueError as error:
        return str(error).removeprefix(f"{path.name}: ")
    return None


def _turn(opened: Image.Image) -> Image.Transpose | None:
    """How to turn it upright. Nothing else is read of the tags: they may be broken."""
    return _TURNS.get(opened.getexif().get(ExifTags.Base.Orientation, 1))


def _has_end(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(-min(64, path.stat().st_size), 2)
        return stream.read().rstrip(b"\0").endswith(_JPEG_END)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The picture, its checksums checked where it has any, not decoded yet."""
    try:
        with Image.open(path) as opened:
            opened.verify()
        with Image.open(path) as opened:
            if opened.mode in ("I", "F"):
                raise ValueError(f"pixels of mode {opened.mode}")
            yield opened
    except _BROKEN as error:
        if getattr(error, "errno", None) in _MACHINE:
            raise
        got = str(getattr(error, "strerror", None) or error).replace(str(path), path.name)
        raise ValueError(f"{path.name}: got {got}, expected a readable photograph of 8 or 16 bits") from error
