"""Any photograph a user may hand in, as 8-bit RGB the way a viewer would show it."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageSequence
from PIL.TiffImagePlugin import TiffImageFile

from factory.core import bits, given
from factory.core.errors import ConfigError, InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
CAMERAS = (".arw", ".cr2", ".cr3", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".srw", ".x3f")
OTHERS = (
    ".heic", ".heif", ".hif", ".avif", ".jxl", ".jp2", ".jpx", ".j2k", ".jfif", ".gif", ".apng", ".tga", ".exr", ".hdr",
    ".svg", ".psd", ".psb", ".xcf", ".ai", ".eps", ".pdf", *CAMERAS,
)  # fmt: skip
"""Kinds of pictures that are not read here."""

WHITE = 65535
"""The highest value of 16 bits."""

TURNS: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What puts a picture upright, by its EXIF orientation (Exif 2.32, tag 274; 1 is upright)."""

BROKEN = (OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, struct.error, Warning)
"""What Pillow raises for files that it cannot read."""


def find(folder: Path, suffixes: Collection[str] = SUFFIXES, *, outside: Collection[Path] = ()) -> list[Path]:
    """Every picture below a folder (or the file given), in name order, but none in folders to stay ``outside`` of or
    that `given.files_in` leaves out: what was made of the pictures is not to be taken for one.
    """
    if folder.is_file():
        return [folder]
    found = (path for path in given.files_in(folder) if path.suffix.lower() in suffixes)
    return [path for path in found if not any(other in path.parents for other in outside)]


def unread(folder: Path, *, outside: Collection[Path] = ()) -> list[Path]:
    """The pictures of `OTHERS` below a folder, but for those that are there as one that is read too."""
    if folder.is_file():
        return []
    there = {path.with_suffix("") for path in find(folder, outside=outside)}
    return [path for path in find(folder, OTHERS, outside=outside) if path.with_suffix("") not in there]


def read(
    path: Path, *, white_level: int = WHITE, most_pixels: int | None = Image.MAX_IMAGE_PIXELS
) -> npt.NDArray[np.uint8]:
    """Decode to RGB, shape (height, width, 3).

    EXIF orientation is applied; grey becomes three equal channels; transparency is laid over white; palettes are
    looked up. ``white_level`` is the 16-bit value shown as white (4095 for 12-bit cameras). Raises `InputError` for
    what is corrupt, truncated, not a picture, of a pixel type without a defined white (float), or larger than
    ``most_pixels``: a small file may unpack to any size.
    """
    if not 0 < white_level <= WHITE:
        raise ConfigError(
            "white_level is a 16-bit value", where="white_level", got=white_level, expected=f"1 to {WHITE}"
        )
    with _decoded(path, "picture", "save it again, or leave it out", most_pixels) as opened:
        if _is_deep(opened, path):
            return _read_deep(path, opened, white_level)
        return _to_rgb(_upright(opened, opened.getexif()))


def read_ids(path: Path, translation: dict[int, int]) -> npt.NDArray[np.uint8]:
    """Class ids of a mask or scribble PNG: grey or palette indices, translated where ``translation`` names them."""
    with _decoded(path, "mask", "save it as 8-bit PNG", Image.MAX_IMAGE_PIXELS) as opened:
        ids = bits.as_stored(opened)
    if ids.ndim != 2 or ids.max(initial=0) > 255:
        got, todo = (
            f"{opened.mode} of shape {ids.shape}",
            "save class ids as a grey or palette PNG, 0 for the first class",
        )
        raise InputError("a mask must hold one 8-bit id a pixel", where=path, got=got, todo=todo)
    table = np.arange(256, dtype=np.uint8)
    for old, new in translation.items():
        table[old] = new
    return table[ids.astype(np.uint8)]


def is_coloured(path: Path) -> bool:
    """Whether a mask is painted in colours instead of ids; what cannot be read is for `read_ids` to refuse."""
    with suppress(*BROKEN), warnings.catch_warnings(action="ignore"), _at_most(None), Image.open(path) as opened:
        return opened.mode in ("RGB", "RGBA")
    return False


def passed_over(path: Path) -> list[str]:
    """The reason to report where a file holds more than the one picture that `read` finds; none where it does not."""
    count = _frames(path)
    return [f"{count} frames: the first is used, the others are left out"] if count > 1 else []


def _frames(path: Path) -> int:
    """Pages of a TIFF that are no smaller copies (TIFF 6.0, tag 254, bit 0), or frames of an animation; a camera's
    previews (MPO) are neither. What cannot be read is for `read` to refuse.
    """
    with suppress(*BROKEN), warnings.catch_warnings(action="ignore"), _at_most(None), Image.open(path) as opened:
        if isinstance(opened, TiffImageFile):
            return sum(not opened.tag_v2.get(254, 0) & 1 for _ in ImageSequence.Iterator(opened))
        return 1 if opened.format == "MPO" else getattr(opened, "n_frames", 1)
    return 0


@contextmanager
def _decoded(path: Path, what: str, todo: str, most_pixels: int | None) -> Iterator[Image.Image]:
    """A whole picture or mask of at most so many pixels; `InputError` for any other, and for what does not decode."""
    try:
        with warnings.catch_warnings(), _at_most(most_pixels):
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with _opened(path) as opened:
                yield opened
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        smaller = "shrink it, leave it out, or predict it with a higher largest=…"
        raise InputError.of(error, what=f"the {what} is larger than allowed", where=path, todo=smaller) from error
    except BROKEN as error:
        raise InputError.of(error, what=f"not a readable {what}", where=path, todo=todo) from error


@contextmanager
def _at_most(pixels: int | None) -> Iterator[None]:
    """Pillow's own limit is one for the process."""
    usual, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, pixels
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = usual


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """A picture that is whole: loading alone lets a file pass whose end is missing."""
    with Image.open(path) as opened:
        opened.verify()
    with Image.open(path) as opened:
        opened.load()
        yield opened


def _is_deep(opened: Image.Image, path: Path) -> bool:
    return opened.mode.startswith(("I", "F")) or (
        path.suffix.lower() in (".png", ".tif", ".tiff") and bits.per_channel(opened) > 8
    )


def _read_deep(path: Path, opened: Image.Image, white_level: int) -> npt.NDArray[np.uint8]:
    flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_UNCHANGED
    pixels = cv2.imread(str(path), flags)
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16):
        got = opened.mode if pixels is None else str(pixels.dtype)
        raise InputError("unsupported pixel type", where=path, got=got, expected="8 or 16 bits", todo="convert it")
    white = white_level if pixels.dtype == np.uint16 else 255
    scaled = np.clip(pixels.astype(np.float32) * (255.0 / white), 0, 255).round().astype(np.uint8)
    picture = Image.fromarray(scaled if scaled.ndim == 2 else _rgb_order(scaled))
    return _to_rgb(_upright(picture, opened.getexif()))


def _upright(picture: Image.Image, exif: Image.Exif) -> Image.Image:
    """As a viewer shows it. Nothing but the orientation is read of the tags: the others may be broken."""
    turn = TURNS.get(exif.get(ExifTags.Base.Orientation))
    return picture if turn is None else picture.transpose(turn)


def _rgb_order(bgr_hwc: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    order = [2, 1, 0, 3][: bgr_hwc.shape[2]]
    return np.ascontiguousarray(bgr_hwc[..., order])


def _to_rgb(picture: Image.Image) -> npt.NDArray[np.uint8]:
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, rgba)
    return np.asarray(picture.convert("RGB"))
