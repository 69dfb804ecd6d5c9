"""CVAT for images 1.1: one XML file, alone or in a ZIP, with run-length masks, polygons, boxes and ellipses.

Format: https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/ (a mask is cut to its box, row by row,
starting with a run of zeros). Shapes are painted in the order of ``z_order``, then in the order of the file, as CVAT
draws them. Outlines are filled even-odd at pixel centres (see `factory.exchange.outlines`).

Written: every class, class 0 included, each connected part a mask of its own so that it can be edited alone. Class 0
lies at z 0 and all others at z 1: an object that an annotator enlarges wins over the ground it grew into. Pixels in no
mask are pixels nothing is said about.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from factory.core.classes import IGNORE, ClassList
from factory.core.errors import ConfigError, InputError
from factory.exchange import Mask, outlines, parts, placed, require_size, runs
from factory.exchange.parts import Region

NAME = "annotations.xml"
SHAPES = ("mask", "polygon", "box", "ellipse")
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
UNREADABLE = (ParseError, DefusedXmlException, UnicodeError, OSError, zipfile.BadZipFile, zlib.error, RuntimeError)
EXPORT = "export again from CVAT as 'CVAT for images 1.1'"
TODO = f"{EXPORT}, or take the image out of the file"


@dataclass(frozen=True, kw_only=True)
class CvatImage:
    """One ``<image>`` element. ``shapes`` are (tag, attributes) pairs in the file's order."""

    name: str
    width: str
    height: str
    shapes: tuple[tuple[str, dict[str, str]], ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Shapes that cannot be read as a region."""
        strange = [tag for tag, _ in self.shapes if tag not in SHAPES]
        counted = {tag: strange.count(tag) for tag in sorted(set(strange))}
        return tuple(
            f"{count} x <{tag}> not read: only masks, polygons, boxes and ellipses are"
            for tag, count in counted.items()
        )

    def mask(self, classes: ClassList, size_hw: tuple[int, int]) -> Mask:
        """See `factory.exchange.Entry.mask`."""
        try:
            require_size((_whole(self.height, "height"), _whole(self.width, "width")), size_hw, self.name)
            canvas = np.full(size_hw, IGNORE, np.uint8)
            readable = [shape for shape in self.shapes if shape[0] in SHAPES]
            for tag, attributes in sorted(readable, key=lambda shape: _whole(shape[1].get("z_order", "0"), "z_order")):
                _paint(canvas, tag, attributes, classes)
        except KeyError as error:
            raise InputError("a shape lacks an attribute", where=self.name, got=error.args[0], todo=TODO) from error
        except ValueError as error:
            raise InputError("a shape holds a broken number", where=self.name, got=error, todo=TODO) from error
        except InputError as error:
            raise placed(error, self.name, TODO) from error
        return canvas


@dataclass(frozen=True, kw_only=True)
class Cvat:
    """The codec. Connected parts under ``specks`` pixels share one mask a class: dust should not fill the list."""

    specks: int = 16

    def __post_init__(self) -> None:
        if self.specks < 0:
            raise ConfigError("codec.specks must not be negative", got=self.specks, expected="pixels, 0 or more")

    def read(self, path: Path) -> Iterator[CvatImage]:
        """See `factory.exchange.Codec.read`; tracks through a video, or no images at all, are another format's."""
        found = "no <image>"
        for element in _elements(path, "image", "track"):
            found = f"<{element.tag}>"
            if element.tag == "track":
                break
            shapes = tuple((child.tag, dict(child.attrib)) for child in element)
            size = {key: element.get(key, "") for key in ("width", "height")}
            yield CvatImage(name=element.get("name", ""), shapes=shapes, **size)
        if found != "<image>":
            raise InputError("not a CVAT file of images", where=path, got=found, expected="<image>", todo=EXPORT)

    def write(self, masks: Iterable[tuple[str, Mask]], classes: ClassList) -> Iterator[tuple[str, bytes]]:
        """See `factory.exchange.Codec.write`: the one file `NAME`."""
        root = Element("annotations")
        SubElement(root, "version").text = "1.1"
        _describe(SubElement(SubElement(root, "meta"), "task"), classes)
        for number, (name, mask_hw) in enumerate(masks):
            height, width = mask_hw.shape
            about = {"id": str(number), "name": _xml(name), "width": str(width), "height": str(height)}
            image = SubElement(root, "image", about)
            for class_id, window, region_hw in parts.connected(mask_hw, self.specks):
                label = classes.names[class_id]
                SubElement(image, "mask", _mask_attributes(label, window, region_hw, z=min(class_id, 1)))
        indent(root)
        yield NAME, cast("bytes", tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def read_classes(path: Path) -> ClassList:
    """The labels and colours of the file's ``<meta>``; `InputError` where it has none."""
    for meta in _elements(path, "meta"):
        if found := [(label.findtext("name", ""), label.findtext("color", "")) for label in meta.iter("label")]:
            try:
                return ClassList.of([name for name, _ in found], [bytes.fromhex(rgb.lstrip("#")) for _, rgb in found])
            except (ValueError, ConfigError) as error:
                raise InputError("the labels in <meta> make no class list", where=path, got=error) from error
    raise InputError("the file has no labels in <meta>", where=path, todo=TODO)


def label_constructor(classes: ClassList) -> bytes:
    """The class list for CVAT's label constructor ("Raw"), as JSON."""
    colours = (_hex(colour) for colour in classes.colours)
    labels = [
        {"name": name, "color": colour, "type": "any", "attributes": []}
        for name, colour in zip(classes.names, colours, strict=True)
    ]
    return (json.dumps(labels, indent=1, ensure_ascii=False) + "\n").encode()


def _elements(path: Path, *tags: str) -> Iterator[Element]:
    """Every element of these names, one at a time: a file may be larger than memory."""
    try:
        with _opened(path) as stream:
            events = iterparse(stream, events=("start", "end"), forbid_dtd=True)
            _, root = next(events)
            if root.tag != "annotations":
                got = f"<{root.tag}>"
                raise InputError("not a CVAT file", where=path, got=got, expected="<annotations>", todo=EXPORT)
            for event, element in events:
                if event == "end" and element.tag in tags:
                    yield element
                    root.clear()
    except UNREADABLE as error:
        raise InputError.of(error, what="unreadable CVAT XML", where=path, todo=EXPORT) from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file, or the one `NAME` inside the ZIP that CVAT hands out, or inside a folder that it was unpacked to."""
    if path.is_dir():
        if not (path / NAME).is_file():
            todo = "give the file CVAT exported; of a folder of masks, codec=png"
            raise InputError(f"the folder holds no {NAME}", where=path, todo=todo)
        path /= NAME
    if not zipfile.is_zipfile(path):
        with path.open("rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(path) as archive:
        inside = [name for name in archive.namelist() if PurePosixPath(name).name == NAME]
        if len(inside) != 1:
            todo = "unpack it, and give one XML file" if inside else EXPORT
            raise InputError(f"the ZIP does not hold one {NAME}", where=path, got=len(inside), expected=1, todo=todo)
        with archive.open(inside[0]) as stream:
            yield stream


def _paint(canvas: Mask, tag: str, attributes: dict[str, str], classes: ClassList) -> None:
    if (class_id := classes.named(attributes["label"])) is None:
        raise InputError("unknown label", got=attributes["label"], expected=", ".join(classes.names))
    window, region = (
        _mask_region(attributes, canvas.shape) if tag == "mask" else _outline(tag, attributes, canvas.shape)
    )
    canvas[window][region] = class_id


def _mask_region(attributes: dict[str, str], size_hw: Any) -> tuple[tuple[slice, slice], Region]:
    left, top, width, height = (_whole(attributes[key], key) for key in ("left", "top", "width", "height"))
    counts = [_whole(run, "rle") for run in attributes["rle"].replace(",", " ").split()]
    if min(left, top, width, height) < 0 or left + width > size_hw[1] or top + height > size_hw[0]:
        got = f"x {left} to {left + width}, y {top} to {top + height}"
        raise InputError("a mask lies outside its image", got=got, expected=f"{size_hw[1]} x {size_hw[0]}")
    return (slice(top, top + height), slice(left, left + width)), runs.decode(counts, (height, width))


def _outline(tag: str, attributes: dict[str, str], size_hw: Any) -> tuple[tuple[slice, slice], Region]:
    everything = (slice(None), slice(None))
    if tag == "box":
        x0, y0, x1, y1 = (float(attributes[key]) for key in ("xtl", "ytl", "xbr", "ybr"))
        corners = outlines.box_corners(x0, y0, x1, y1, float(attributes.get("rotation", "0")))
    elif tag == "ellipse":
        x, y, radius_x, radius_y = (float(attributes[key]) for key in ("cx", "cy", "rx", "ry"))
        corners = outlines.ellipse_rim(x, y, radius_x, radius_y, float(attributes.get("rotation", "0")))
    else:
        pairs = [pair.split(",") for pair in attributes["points"].split(";") if pair.strip()]
        corners = np.array([(float(x), float(y)) for x, y in pairs], np.float64).reshape(-1, 2)
    if not np.isfinite(corners).all():
        raise InputError("a shape holds a coordinate that is no number", got=attributes.get("points"))
    return everything, outlines.fill(corners, size_hw) if len(corners) else np.zeros(size_hw, bool)


def _describe(task: Element, classes: ClassList) -> None:
    labels = SubElement(task, "labels")
    for name, colour in zip(classes.names, classes.colours, strict=True):
        label = SubElement(labels, "label")
        SubElement(label, "name").text = _xml(name)
        SubElement(label, "color").text = _hex(colour)
        SubElement(label, "type").text = "any"
        SubElement(label, "attributes")


def _mask_attributes(label: str, window: tuple[slice, slice], region_hw: Region, *, z: int) -> dict[str, str]:
    counts = ", ".join(str(run) for run in runs.encode(region_hw))
    height, width = region_hw.shape
    place = {"left": window[1].start, "top": window[0].start, "width": width, "height": height, "z_order": z}
    fixed = {"label": _xml(label), "source": "auto", "occluded": "0", "rle": counts}
    return fixed | {key: str(value) for key, value in place.items()}


def _xml(text: str) -> str:
    if found := NOT_XML.search(text):
        todo = "rename the class or the image"
        raise InputError("XML cannot hold this character", where=repr(text), got=repr(found.group()), todo=todo)
    return text


def _whole(text: str, name: str) -> int:
    number = float(text) if text else float("nan")
    if not number.is_integer():
        raise InputError(f"{name} is not a whole number", got=text or "nothing")
    return int(number)


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
