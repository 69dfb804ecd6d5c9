"""Corrections come back: people's pixels override, everything else stays, nothing unusable stops the run."""

from __future__ import annotations

import shutil
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from factory.core import masks
from factory.core.artefact import Kind
from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.errors import InputError
from factory.core.objects import SceneObject, SceneObjects
from factory.core.sample import Hints, Origin, Split, Supervision
from factory.core.writer import Writer
from factory.exchange import Codec
from factory.exchange.cvat import Cvat
from factory.exchange.labelme import LabelMe
from factory.exchange.png import Png
from tests import artefacts
from tests.artefacts import CLASSES
from tests.review.merging import COINS, SIZE, merged, only, reasons, xml


def test_human_pixels_override_pseudo_ones_and_the_rest_stays(tmp_path: Path) -> None:
    """Stated pixels become human with full confidence; pixels in no mask keep what they were."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS})
    stated = np.full(SIZE, IGNORE, np.uint8)
    stated[:2, :5] = 2
    after = merged(source, xml(tmp_path, {"a.png": stated}))
    sample = only(after, "a")
    human = stated != IGNORE
    assert np.array_equal(np.where(human, 2, COINS), after.mask(sample))
    assert np.array_equal(
        np.where(human, Origin.HUMAN, np.where(COINS == IGNORE, 0, Origin.PSEUDO)), after.map(sample, "source")
    )
    assert np.array_equal(np.where(human, 255, np.where(COINS == IGNORE, 0, 150)), after.map(sample, "confidence"))
    assert sample.supervision == Supervision.HUMAN


def test_a_second_merge_replaces_human_pixels_by_newer_ones_only(tmp_path: Path) -> None:
    """What the first person stated and the second did not, stays."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS})
    first, second = np.full(SIZE, 2, np.uint8), np.full(SIZE, IGNORE, np.uint8)
    second[0] = 1
    once = merged(source, xml(tmp_path, {"a.png": first}))
    twice = merged(once, xml(tmp_path, {"a.png": second}), name="twice", unstated="ignore")
    assert np.array_equal(np.where(second == 1, 1, 2), twice.mask(only(twice, "a")))
    assert reasons(twice) == ["a: 8 pixels were stated otherwise by people before: the newer word counts"]
    assert not reasons(once)
    assert (twice.map(only(twice, "a"), "source") == Origin.HUMAN).all()


