"""COCO exports open in pycocotools, and every pixel, hole, area and group is what it was."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from factory.core.artefact import Kind
from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.errors import InputError
from factory.core.objects import SceneObject, SceneObjects
from factory.core.sample import Split
from factory.core.writer import Writer
from factory.exchange import rle
from factory.exchange.coco import Coco
from factory.stages import convert
from tests import artefacts

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SIZE = (12, 16)


def things() -> tuple[np.ndarray, np.ndarray]:
    """Class ids and instances: a ring with a hole, a coin in two parts, a strip nobody judged, wood below."""
    class_ids, instances = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint16)
    instances[1:6, 1:6], instances[3, 3] = 1, 0
    instances[8:10, 1:3], instances[8:10, 8:10] = 2, 2
    class_ids[instances > 0] = 1
    class_ids[:, 12:14], class_ids[11] = IGNORE, 2
    return class_ids, instances


def exported(target: Path, *, with_instances: bool = True, exporter: Coco | None = None) -> Path:
    """The folder of one exported picture."""
    class_ids, instances = things()
    whole = instances == 2
    whole[8:10, 1:10] = True
    pose = np.eye(4).tolist()
    rows = (
        SceneObject(instance=1, class_id=1, area=24, box=(1, 1, 6, 6), pose=pose),
        SceneObject(
            instance=2,
            class_id=1,
            area=8,
            box=(1, 8, 10, 10),
            pose=pose,
            amodal_area=18,
            amodal_box=(1, 8, 10, 10),
            visible_share=0.4444,
            amodal=rle.encode(whole),
        ),
    )

    def fill(out: Writer) -> None:
        sample = artefacts.add_sample(out, "a", class_ids)
        if with_instances:
            objects = SceneObjects(objects=rows, camera={}).encode()
            described = out.write_map("instances", "a", instances), out.write("objects/a.json", objects)
            out.add(sample.replace(instances=described[0], objects=described[1]))

    return converted(target, fill, exporter)


def converted(target: Path, fill: Callable[[Writer], None], exporter: Coco | None = None) -> Path:
    """The folder of an exported data set."""
    data = Dataset.open(artefacts.sealed(target / "set", Kind.DATASET, fill))
    with artefacts.written(target / "coco", Kind.REPORT) as out:
        convert.run(source=data, out=out, to=exporter or Coco())
    return target / "coco"


def panoptic(folder: Path) -> list[dict[str, Any]]:
    """What is said of each picture's segments."""
    return json.loads((folder / "annotations/panoptic.json").read_text())["annotations"]


def segment_ids(folder: Path, name: str) -> np.ndarray:
    """The segment of every pixel, by the rule of panopticapi (``rgb2id``)."""
    return np.asarray(Image.open(folder / f"annotations/panoptic/{name}.png"), np.int64) @ np.array([1, 256, 65536])


def opened(folder: Path) -> COCO:
    """The instances, by the reference implementation."""
    return COCO(str(folder / "annotations/instances.json"))


def test_things_come_back_pixel_for_pixel(tmp_path: Path) -> None:
    """Holes stay holes, parts stay one thing; areas and boxes are those of the masks; none is a crowd."""
    coco, (_, instances) = opened(exported(tmp_path)), things()
    found = coco.loadAnns(coco.getAnnIds())
    assert len(found) == 2
    for number, annotation in enumerate(found, start=1):
        region = instances == number
        assert np.array_equal(coco.annToMask(annotation).astype(bool), region)
        assert annotation["area"] == region.sum()
        assert annotation["iscrowd"] == 0
        assert coco.cats[annotation["category_id"]]["name"] == "coin"
    assert found[0]["bbox"] == [1, 1, 5, 5]
    assert found[1]["bbox"] == [1, 8, 9, 2]


def test_the_whole_of_a_hidden_thing_is_told(tmp_path: Path) -> None:
    """Its amodal run lengths open like any other's."""
    coco = opened(exported(tmp_path))
    first, second = coco.loadAnns(coco.getAnnIds())
    assert "amodal" not in first
    assert second["visible_share"] == pytest.approx(0.4444)
    whole = coco.annToMask(second | {"segmentation": second["amodal"]["segmentation"]})
    assert whole.sum() == second["amodal"]["area"] == 18


def test_panoptic_segments_tile_what_was_said(tmp_path: Path) -> None:
    """Every segment's colour, area and class agree with the masks; ignored pixels are 0."""
    folder, (class_ids, instances) = exported(tmp_path), things()
    told = json.loads((folder / "annotations/panoptic.json").read_text())
    numbers = segment_ids(folder, "a")
    (annotation,) = told["annotations"]
    isthing = {category["id"]: category["isthing"] for category in told["categories"]}
    for segment in annotation["segments_info"]:
        region = numbers == segment["id"]
        assert region.sum() == segment["area"]
        assert np.unique(class_ids[region]).tolist() == [segment["category_id"] - 1]
        if isthing[segment["category_id"]]:
            assert len(np.unique(instances[region])) == 1
    assert set(np.unique(numbers)) == {0, *(segment["id"] for segment in annotation["segments_info"])}
    assert np.array_equal(numbers == 0, class_ids == IGNORE)


