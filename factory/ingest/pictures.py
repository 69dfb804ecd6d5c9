"""Any photograph a user may hand in, as 8-bit RGB the way a viewer would show it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from factory.core.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")


def find(folder: Path) -> list[Path]:
    """Every picture below a folder (or the one file given), in name order."""
    if folder.is_file():
        return [folder]
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix.lower() in SUFFIXES and p.name[0] != ".")


def read(
    path: Path, *, white_level: int = 65535, most_pixels: int | None = Image.MAX_IMAGE_PIXELS
) -> npt.NDArray[np.uint8]:
    """Decode to RGB, shape (height, width, 3).

    EXIF orientation is applied; grey becomes three equal channels; transparency is laid over white; palettes are
    looked up. ``white_level`` is the 16-bit value shown as white (4095 for 12-bit cameras). Raises `InputError` for
    what is corrupt, truncated, not a picture, of a pixel type without a defined white (float), or larger than
    ``most_pixels``: a small file may unpack to any size.
    """
    try:
        with warnings.catch_warnings(), _at_most(most_pixels):
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with _opened(path) as opened:
                if _is_deep(opened, path):
                    return _read_deep(path, opened, white_level)
                return _to_rgb(ImageOps.exif_transpose(opened))
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        todo = "shrink it, leave it out, or predict it with a higher largest=…"
        raise InputError.of(error, what="the picture is larger than allowed", where=path, todo=todo) from error
    except (OSError, ValueError, SyntaxError, EOFError, Warning) as error:
        todo = "save it again, or leave it out"
        raise InputError.of(error, what="not a readable picture", where=path, todo=todo) from error


def read_ids(path: Path, translation: dict[int, int]) -> npt.NDArray[np.uint8]:
    """Class ids of a mask or scribble PNG: grey or palette indices, translated where ``translation`` names them."""
    try:
        with _opened(path) as opened:
            ids = np.asarray(opened)
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise InputError.of(error, what="not a readable mask", where=path, todo="save it as 8-bit PNG") from error
    if ids.ndim != 2 or ids.max(initial=0) > 255:
        raise InputError("a mask must hold one 8-bit id a pixel", where=path, got=f"{opened.mode} of shape {ids.shape}")
    table = np.arange(256, dtype=np.uint8)
    for old, new in translation.items():
        table[old] = new
    return table[ids.astype(np.uint8)]


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
        path.suffix.lower() in (".png", ".tif", ".tiff") and _bits(opened) > 8
    )


def _bits(opened: Image.Image) -> int:
    """Bits a channel as the file states them: Pillow silently halves 16-bit colour."""
    bits = getattr(opened, "tag_v2", {}).get(258, 8)
    return max(bits) if isinstance(bits, tuple) else int(bits) if opened.format != "PNG" else _png_bits(opened)


def _png_bits(opened: Image.Image) -> int:
    with Path(str(opened.filename)).open("rb") as stream:  # type: ignore[attr-defined]
        return stream.read(25)[24]


def _read_deep(path: Path, opened: Image.Image, white_level: int) -> npt.NDArray[np.uint8]:
    flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_UNCHANGED
    pixels = cv2.imread(str(path), flags)
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16):
        got = opened.mode if pixels is None else str(pixels.dtype)
        raise InputError("unsupported pixel type", where=path, got=got, expected="8 or 16 bits", todo="convert it")
    white = white_level if pixels.dtype == np.uint16 else 255
    scaled = np.clip(pixels.astype(np.float32) * (255.0 / white), 0, 255).round().astype(np.uint8)
    picture = Image.fromarray(scaled if scaled.ndim == 2 else _rgb_order(scaled))
    picture.getexif().update(opened.getexif())
    return _to_rgb(ImageOps.exif_transpose(picture))


def _rgb_order(bgr_hwc: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    order = [2, 1, 0, 3][: bgr_hwc.shape[2]]
    return np.ascontiguousarray(bgr_hwc[..., order])


def _to_rgb(picture: Image.Image) -> npt.NDArray[np.uint8]:
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, rgba)
    return np.asarray(picture.convert("RGB"))