def test_a_file_that_cannot_be_used_does_not_keep_out_one_that_can(tmp_path: Path) -> None:
    """Photographs beside their masks, under the same names: whichever is read first."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS})
    photograph = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)
    for folder, pixels in (("images", photograph), ("masks", np.ones(SIZE, np.uint8))):
        (tmp_path / "back" / folder).mkdir(parents=True)
        Image.fromarray(pixels).save(tmp_path / "back" / folder / "a.png")
    after = merged(source, tmp_path / "back", codec=Png())
    assert after.figures["images_corrected"] == 1
    assert (after.mask(only(after, "a")) == 1).all()


@pytest.mark.parametrize("codec", [Cvat(), Png(), LabelMe()], ids=["cvat", "png", "labelme"])
def test_names_in_any_letters_come_back(tmp_path: Path, codec: Codec) -> None:
    """Also as macOS writes them into a ZIP, with their accents apart; the codec is told by the files."""
    source = artefacts.dataset(tmp_path / "source", {"猫": COINS, "Bär": COINS})
    back = {"猫.png": np.ones(SIZE, np.uint8), unicodedata.normalize("NFD", "Bär.png"): np.full(SIZE, 2, np.uint8)}
    (tmp_path / "back").mkdir()
    for name, data in codec.write(back.items(), CLASSES):
        (tmp_path / "back" / name).write_bytes(data)
    for number, read_by in enumerate((codec, None)):
        after = merged(source, tmp_path / "back", codec=read_by, name=f"merged-{number}")
        assert not after.header.issues
        assert (after.mask(only(after, "猫")) == 1).all()
        assert (after.mask(only(after, "Bär")) == 2).all()


@pytest.mark.parametrize("codec", [Png(), LabelMe()], ids=["png", "labelme"])
def test_a_zip_is_read_as_the_folder_that_was_packed(tmp_path: Path, codec: Codec) -> None:
    """Whatever folder lies in it; what cannot be used, or read, is told by the ZIP's own name."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS, "b": COINS})
    with zipfile.ZipFile(tmp_path / "back.zip", "w") as archive:
        for name, data in codec.write({"a.png": np.ones(SIZE, np.uint8), "c.png": COINS}.items(), CLASSES):
            archive.writestr(f"sent/{name}", data)
    after = merged(source, tmp_path / "back.zip", codec=None)
    assert (after.mask(only(after, "a")) == 1).all()
    assert [reason.split(":")[0] for reason in reasons(after)] == [f"sent/c{'.png' if codec == Png() else '.json'}"]
    with pytest.raises(InputError) as caught:
        merged(source, tmp_path / "back.zip", codec=Cvat(), name="other")
    assert caught.value.where == tmp_path / "back.zip"
    damaged = bytearray((tmp_path / "back.zip").read_bytes())
    damaged[60:90] = bytes(30)
    (tmp_path / "damaged.zip").write_bytes(damaged)
    with pytest.raises(InputError, match="unreadable ZIP"):
        merged(source, tmp_path / "damaged.zip", codec=None, name="other")


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_the_whole_folder_as_it_was_handed_out_is_refused(tmp_path: Path, packed: bool) -> None:
    """Beside what was drawn in LabelMe lies the XML that nobody opened in CVAT: what was drawn was not read."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS})
    sent = tmp_path / "sent" / "annotate"
    files = {"labels.json": b"[]"}
    for folder, codec, mask_hw in (("", Cvat(), COINS), ("labelme/", LabelMe(), np.ones(SIZE, np.uint8))):
        files |= {folder + name: data for name, data in codec.write([("a.png", mask_hw)], CLASSES)}
    for name, data in files.items():
        (sent / name).parent.mkdir(parents=True, exist_ok=True)
        (sent / name).write_bytes(data)
    back = Path(shutil.make_archive(str(tmp_path / "sent"), "zip", tmp_path / "sent")) if packed else sent
    with pytest.raises(InputError, match="corrections in several formats") as caught:
        merged(source, back, codec=None)
    assert caught.value.where == back
    assert (merged(source, sent / "labelme", codec=None).mask(only(source, "a")) == 1).all()


@pytest.mark.parametrize("codec", [Cvat(), LabelMe()], ids=["cvat", "labelme"])
def test_masks_painted_beside_what_was_handed_out_are_not_passed_over(tmp_path: Path, codec: Codec) -> None:
    """The pictures that lie there are no masks, nor is a PNG of another name: both may stay."""
    source, sent = artefacts.dataset(tmp_path / "source", {"a": COINS}), tmp_path / "annotate"
    files = dict(codec.write([("a.png", np.ones(SIZE, np.uint8))], CLASSES))
    for name, grey in (("images/a.png", 1), ("photographs/a.png", 99), ("masks/b.png", 1), ("masks/a.png", 1)):
        files[name] = masks.encode_png(np.full(SIZE, grey, np.uint8))
    for name, data in files.items():
        (sent / name).parent.mkdir(parents=True, exist_ok=True)
        (sent / name).write_bytes(data)
    with pytest.raises(InputError, match=r"(?s)in several formats.*and mask PNGs"):
        merged(source, sent, codec=None)
    (sent / "masks/a.png").unlink()
    assert merged(source, sent, codec=None).figures["images_corrected"] == 1


@pytest.mark.parametrize("name", ["annotations/instances_default.json", "labels/a.txt"])
def test_an_export_that_is_not_read_is_answered_with_one_that_is(name: str, tmp_path: Path) -> None:
    """COCO's, say, or YOLO's, of which CVAT's menu has many; nothing is said of folders where a ZIP was given."""
    with zipfile.ZipFile(tmp_path / "back.zip", "w") as archive:
        archive.writestr(name, "{}")
    with pytest.raises(InputError) as caught:
        merged(artefacts.dataset(tmp_path / "source", {"a": COINS}), tmp_path / "back.zip", codec=None)
    assert caught.value.where == tmp_path / "back.zip"
    assert "CVAT for images 1.1" in str(caught.value.todo)
    assert "folder" not in f"{caught.value.what} {caught.value.todo}"


def test_ids_splits_hints_and_other_samples_never_change(tmp_path: Path) -> None:
    """Only the corrected image's maps and supervision differ; everything else is the same, byte for byte."""
    hints = Hints(points=((1, 2, 1),), tags=(1,))
    source = artefacts.dataset(
        tmp_path / "source", {"a": COINS, "b": COINS, "c": None}, split=Split.VAL, hints=hints, size_hw=SIZE
    )
    after = merged(source, xml(tmp_path, {"a.png": np.full(SIZE, 1, np.uint8)}))
    assert [s for s in source.samples if s.id != "a"] == [s for s in after.samples if s.id != "a"]
    assert only(source, "a").replace(supervision=Supervision.HUMAN) == only(after, "a")
    for sample in after.samples:
        assert source.path(sample.image).read_bytes() == after.path(sample.image).read_bytes()
    assert source.path("masks/b.png").read_bytes() == after.path("masks/b.png").read_bytes()
    assert not source.damaged()


