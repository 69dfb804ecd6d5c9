"""Pictures for people: pixel maps in colour, regions outlined and numbered, hints drawn, everything inlined in a page.

Arrays are RGB, shape (height, width, 3), unless their suffix says otherwise.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy import ndimage

from factory.core import masks
from factory.core import picture as core
from factory.core.classes import IGNORE, ClassList
from factory.core.sample import Hints, Origin
from factory.measure.legend import font

Image8 = npt.NDArray[np.uint8]
Window = tuple[slice, slice]

ORIGIN_COLOURS = {
    Origin.NONE: (128, 128, 128),
    Origin.EXACT: (38, 139, 130),
    Origin.HINT: (230, 159, 0),
    Origin.PSEUDO: (86, 140, 220),
    Origin.HUMAN: (204, 71, 148),
}
"""Told apart by readers with any colour vision (after Okabe and Ito)."""

HEAT = ((0, (13, 8, 40)), (70, (95, 25, 110)), (140, (205, 70, 75)), (205, (250, 155, 45)), (255, (250, 250, 165)))
"""Dark to bright, monotone in lightness, so that it also reads in grey."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture inside the page. ``pixelated`` ones are shown with hard pixels when enlarged."""

    uri: str
    width: int
    height: int
    alt: str
    pixelated: bool = False


def photo(rgb: Image8, alt: str, *, longest: int = 480) -> Picture:
    """An inlined JPEG, scaled down to ``longest`` pixels on its longer side."""
    picture = Image.fromarray(rgb)
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=82, subsampling="4:2:2")
    return _inlined(buffer.getvalue(), "jpeg", picture.size, alt, pixelated=False)