def test_an_instance_of_two_classes_is_two_segments(tmp_path: Path) -> None:
    """As where a mask was corrected elsewhere: no id twice, and each area is that of its own pixels."""
    class_ids, instances = things()
    class_ids[1, 1:6] = 2

    def fill(out: Writer) -> None:
        sample = artefacts.add_sample(out, "a", class_ids)
        out.add(sample.replace(instances=out.write_map("instances", "a", instances)))

    folder = converted(tmp_path, fill)
    (annotation,), numbers = panoptic(folder), segment_ids(folder, "a")
    segments = {segment["id"]: segment["area"] for segment in annotation["segments_info"]}
    assert len(segments) == len(annotation["segments_info"]) == 5
    assert {number: (numbers == number).sum() for number in segments} == segments


def test_pictures_of_two_splits_keep_what_is_theirs(tmp_path: Path) -> None:
    """Ids never repeat, nor is any instance too high for a segment's colour; only a thing's class is ever a crowd."""
    class_ids, instances = things()
    told = SceneObject(
        instance=65300,
        class_id=1,
        area=8,
        box=(1, 8, 10, 10),
        pose=np.eye(4).tolist(),
        amodal_area=18,
        amodal_box=(1, 8, 10, 10),
        visible_share=0.4444,
        amodal=rle.encode(np.ones(SIZE, bool)),
    )

    def fill(out: Writer) -> None:
        for name, split in (("a", Split.TRAIN), ("b", Split.VAL), ("c", Split.TRAIN)):
            sample = artefacts.add_sample(out, name, class_ids, split=split)
            numbers = np.where(instances == 2, 65300, 0 if name == "b" else instances).astype(np.uint16)
            objects = out.write(f"objects/{name}.json", SceneObjects(objects=(told,), camera={}).encode())
            out.add(sample.replace(instances=out.write_map("instances", name, numbers), objects=objects))

    folder = converted(tmp_path, fill)
    coco, segmented = opened(folder), panoptic(folder)
    assert {picture["file_name"]: len(coco.getAnnIds(i)) for i, picture in coco.imgs.items()} == {
        "a.png": 2, "b.png": 2, "c.png": 2,
    }  # fmt: skip
    listed = json.loads((folder / "annotations/instances.json").read_text())["annotations"]
    assert [annotation["id"] for annotation in listed] == [1, 2, 3, 4, 5, 6]
    assert {annotation["category_id"] for annotation in listed} == {2}
    assert {tuple(annotation["amodal"]["bbox"]) for annotation in listed if "amodal" in annotation} == {(1, 8, 9, 2)}
    splits = {split: (folder / f"annotations/splits/{split}.txt").read_text() for split in Split}
    assert splits == {Split.TRAIN: "a\nc\n", Split.VAL: "b\n", Split.TEST: ""}
    assert {one["file_name"]: one["image_id"] for one in segmented} == {"a.png": 1, "b.png": 2, "c.png": 3}
    for one in segmented:
        numbers = segment_ids(folder, one["file_name"][0])
        assert numbers[8, 1] in {segment["id"] for segment in one["segments_info"]}
        assert np.array_equal(numbers == numbers[8, 1], instances == 2)
        crowds = [segment["category_id"] for segment in one["segments_info"] if segment["iscrowd"]]
        assert crowds == ([2] if one["file_name"] == "b.png" else [])


def test_a_class_whose_individuals_are_not_told_apart_is_a_crowd(tmp_path: Path) -> None:
    """Without an instances map, or where only some pixels of a thing's class have one."""
    coco = opened(exported(tmp_path, with_instances=False))
    assert {annotation["iscrowd"] for annotation in coco.loadAnns(coco.getAnnIds())} == {1}
    named = opened(exported(tmp_path / "named", with_instances=False, exporter=Coco(things=("coin",))))
    (annotation,) = named.loadAnns(named.getAnnIds())
    assert (annotation["iscrowd"], annotation["area"]) == (1, 32)


def test_pictures_and_splits_are_there(tmp_path: Path) -> None:
    """Every file that the annotations name exists and is of the stated size."""
    folder = exported(tmp_path)
    (picture,) = opened(folder).imgs.values()
    with Image.open(folder / "images" / picture["file_name"]) as image:
        assert image.size == (picture["width"], picture["height"])
    assert (folder / "annotations/splits/train.txt").read_text() == "a\n"


def test_ids_in_any_letters_are_names_of_files(tmp_path: Path) -> None:
    """Of pictures and panoptic masks, and in the lists of splits."""
    folder = converted(tmp_path, lambda out: artefacts.add_sample(out, "猫", things()[0]))
    (picture,) = opened(folder).imgs.values()
    (annotation,) = panoptic(folder)
    assert (folder / "images" / picture["file_name"]).is_file()
    assert picture["file_name"] == annotation["file_name"] == "猫.png"
    assert segment_ids(folder, "猫").shape == SIZE
    assert (folder / "annotations/splits/train.txt").read_text() == "猫\n"


def test_a_data_set_without_masks_is_refused(tmp_path: Path) -> None:
    """With what to do about it."""
    data = artefacts.dataset(tmp_path / "set", {"a": None})
    with pytest.raises(InputError, match="label the data set first"), artefacts.written(tmp_path / "coco") as out:
        convert.run(source=data, out=out, to=Coco())


def test_run_lengths_come_back(tmp_path: Path) -> None:
    """Column by column, compressed, and without a warning."""
    region = np.random.default_rng(0).random(SIZE) > 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(rle.decode(rle.encode(region), SIZE), region)