def test_a_thing_loses_the_pixels_that_are_of_another_class_now(tmp_path: Path) -> None:
    """What is told of it is measured again, or dropped with its last pixel; what is unchanged is taken over."""
    mask, instances = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint16)
    for number, columns in ((1, slice(0, 2)), (2, slice(4, 6)), (300, slice(7, 8))):
        mask[1:4, columns], instances[1:4, columns] = 1, number
    about = {"class_id": 1, "pose": np.eye(4).tolist()}
    hidden = {"amodal_area": 12, "amodal_box": (0, 0, 2, 6), "visible_share": 0.5}
    rows = (
        SceneObject(instance=1, area=6, box=(0, 1, 2, 4), **about, **hidden),
        SceneObject(instance=2, area=6, box=(4, 1, 6, 4), **about),
        SceneObject(instance=300, area=3, box=(7, 1, 8, 4), **about),
    )

    def fill(out: Writer) -> None:
        for name in "ab":
            sample = artefacts.add_sample(out, name, mask)
            told = out.write(f"objects/{name}.json", SceneObjects(objects=rows, camera={"k": 1}).encode())
            out.add(sample.replace(instances=out.write_map("instances", name, instances), objects=told))

    source = Dataset.open(artefacts.sealed(tmp_path / "source", Kind.DATASET, fill))
    first, second = np.full(SIZE, IGNORE, np.uint8), np.full(SIZE, IGNORE, np.uint8)
    first[1:4, 0], first[1, 4], first[1:4, 7] = 0, 1, 2
    second[5], second[1:4, 4:6] = 2, 1
    after = merged(source, xml(tmp_path, {"a.png": first, "b.png": second}))
    a, b = after.samples
    assert np.array_equal(np.where((first == IGNORE) | (first == mask), instances, 0), after.map(a, "instances"))
    told = SceneObjects.read(after.path(a.objects))
    assert [(row.instance, row.area, tuple(row.box), row.visible_share) for row in told.objects] == [
        (1, 3, (1, 1, 2, 4), 0.25),
        (2, 6, (4, 1, 6, 4), None),
    ]
    assert told.camera == {"k": 1}
    for relative in (b.instances, b.objects):
        assert source.path(relative).read_bytes() == after.path(relative).read_bytes()
    assert not source.damaged()


def test_an_image_without_a_mask_gets_one(tmp_path: Path) -> None:
    """Pixels nobody vouched for stay ignore."""
    source = artefacts.dataset(tmp_path / "source", {"a": None}, size_hw=SIZE)
    stated = np.full(SIZE, IGNORE, np.uint8)
    stated[3] = 1
    after = merged(source, xml(tmp_path, {"a.png": stated}))
    assert np.array_equal(stated, after.mask(only(after, "a")))


def test_test_images_are_refused(tmp_path: Path) -> None:
    """They are for measuring: reported, unchanged."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS, "b": COINS}, split=Split.TEST)
    with artefacts.written(tmp_path / "both") as out:
        out.classes = CLASSES
        out.add(out.carry(source, only(source, "a")))
        out.add(out.carry(source, only(source, "b")).replace(split=Split.TRAIN))
    both, drawn = Dataset.open(tmp_path / "both"), np.full(SIZE, 1, np.uint8)
    after = merged(both, xml(tmp_path, {"a.png": drawn, "b.png": drawn}))
    assert only(after, "a") == only(both, "a")
    assert reasons(after) == ["a.png: left out: a correction of a test image"]


def test_what_cannot_be_used_is_reported_and_the_run_goes_on(tmp_path: Path) -> None:
    """An unknown image, another size, an unknown label, a second mask: each with its reason, the right one counts."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS, "b": COINS, "c": COINS})
    good = np.full(SIZE, 1, np.uint8)
    path = xml(tmp_path, {"images/a.png": good, "b.png": good[:3], "c.png": good, "x.png": good, "deep\\a.jpg": good})
    text = path.read_text().replace(
        'name="c.png" width="8" height="6">', 'name="c.png" width="8" height="6"><tag label="coin"/>'
    )
    before, mark, behind = text.partition('name="c.png"')
    path.write_text(before + mark + behind.replace('mask label="coin"', 'mask label="dog"', 1))
    after = merged(source, path)
    said = [reason.split(" (")[0] for reason in reasons(after)]
    assert said == [
        "b.png: left out: another size than the image",
        "c.png: left out: unknown label",
        "x.png: left out: no such image in the data set",
        "deep\\a.jpg: left out: a second mask for the same image: images/a.png counts",
    ]
    assert (after.figures["images_corrected"], after.figures["images_left_out"]) == (1, 4)
    assert (after.mask(only(after, "a")) == 1).all()