def flat(rgb: Image8, alt: str, *, longest: int = 480) -> Picture:
    """An inlined PNG of few colours; pixels are dropped, never mixed, when it is scaled down."""
    step = max(1, -(-max(rgb.shape[:2]) // longest))
    rows, columns = (slice(min(step, side) // 2, None, step) for side in rgb.shape[:2])
    picture = Image.fromarray(np.ascontiguousarray(rgb[rows, columns])).quantize(256)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", compress_level=9)
    return _inlined(buffer.getvalue(), "png", picture.size, alt, pixelated=True)


def drawing(png: bytes, alt: str) -> Picture:
    """A finished drawing as it is: writing must stay legible."""
    with Image.open(io.BytesIO(png)) as picture:
        return _inlined(png, "png", picture.size, alt, pixelated=False)


def heat(values_hw: Image8) -> Image8:
    """A scalar map, 0-255, in the colours of `HEAT`."""
    stops = [stop for stop, _ in HEAT]
    table = np.stack([np.interp(np.arange(256), stops, [rgb[k] for _, rgb in HEAT]) for k in range(3)], axis=-1)
    return np.asarray(table.round(), np.uint8)[values_hw]


def origins(source_hw: Image8) -> Image8:
    """A source map in `ORIGIN_COLOURS`."""
    table = np.zeros((256, 3), np.uint8)
    for origin, colour in ORIGIN_COLOURS.items():
        table[origin] = colour
    return table[source_hw]


def enlarged(rgb: Image8, factor: int, *, smooth: bool) -> Image8:
    """The picture ``factor`` times as large."""
    size = (rgb.shape[1] * factor, rgb.shape[0] * factor)
    how = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(rgb).resize(size, how))


def outlined(rgb: Image8, regions_hw: npt.NDArray[np.integer], *, width: int = 1) -> Image8:
    """White lines inside the border of each region, on a black rim outside it: visible on any picture."""
    highest = ndimage.maximum_filter(regions_hw, size=2 * width + 1, mode="constant")
    lowest = ndimage.minimum_filter(regions_hw, size=2 * width + 1, mode="constant")
    line = (regions_hw > 0) & ((highest != regions_hw) | (lowest != regions_hw))
    rim = (regions_hw == 0) & (highest > 0)
    drawn = rgb.copy()
    drawn[rim], drawn[line] = 0, 255
    return drawn


def numbered(rgb: Image8, places: Iterable[tuple[str, tuple[int, int]]], *, size: int = 20) -> Image8:
    """Texts centred on (x, y), white on black badges that stay inside the picture."""
    picture = Image.fromarray(rgb)
    draw, pen = ImageDraw.Draw(picture), font(size)
    for text, (x, y) in places:
        half_x, half_y = round(draw.textlength(text, font=pen) / 2) + size // 3, round(0.62 * size)
        x, y = min(max(x, half_x), rgb.shape[1] - half_x), min(max(y, half_y), rgb.shape[0] - half_y)
        draw.rounded_rectangle((x - half_x, y - half_y, x + half_x, y + half_y), half_y, (0, 0, 0), (255, 255, 255))
        draw.text((x, y), text, (255, 255, 255), pen, "mm")
    return np.asarray(picture)


def middle(region_hw: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """(x, y) of the region's pixel that is farthest from its border."""
    (window,) = ndimage.find_objects(region_hw.astype(np.uint8))
    depth = ndimage.distance_transform_edt(np.pad(region_hw[window], 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(column) + window[1].start, int(row) + window[0].start


def with_hints(image: Image8, hints: Hints, classes: ClassList, scribbles_hw: Image8 | None) -> Image8:
    """The image with its weak labels: points as ringed dots, boxes as frames, scribbles as strokes.

    Lines are as wide as a large picture needs that is shown small.
    """
    factor = max(1, -(-360 // max(image.shape[:2])))
    if scribbles_hw is not None:
        said = (scribbles_hw != IGNORE)[..., None]
        image = np.where(said, masks.colour(scribbles_hw, classes), image)
    picture = Image.fromarray(enlarged(image, factor, smooth=True))
    draw, radius = ImageDraw.Draw(picture), max(3, max(picture.size) // 90)
    line = max(1, radius // 5)
    for x0, y0, x1, y1, class_id in hints.boxes:
        frame = (x0 * factor, y0 * factor, x1 * factor - 1, y1 * factor - 1)
        draw.rectangle(frame, outline=classes.colours[class_id], width=2 * line)
    for x, y, class_id in hints.points:
        centre_x, centre_y = (x + 0.5) * factor, (y + 0.5) * factor
        for reach, colour in (
            (radius + 2 * line, (0, 0, 0)),
            (radius + line, (255, 255, 255)),
            (radius - line, classes.colours[class_id]),
        ):
            draw.ellipse((centre_x - reach, centre_y - reach, centre_x + reach, centre_y + reach), fill=colour)
    return np.asarray(picture)


def hinted(given: core.Picture, classes: ClassList, sure_hw: Image8 | None) -> list[tuple[str, Image8]]:
    """Captioned: what was said of a picture, and how sure (0 to 255) its labels are where they say so."""
    title = "hints" if given.hints.as_json() else "photograph"
    panels = [(title, with_hints(given.image, given.hints, classes, given.scribbles))]
    return panels if sure_hw is None else [*panels, ("confidence", heat(sure_hw))]


def around(box: tuple[int, int, int, int], size_hw: tuple[int, int], *, least: int = 48) -> Window:
    """A square-ish window about a box (x0, y0, x1, y1) with some surroundings, inside the image."""
    x0, y0, x1, y1 = box
    side = max(least, int(1.7 * max(x1 - x0, y1 - y0)))
    return _span(y0, y1, side, size_hw[0]), _span(x0, x1, side, size_hw[1])


def _span(low: int, high: int, side: int, limit: int) -> slice:
    side = min(side, limit)
    start = min(max((low + high - side) // 2, 0), limit - side)
    return slice(start, start + side)


def _inlined(data: bytes, form: str, size: tuple[int, int], alt: str, *, pixelated: bool) -> Picture:
    uri = f"data:image/{form};base64,{base64.b64encode(data).decode()}"
    return Picture(uri=uri, width=size[0], height=size[1], alt=alt, pixelated=pixelated)
