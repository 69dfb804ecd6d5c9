"""A folder of mask PNGs, one an image, named like it (``<image>.png``).

How a picture is read follows from its mode:

- grey (1 to 16 bits): the values are class ids, 255 is ignore
- palette: class ids too, unless every colour in use is a class colour: then colours decide, because other tools keep
  the colours and sort the classes
- RGB, RGBA: class colours, the ignore colour (mid-grey 128) being ignore

Wholly transparent pixels are ignore, whether a channel says so or a colour, grey or palette index that is transparent.
A colour or value that is no class is an error that names it: nothing is matched to the nearest.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from factory.core import bits, given
from factory.core import masks as pixel_maps
from factory.core.classes import IGNORE, VOID, ClassList
from factory.core.errors import ConfigError, InputError
from factory.exchange import Mask, placed, require_size

STYLES = ("palette", "grey", "colour")
LOSSY = (".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")


@dataclass(frozen=True, kw_only=True)
class PngFile:
    """One file of the folder; opened when its mask is asked for."""

    path: Path
    name: str
    notes: tuple[str, ...] = ()

    def mask(self, classes: ClassList, size_hw: tuple[int, int]) -> Mask:
        """See `factory.exchange.Entry.mask`."""
        if self.path.suffix.lower() != ".png":
            raise InputError("not a PNG", where=self.name, todo="save masks as PNG: other formats may alter pixels")
        try:
            with Image.open(self.path) as opened:
                require_size(opened.size[::-1], size_hw, self.name)
                return _class_ids(opened, classes)
        except InputError as error:
            raise placed(error, self.name, "correct the mask, or the class list") from error
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise InputError.of(error, what="unreadable mask", where=self.name, todo="save it again as PNG") from error


@dataclass(frozen=True, kw_only=True)
class Png:
    """The codec. ``style`` decides what is written: ids with a palette, plain grey ids, or RGB class colours."""

    style: str = "palette"

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ConfigError("unknown codec.style", got=self.style, expected=", ".join(STYLES))

    def read(self, path: Path) -> Iterator[PngFile]:
        """See `factory.exchange.Codec.read`: pictures in the folder and below, in name order."""
        if not path.is_dir():
            raise InputError("not a folder", where=path, expected="a folder of mask PNGs, one an image")
        if not (found := entries(path)):
            todo = "give mask PNGs, CVAT's export as 'CVAT for images 1.1', or LabelMe's JSON files"
            expected = "one mask PNG an image, named like it"
            raise InputError("no mask PNG", where=path, expected=expected, todo=todo)
        return iter(found)

    def write(self, masks: Iterable[tuple[str, Mask]], classes: ClassList) -> Iterator[tuple[str, bytes]]:
        """See `factory.exchange.Codec.write`: ``<image name without its ending>.png`` for each mask."""
        for name, mask_hw in masks:
            yield f"{stem_of(name)}.png", self._encode(mask_hw, classes)

    def _encode(self, mask_hw: Mask, classes: ClassList) -> bytes:
        if self.style == "colour":
            _require_distinct_ignore(mask_hw, classes)
            return pixel_maps.encode_png(pixel_maps.colour(mask_hw, classes))
        if self.style == "grey":
            return pixel_maps.encode_png(mask_hw)
        picture, buffer = Image.fromarray(mask_hw), io.BytesIO()
        picture.putpalette(classes.palette().tobytes())
        picture.save(buffer, format="PNG", compress_level=4)
        return buffer.getvalue()


def entries(folder: Path) -> list[PngFile]:
    """The pictures in a folder and below, in name order."""
    files = (file for file in given.files_in(folder) if file.suffix.lower() in (".png", *LOSSY))
    return [PngFile(path=file, name=file.relative_to(folder).as_posix()) for file in files]


def stem_of(name: str) -> str:
    """An image's name without the ending of a picture's file; what else follows a dot is a part of the name."""
    ending = Path(name).suffix.lower()
    return name[: -len(ending)] if ending in (".png", *LOSSY) else name


def _require_distinct_ignore(mask_hw: Mask, classes: ClassList) -> None:
    void = tuple(int(value) for value in classes.palette()[IGNORE])
    if void in classes.colours and (mask_hw == IGNORE).any():
        todo = "give the class another colour, or write style=palette"
        raise InputError("a class has the colour of ignored pixels", got=void, todo=todo)


def _class_ids(picture: Image.Image, classes: ClassList) -> Mask:
    if picture.mode == "P":
        return _indexed(picture, classes)
    if picture.mode in ("RGB", "RGBA"):
        return _by_colour(np.asarray(picture.convert("RGB")), classes, _opacity(picture))
    if picture.mode in ("L", "1") or picture.mode.startswith("I"):
        return _grey(picture, classes)
    raise InputError("a mask of an unknown kind", got=f"mode {picture.mode}", expected="grey, palette, RGB or RGBA")


def _opacity(picture: Image.Image) -> Mask:
    """0 where a pixel is transparent, 255 where it is not, in between where it is half so."""
    return np.asarray(picture.convert("RGBA"))[..., 3]


def _indexed(picture: Image.Image, classes: ClassList) -> Mask:
    ids, opaque_hw = np.asarray(picture), _opacity(picture)
    rgb = np.zeros((256, 3), np.uint8)
    stated = np.array(picture.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    rgb[: len(stated)] = stated
    if _sorted_otherwise(rgb, np.unique(ids[opaque_hw > 0]), classes):
        return _by_colour(rgb[ids], classes, opaque_hw)
    return _checked(np.where(opaque_hw > 0, ids, IGNORE), classes)


def _grey(picture: Image.Image, classes: ClassList) -> Mask:
    ids, clear = bits.as_stored(picture), picture.info.get("transparency")
    if picture.mode == "1" and clear is not None:
        clear = clear > 0  # the file says 1, Pillow 255
    return _checked(np.where(ids == clear, IGNORE, ids), classes)


def _checked(ids_hw: npt.NDArray[np.generic], classes: ClassList) -> Mask:
    values = np.unique(ids_hw.astype(np.int64))
    if strays := [int(i) for i in values if not 0 <= i < len(classes) and i != IGNORE]:
        expected = f"0-{len(classes) - 1} or {IGNORE}"
        raise InputError("ids outside the class list", got=_few(strays), expected=expected)
    return ids_hw.astype(np.uint8)


def _table(classes: ClassList) -> dict[int, int]:
    """Packed colour -> class id; a class may have the ignore colour as its own, and then it is the class."""
    packed = _pack(classes.palette())
    return {int(packed[IGNORE]): IGNORE} | {int(packed[i]): i for i in range(len(classes))}


def _pack(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    packed: npt.NDArray[np.int64] = rgb.astype(np.int64) @ np.array([65536, 256, 1])
    return packed


def _sorted_otherwise(palette: npt.NDArray[np.uint8], used: npt.NDArray[np.generic], classes: ClassList) -> bool:
    """Whether the colours in use are all class colours, but stand at other indices than the class ids."""
    colours = palette[used]
    known = set(_pack(colours).tolist()) <= _table(classes).keys()
    return known and not np.array_equal(colours, classes.palette()[used])


def _by_colour(rgb_hwc: npt.NDArray[np.uint8], classes: ClassList, opaque_hw: npt.NDArray[np.uint8]) -> Mask:
    stated = opaque_hw == 255
    if (~stated & (opaque_hw != 0)).any():
        raise InputError("half-transparent pixels", todo="draw masks without soft edges")
    table, ids = _table(classes), np.full(stated.shape, IGNORE, np.uint8)
    colours, places = np.unique(_pack(rgb_hwc[stated]), return_inverse=True)
    if strays := [colour for colour in colours.tolist() if colour not in table]:
        named = _few([f"#{colour:06x}" for colour in strays])
        todo = "draw without soft edges, in the class list's colours (name,red,green,blue)"
        void = f"what is of no class transparent or #{bytes(VOID).hex()}"
        raise InputError("colours of no class", got=named, todo=f"{todo}; {void}")
    ids[stated] = np.array([table[colour] for colour in colours.tolist()], np.uint8)[places]
    return ids


def _few(values: list[int] | list[str]) -> str:
    shown = ", ".join(str(value) for value in values[:8])
    return shown + (f" and {len(values) - 8} more" if len(values) > 8 else "")