def test_shapes_that_are_not_read_are_reported(tmp_path: Path) -> None:
    """The rest of the image counts."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS})
    path = xml(tmp_path, {"a.png": np.full(SIZE, 1, np.uint8)})
    path.write_text(path.read_text().replace("</image>", '<points label="coin" points="1,1"/></image>'))
    after = merged(source, path)
    assert after.figures["images_corrected"] == 1
    assert "<points> not read" in reasons(after)[0]
    with pytest.raises(InputError, match="not read"):
        merged(source, path, name="strict", strict=True)


def test_strict_stops_at_the_first_one(tmp_path: Path) -> None:
    """With the error that would have been reported."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS})
    with pytest.raises(InputError, match="no such image"):
        merged(source, xml(tmp_path, {"x.png": COINS}), strict=True)


def test_ids_outside_the_class_list_are_reported(tmp_path: Path) -> None:
    """From a folder of PNGs, where a partial return is fine."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS, "b": COINS, "c": COINS})
    folder = tmp_path / "pngs"
    folder.mkdir()
    for name, ids in (("a", 7), ("b", 1)):
        ((_, data),) = Png(style="grey").write([(name, np.full(SIZE, ids, np.uint8))], CLASSES)
        (folder / f"{name}.png").write_bytes(data)
    after = merged(source, folder, codec=Png())
    assert reasons(after) == ["a.png: left out: ids outside the class list (got 7, expected 0-2 or 255)"]
    assert after.figures["images_corrected"] == 1


def test_truncated_xml_is_one_error(tmp_path: Path) -> None:
    """Nothing is sealed."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS})
    path = xml(tmp_path, {"a.png": COINS})
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="unreadable CVAT XML"):
        merged(source, path)
    assert not (tmp_path / "merged").exists()


def test_corrections_of_which_none_can_be_used_are_refused(tmp_path: Path) -> None:
    """The wrong folder, such as the photographs: there is no next version of the data set."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS})
    with pytest.raises(InputError, match="none of the corrections can be used"):
        merged(source, xml(tmp_path, {"other.png": COINS}))
    assert not list(tmp_path.glob("merged*"))


def test_where_only_what_cannot_be_used_was_changed_this_is_said_first(tmp_path: Path) -> None:
    """A tool exports what nobody touched too: the one picture that somebody did must not be lost among them."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS, "b": COINS})
    everywhere, proposal = np.ones(SIZE, np.uint16), np.zeros(SIZE, np.uint8)
    asked = artefacts.queue(tmp_path / "queue", dict.fromkeys("ab", (everywhere, proposal)))
    path = xml(tmp_path, {"a.png": proposal, "b.png": np.full((3, 3), 1, np.uint8)})
    said = reasons(merged(source, path, queue=asked))
    assert said[0].startswith("corrections: changed nothing")
    assert "1 cannot be used, first b.png: left out: another size than the image" in said[0]
    assert len(said) == 3, "and each picture's own reason behind it"


def test_figures_say_what_changed(tmp_path: Path) -> None:
    """Gains and losses by class, and which origins the human pixels replaced."""
    source = artefacts.dataset(tmp_path / "source", {"a": np.array([[0, 0, 1, IGNORE]], np.uint8)})
    figures = merged(source, xml(tmp_path, {"a.png": np.array([[0, 1, 2, 2]], np.uint8)})).figures
    assert {name: tuple(count.values()) for name, count in figures["pixels_by_class"].items()} == {
        "background": (0, 1),
        "coin": (1, 1),
        "wood & <cloth>": (2, 0),
    }
    assert (figures["pixels_human"], figures["pixels_changed"], figures["queue_precision"]) == (4, 3, None)
    assert figures["pixels_replaced_by_origin"] == {"none": 1, "exact": 0, "hint": 0, "pseudo": 3, "human": 0}


def test_the_same_corrections_make_the_same_data_set(tmp_path: Path) -> None:
    """Byte for byte, also after an earlier try was cut off."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS, "b": COINS})
    path = xml(tmp_path, {"b.png": np.full(SIZE, 1, np.uint8)})
    broken = tmp_path / "broken.xml"
    broken.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError):
        merged(source, broken, name="second")
    assert merged(source, path).digest == merged(source, path, name="second").digest
