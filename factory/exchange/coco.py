"""COCO: a data set as instance and panoptic annotations that pycocotools opens.

    images/<id>.png                    the pictures
    annotations/instances.json         one annotation a thing
    annotations/panoptic.json          one segment a thing, and one a class of stuff
    annotations/panoptic/<id>.png      segment ids as R + 256 G + 256² B; 0 where nobody said anything

Masks are run lengths, so that holes and disjoint parts stay what they are. ``iscrowd`` is 1 for a class region whose
individuals are not told apart, which is all there is where a data set has no instances map. Category ids are class
ids + 1, because tools take 0 for background. A rendered thing also carries ``visible_share`` and, where it is known,
``amodal`` (bbox, area and run lengths of the whole thing).

Formats: cocodataset.org/#format-data (object detection, panoptic segmentation).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from factory.core import masks
from factory.core.classes import IGNORE, ClassList
from factory.core.dataset import Dataset
from factory.core.objects import SceneObject, SceneObjects
from factory.core.sample import Sample
from factory.exchange import rle

Plane = npt.NDArray[Any]
Files = Iterator[tuple[str, bytes]]


@dataclass(frozen=True)
class _Segment:
    """A region of one picture: a thing, or all of one class.

    ``number`` is its panoptic id: class id + 1, and for a thing its instance with class id + 1 in front, as the blue
    byte: what an instances map takes for one thing, and the mask for two classes, is two segments.
    """

    number: int
    class_id: int
    region_hw: Plane
    is_thing: bool
    told: SceneObject | None = None


@dataclass(frozen=True, kw_only=True)
class Coco:
    """The format. ``things`` names the classes of which individuals count; null: those with instances in the data."""

    things: tuple[str, ...] | None = None

    def __call__(self, data: Dataset) -> Files:
        """Files as (relative path, content), pictures left out: samples without a mask are not annotated."""
        samples = [sample for sample in data.samples if sample.mask is not None]
        things = self._things(data, samples)
        instances, panoptic = _header(data.classes, things), _header(data.classes, things)
        for number, sample in enumerate(samples, start=1):
            picture = _picture(number, sample)
            segments = list(_segments(data, sample, things))
            instances["images"].append(picture)
            start = len(instances["annotations"]) + 1
            instances["annotations"] += _annotations(number, start, (s for s in segments if s.is_thing or not things))
            panoptic["images"].append(picture)
            panoptic["annotations"].append(
                {"image_id": number, "file_name": f"{sample.id}.png", "segments_info": [_info(s) for s in segments]}
            )
            yield f"annotations/panoptic/{sample.id}.png", _panoptic_png(segments, (sample.height, sample.width))
        yield "annotations/instances.json", _json(instances)
        yield "annotations/panoptic.json", _json(panoptic)

    def _things(self, data: Dataset, samples: Iterable[Sample]) -> frozenset[int]:
        if self.things is not None:
            return frozenset(data.classes.id_of(name) for name in self.things)
        found: set[int] = set()
        for sample in samples:
            if sample.instances is not None:
                found |= set(np.unique(data.mask(sample)[data.map(sample, "instances") > 0]).tolist())
        return frozenset(found - {IGNORE})


def _header(classes: ClassList, things: frozenset[int]) -> dict[str, Any]:
    categories = [
        {"id": i + 1, "name": name, "supercategory": name, "isthing": int(i in things), "color": list(colour)}
        for i, (name, colour) in enumerate(zip(classes.names, classes.colours, strict=True))
    ]
    return {"info": {"description": ""}, "licenses": [], "images": [], "annotations": [], "categories": categories}


def _picture(number: int, sample: Sample) -> dict[str, Any]:
    name = sample.image.rpartition("/")[2]
    return {"id": number, "file_name": name, "width": sample.width, "height": sample.height}


def _segments(data: Dataset, sample: Sample, things: frozenset[int]) -> Iterator[_Segment]:
    """Every pixel that is not ignored, in exactly one segment."""
    class_ids = data.mask(sample)
    instances = data.map(sample, "instances") if sample.instances is not None else np.zeros(class_ids.shape, np.uint16)
    told = SceneObjects.read(data.path(sample.objects)).objects if sample.objects is not None else ()
    rows = {(row.instance, row.class_id): row for row in told}
    for class_id in np.unique(class_ids[class_ids != IGNORE]).tolist():
        of_class = class_ids == class_id
        numbers = np.unique(instances[of_class]).tolist() if class_id in things else [0]
        for number in numbers:
            region = of_class & (instances == number) if class_id in things else of_class
            segment = ((class_id + 1) << 16) + number if number else class_id + 1
            yield _Segment(segment, class_id, region, class_id in things, rows.get((number, class_id)))


def _annotations(picture: int, start: int, segments: Iterable[_Segment]) -> list[dict[str, Any]]:
    return [
        _info(segment)
        | {"id": number, "image_id": picture, "iscrowd": int(segment.number <= IGNORE)}
        | {"segmentation": _run_lengths(rle.encode(segment.region_hw), segment.region_hw.shape)}
        | _amodal(segment)
        for number, segment in enumerate(segments, start=start)
    ]


def _info(segment: _Segment) -> dict[str, Any]:
    rows, columns = np.flatnonzero(segment.region_hw.any(1)), np.flatnonzero(segment.region_hw.any(0))
    x, y, right, bottom = int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])
    return {
        "id": segment.number,
        "category_id": segment.class_id + 1,
        "area": int(np.count_nonzero(segment.region_hw)),
        "bbox": [x, y, right - x + 1, bottom - y + 1],
        "iscrowd": int(segment.is_thing and segment.number <= IGNORE),
    }


def _amodal(segment: _Segment) -> dict[str, Any]:
    row = segment.told
    if row is None or row.amodal is None or row.amodal_box is None:
        return {}
    x0, y0, x1, y1 = row.amodal_box
    whole: dict[str, Any] = {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": row.amodal_area}
    whole["segmentation"] = _run_lengths(row.amodal, segment.region_hw.shape)
    return {"visible_share": row.visible_share, "amodal": whole}


def _run_lengths(counts: str, size_hw: tuple[int, ...]) -> dict[str, Any]:
    return {"size": list(size_hw), "counts": counts}


def _panoptic_png(segments: Iterable[_Segment], size_hw: tuple[int, int]) -> bytes:
    numbers = np.zeros(size_hw, np.uint32)
    for segment in segments:
        numbers[segment.region_hw] = segment.number
    rgb = np.stack([numbers & 255, (numbers >> 8) & 255, (numbers >> 16) & 255], axis=-1)
    return masks.encode_png(rgb.astype(np.uint8))


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
