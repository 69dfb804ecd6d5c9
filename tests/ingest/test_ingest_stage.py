"""A messy folder becomes a clean data set; what was left out is listed with the reason."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.sample import Origin, Split, Supervision
from tests.ingest.folders import BOTH, RNG, ingest, picture, reasons


def test_a_messy_folder_is_sorted_out(tmp_path: Path, capfd) -> None:
    """Corrupt, truncated, doubled and ill-fitting files are named; the rest is taken; strict=true stops instead."""
    folder = tmp_path / "in"
    for name in ("good", "wrongsize", "strange", "cut"):
        picture(folder / f"{name}.png")
    shutil.copy(folder / "good.png", folder / "good_again.png")
    (folder / "noise.jpg").write_bytes(b"not a picture at all")
    data = (folder / "cut.png").read_bytes()
    (folder / "cut.png").write_bytes(data[: len(data) // 2])
    (folder / "notes.txt").write_text("not a picture either, nobody claims it is")
    masks = tmp_path / "masks"
    masks.mkdir()
    Image.fromarray(BOTH).save(masks / "good.png")
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(masks / "wrongsize.png")
    Image.fromarray(np.full((24, 32), 7, np.uint8)).save(masks / "strange.png")
    made = ingest(tmp_path, f"inputs.masks={masks}", "split=train")
    assert [sample.id for sample in made.samples] == ["good"]
    assert made.samples[0].supervision == Supervision.HUMAN
    said = reasons(made)
    assert said.keys() == {"good_again.png", "noise.jpg", "cut.png", "wrongsize.png", "strange.png"}
    assert "same picture as good" in said["good_again.png"]
    assert "5 x 5" in said["wrongsize.png"]
    assert "[7]" in said["strange.png"]
    ingest(tmp_path, f"inputs.masks={masks}", "strict=true", status=1, name="strict")
    assert "5 problems in the input" in capfd.readouterr().err
    assert not (tmp_path / "strict").exists()
    Image.fromarray(np.zeros((24, 32), np.uint8)).save(masks / "strange.png")
    ingest(tmp_path, f"inputs.masks={masks}", "strict=true", status=1, name="strict")
    assert "4 problems in the input" in capfd.readouterr().err  # what was refused is in nobody's way


def test_files_that_belong_to_no_picture_are_named_and_a_folder_of_nothing_else_stops(tmp_path: Path, capfd) -> None:
    """Masks of any lossless kind are found, also among the pictures; a suffix in the name is none of theirs."""
    for name in ("a", "b", "c"):
        picture(tmp_path / f"in/{name}.png")
    masks = tmp_path / "in/masks"
    masks.mkdir()
    for name in ("a.TIF", "b.bmp", "c_mask.png"):
        Image.fromarray(BOTH).save(masks / name)
    made = ingest(tmp_path, f"inputs.masks={masks}")
    assert {sample.id: sample.mask is not None for sample in made.samples} == {"a": True, "b": True, "c": False}
    assert reasons(made) == {"masks": "files that belong to no picture: 1, such as c_mask.png: ignored"}
    for name in ("a.TIF", "b.bmp"):
        (masks / name).unlink()
    ingest(tmp_path, f"inputs.masks={masks}", status=1, name="no")
    said = capfd.readouterr().err
    assert "c_mask.png" in said
    assert "a.png" in said
    (tmp_path / "coco.json").write_text("{}")
    ingest(tmp_path, f"inputs.masks={tmp_path}/coco.json", status=1, name="no")
    assert "save what COCO's holds as such PNGs" in capfd.readouterr().err


def test_every_kind_of_hint_arrives(tmp_path: Path) -> None:
    """Tags with denials, points from CSV, boxes from JSON, scribbles; the strongest names the supervision."""
    folder = tmp_path / "in"
    for name in "abcde":
        picture(folder / f"{name}.jpg")
    (tmp_path / "tags.csv").write_text("image,tag,present\na.jpg,car,1\na.jpg,sky,0\nb,1,yes\n")
    (tmp_path / "points.csv").write_text("image,x,y,class\nb,3,4,car\nb,31.2,23,0\nb,99,4,car\nc,1,1,sky\nc,1,1,car\n")
    (tmp_path / "boxes.json").write_text(json.dumps({"d": [[2, 3, 40, 9, "car"]], "zz": [[0, 0, 1, 1, "car"]]}))
    scribbles = tmp_path / "scribbles"
    scribbles.mkdir()
    drawn = np.full((24, 32), IGNORE, np.uint8)
    drawn[4, 5:9] = 1
    Image.fromarray(drawn).save(scribbles / "e.png")
    made = ingest(
        tmp_path, f"inputs.tags={tmp_path}/tags.csv", f"inputs.points={tmp_path}/points.csv",
        f"inputs.boxes={tmp_path}/boxes.json", f"inputs.scribbles={scribbles}",
    )  # fmt: skip
    by_id = {sample.id: sample for sample in made.samples}
    assert (by_id["a"].hints.tags, by_id["a"].hints.absent) == ((1,), (0,))
    assert by_id["b"].hints.points == ((3, 4, 1), (31, 23, 0))
    assert by_id["c"].hints.points == ()
    assert by_id["d"].hints.boxes == ((2, 3, 32, 9, 1),)
    np.testing.assert_array_equal(Image.open(made.path(by_id["e"].hints.scribbles)), drawn)
    kinds = [by_id[name].supervision for name in "abcde"]
    assert kinds == [Supervision.TAGS, Supervision.POINTS, Supervision.NONE, Supervision.BOXES, Supervision.SCRIBBLES]
    said = reasons(made)
    assert "outside the image" in said["b.jpg"]
    assert "contradict" in said["c.jpg"]
    assert "not in the folder" in said["zz"]


def test_scribbles_have_ids_of_their_own_and_another_tools_masks_are_a_hint(tmp_path: Path) -> None:
    """Not the truth: no mask, and the supervision says so."""
    for name in "ab":
        picture(tmp_path / "in" / f"{name}.png")
    for folder, name, value in (("scribbles", "a", 2), ("noisy", "a", 1), ("noisy", "b", 255)):
        (tmp_path / folder).mkdir(exist_ok=True)
        Image.fromarray(np.full((24, 32), value, np.uint8)).save(tmp_path / folder / f"{name}.png")
    made = ingest(
        tmp_path, f"inputs.scribbles={tmp_path}/scribbles", f"inputs.noisy_masks={tmp_path}/noisy",
        "mask_ids=[[255,1]]", "scribble_ids=[[0,255],[2,0]]",
    )  # fmt: skip
    first, second = made.samples
    assert (first.mask, second.mask) == (None, None)
    assert (first.supervision, second.supervision) == (Supervision.SCRIBBLES, Supervision.MASKS)
    given = made.picture(first)
    assert (given.scribbles.max(), given.noisy_mask.min()) == (0, 1)
    assert made.picture(second).noisy_mask.min() == 1


def test_complete_tags_deny_what_they_do_not_name(tmp_path: Path) -> None:
    """Only classes that some row speaks of; a picture without a row stays open."""
    for name in "abc":
        picture(tmp_path / "in" / f"{name}.png")
    (tmp_path / "tags.csv").write_text("image,tag,present\na,car,1\nb,tree,0\n")
    words = (f"inputs.tags={tmp_path}/tags.csv", "classes=[sky,car,tree]", "tags_are_complete=true")
    said = {sample.id: sample.hints for sample in ingest(tmp_path, *words).samples}
    assert (said["a"].tags, said["a"].absent) == ((1,), (2,))
    assert (said["b"].tags, said["b"].absent) == ((), (1, 2))
    assert (said["c"].tags, said["c"].absent) == ((), ())


def test_a_point_is_the_pixel_it_lies_in_and_a_box_ends_at_the_nearest_edges(tmp_path: Path) -> None:
    """Also in the last column and row; what is on the outer edge lies in no pixel."""
    picture(tmp_path / "in/a.png")
    (tmp_path / "points.csv").write_text("image,x,y,class\na,10.7,4,car\na,31.6,23.9,car\na,32,4,car\na,-0.3,4,car\n")
    (tmp_path / "boxes.csv").write_text("image,x0,y0,x1,y1,class\na,1.7,2.2,9.6,8.4,car\n")
    made = ingest(tmp_path, f"inputs.points={tmp_path}/points.csv", f"inputs.boxes={tmp_path}/boxes.csv")
    hints = made.samples[0].hints
    assert hints.points == ((10, 4, 1), (31, 23, 1))
    assert hints.boxes == ((2, 2, 10, 8, 1),)


def test_a_bad_row_is_refused_alone_and_a_useless_file_stops(tmp_path: Path, capfd) -> None:
    """One typo does not cost the file."""
    picture(tmp_path / "in/a.png")
    (tmp_path / "points.csv").write_text("image,x,y,class\na,3,4,car\na,three,4,car\na,3,5,boat\n")
    made = ingest(tmp_path, f"inputs.points={tmp_path}/points.csv")
    assert made.samples[0].hints.points == ((3, 4, 1),)
    assert reasons(made).keys() == {"points.csv:3", "points.csv:4"}
    (tmp_path / "empty.csv").write_text("name,left,top\n")
    ingest(tmp_path, f"inputs.points={tmp_path}/empty.csv", status=1, name="no")
    assert "columns image, x, y, class" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("value", "kept"),
    [("", "tags"), ("1", "tags"), ("1.0", "tags"), ("Y", "tags"), ("true", "tags"), ("0", "absent"), ("0.0", "absent"),
     ("No", "absent"), ("f", "absent"), ("perhaps", "refused")],
)  # fmt: skip
def test_a_tag_is_given_or_denied_in_many_words(tmp_path: Path, value: str, kept: str) -> None:
    """What is neither is refused, not guessed; a row without the column's value gives its tag."""
    for name in ("a", "b", "both"):
        picture(tmp_path / f"in/{name}.png")
    rows = f"image,tag,present\na,car,{value}\nb,car\nboth,sky,1\nboth,sky,0\n"
    (tmp_path / "tags.csv").write_text(rows)
    made = ingest(tmp_path, f"inputs.tags={tmp_path}/tags.csv")
    a, b, both = (sample.hints for sample in made.samples)
    assert {"tags": a.tags, "absent": a.absent}.get(kept, (1,)) == (1,)
    assert (b.tags, b.absent, both.tags, both.absent) == ((1,), (), (), ())
    assert ("tags.csv:2" in reasons(made)) == (kept == "refused")
    assert "both given and denied" in reasons(made)["both.png"]


def test_dots_are_part_of_a_name_and_contradictions_are_told(tmp_path: Path) -> None:
    """Rows may leave the suffix out; points that a smaller size or a scribble brings into conflict count nowhere."""
    for name in ("scan", "scan.1", "scan.2"):
        picture(tmp_path / f"in/{name}.png")
    rows = "image,x,y,class\nscan.1,4,4,car\nscan.2.png,9,9,car\nscan,8,8,car\nscan,9,9,sky\nscan,20,20,sky\n"
    (tmp_path / "points.csv").write_text(rows)
    made = ingest(tmp_path, f"inputs.points={tmp_path}/points.csv", "size=[16,12]")
    assert [sample.hints.points[0] for sample in made.samples[1:]] == [(2, 2, 1), (4, 4, 1)]
    assert "contradict a scribble or each other at 1 pixel, such as (4, 4)" in reasons(made)["scan.png"]
    assert made.picture(made.samples[0]).seeds.ids.tolist() == [0]


def test_pictures_of_a_twelve_bit_camera_are_told_to_come_out_black(tmp_path: Path) -> None:
    """Until white_level says what their white is; one picture as bright as others are is enough to say nothing."""
    (tmp_path / "in").mkdir()
    for number in range(2):
        Image.fromarray(np.full((24, 32), 4095 - 1000 * number, np.uint16)).save(tmp_path / f"in/{number}.png")
    assert "brighter than 16 of 255" in reasons(ingest(tmp_path))["white_level"]
    assert not ingest(tmp_path, "white_level=4095", name="bright").header.issues
    picture(tmp_path / "in/other.png")
    assert not ingest(tmp_path, name="mixed").header.issues


def test_splits_never_divide_a_group(tmp_path: Path) -> None:
    """By folder, or by what the pattern finds; a single group trains."""
    for video in ("v1", "v2", "v3", "v4", "v5"):
        for frame in range(4):
            picture(tmp_path / "in" / video / f"{frame}.png")
    made = ingest(tmp_path, "val_share=0.2", "test_share=0.2")
    by_group: dict[str, set[Split]] = {}
    for sample in made.samples:
        by_group.setdefault(sample.group, set()).add(sample.split)
    assert set(by_group) == {"v1", "v2", "v3", "v4", "v5"}
    assert all(len(splits) == 1 for splits in by_group.values())
    counts = {split: len(made.where(split=split)) for split in Split}
    assert counts == {Split.TRAIN: 12, Split.VAL: 4, Split.TEST: 4}
    one = ingest(tmp_path, "group_pattern=v", name="one")
    assert {sample.split for sample in one.samples} == {Split.TRAIN}


def test_names_that_clash_or_cannot_be_files_become_ids_of_their_own(tmp_path: Path) -> None:
    """Folders, spaces and suffixes; nothing is overwritten."""
    for name in ("a b.png", "a_b.png", "x/a b.png", "same.png", "same.jpg"):
        picture(tmp_path / "in" / name)
    made = ingest(tmp_path)
    assert len(made.samples) == 5
    assert {sample.id for sample in made.samples} == {"a_b", "a_b-2", "x__a_b", "same", "same-2"}


def test_names_in_any_letters_stay_what_they_are(tmp_path: Path) -> None:
    """As ids and files, with their masks; checksums and a ZIP keep them."""
    for name in ("猫", "犬", "Ba\u0308r"):
        picture(tmp_path / f"in/{name}.png")
        Image.fromarray(BOTH).save(picture(tmp_path / f"masks/{name}.png"))
    made = ingest(tmp_path, f"inputs.masks={tmp_path}/masks")
    assert [sample.id for sample in made.samples] == ["Bär", "犬", "猫"]
    assert all((made.mask(sample) == BOTH).all() for sample in made.samples)
    shutil.make_archive(str(tmp_path / "packed"), "zip", made.root)
    shutil.unpack_archive(tmp_path / "packed.zip", tmp_path / "elsewhere")
    again = Dataset.open(tmp_path / "elsewhere")
    assert not again.damaged()
    assert again.samples == made.samples


def test_simulated_clicks_forget_the_mask(tmp_path: Path) -> None:
    """The clicks agree with it, ignored pixels are never clicked, and nothing else of it remains."""
    picture(tmp_path / "in/a.png")
    truth = RNG.integers(0, 2, (24, 32), np.uint8)
    truth[:12] = 11
    (tmp_path / "masks").mkdir()
    Image.fromarray(truth).save(tmp_path / "masks/a.png")
    words = [f"inputs.masks={tmp_path}/masks", "mask_ids=[[11,255]]"]
    made = ingest(tmp_path, *words, "supervision=points", "supervision.count=30")
    sample = made.samples[0]
    assert (sample.mask, sample.supervision, len(sample.hints.points)) == (None, Supervision.POINTS, 30)
    assert all(truth[y, x] == class_id for x, y, class_id in sample.hints.points)
    assert not list(made.root.glob("masks/*"))
    full = ingest(tmp_path, *words, name="full")
    source = full.map(full.samples[0], "source")
    np.testing.assert_array_equal(source == Origin.HUMAN, truth != 11)


def test_masks_painted_in_the_classes_colours_are_read(tmp_path: Path) -> None:
    """As `merge` reads them; what is of no class is told by its colour, and costs that picture alone."""
    colours = np.array([[0, 0, 0], [200, 30, 40]], np.uint8)
    for name, painted in (("a", colours[BOTH]), ("b", 255 - colours[BOTH])):
        picture(tmp_path / f"in/{name}.png")
        (tmp_path / "masks").mkdir(exist_ok=True)
        Image.fromarray(painted).save(tmp_path / f"masks/{name}.png")
    made = ingest(tmp_path, f"inputs.masks={tmp_path}/masks", "colours=[[0,0,0],[200,30,40]]", "split=train")
    assert [sample.id for sample in made.samples] == ["a"]
    assert np.array_equal(made.mask(made.samples[0]), BOTH)
    assert "colours of no class" in reasons(made)["b.png"]
    assert "#37e1d7" in reasons(made)["b.png"]


def test_a_labelme_file_serves_as_mask(tmp_path: Path) -> None:
    """Pixels whose centre lies inside the polygon; the rest is class 0."""
    picture(tmp_path / "in/a.png")
    shapes = [{"label": "car", "points": [[2, 3], [10, 3], [10, 7], [2, 7]], "shape_type": "polygon"}]
    body = {"imageHeight": 24, "imageWidth": 32, "shapes": shapes}
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks/a.json").write_text(json.dumps(body))
    made = ingest(tmp_path, f"inputs.masks={tmp_path}/masks")
    expected = np.zeros((24, 32), np.uint8)
    expected[3:7, 2:10] = 1
    np.testing.assert_array_equal(made.mask(made.samples[0]), expected)


def test_a_labelme_file_of_another_size_is_told_however_large_it_says_it_is(tmp_path: Path) -> None:
    """No memory is asked for what no picture has."""
    for name in "ab":
        picture(tmp_path / f"in/{name}.png")
    (tmp_path / "masks").mkdir()
    for name, width, height in (("a", 10**9, 10**9), ("b", 32, 24)):
        body = {"imageHeight": height, "imageWidth": width, "shapes": []}
        (tmp_path / f"masks/{name}.json").write_text(json.dumps(body))
    made = ingest(tmp_path, f"inputs.masks={tmp_path}/masks")
    assert [sample.id for sample in made.samples if sample.mask] == ["b"]
    assert any("another size than the image" in issue["reason"] for issue in made.header.issues)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["classes=null"], "no classes"),
        (["classes=[a,a]"], "distinct"),
        (["tile=4"], "tile is too small"),
        (["tile_overlap=1.0"], "tile_overlap"),
        (["size=[3]"], "[width, height]"),
        (["size=[100000,9]"], "1 to 32,767 each"),
        (["size=[32,32]", "longest=40"], "one size only"),
        (["longest=2"], "longest is too small"),
        (["split=training"], "unknown split"),
        (["val_share=0.7", "test_share=0.5"], "below 1 together"),
        (["group_pattern='('"], "regular expression"),
        (["supervision=points", "supervision.count=0"], "count must be positive"),
        (["mask_ids=[[1]]"], "[found, meant]"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(tmp_path: Path, capfd, words, said) -> None:
    """Before anything is written."""
    picture(tmp_path / "in/a.png")
    ingest(tmp_path, *words, status=1)
    assert said in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_empty_folder_is_refused(tmp_path: Path, capfd) -> None:
    """With what was looked for."""
    (tmp_path / "in").mkdir()
    ingest(tmp_path, status=1)
    assert "no picture found" in capfd.readouterr().err


def test_pictures_of_other_kinds_are_told(tmp_path: Path, capfd) -> None:
    """Once, with what to do; not those that are there in a kind that is read, nor what is no picture."""
    (tmp_path / "in/sub").mkdir(parents=True)
    for name in ("IMG_1.HEIC", "sub/IMG_2.gif", "b.NEF", "notes.txt", "clicks.csv", "Thumbs.db", "._IMG_3.HEIC"):
        (tmp_path / "in" / name).write_bytes(b"of another kind")
    ingest(tmp_path, status=1)
    told = capfd.readouterr().err
    assert "pictures of kinds not read here: 3, such as IMG_1.HEIC" in told
    for name in "ab":
        picture(tmp_path / f"in/{name}.jpg")
    reason = "pictures of kinds not read here: 2, such as IMG_1.HEIC: left out; convert them to JPEG or PNG"
    assert reasons(ingest(tmp_path)) == {"in": reason}
    ingest(tmp_path, "strict=true", status=1, name="strict")
    assert reason in capfd.readouterr().err
    assert not ingest(tmp_path, f"inputs.images={tmp_path}/in/a.jpg", name="one").header.issues


def test_pages_beside_the_first_are_told(tmp_path: Path) -> None:
    """The first is taken."""
    pages = [Image.new("RGB", (32, 24), colour) for colour in ("red", "blue")]
    (tmp_path / "in").mkdir()
    pages[0].save(tmp_path / "in/scan.tif", save_all=True, append_images=pages[1:])
    made = ingest(tmp_path)
    assert reasons(made) == {"scan.tif": "2 frames: the first is used, the others are left out"}
    assert tuple(made.image(made.samples[0])[0, 0]) == (255, 0, 0)


def test_where_all_issues_stand_is_told(tmp_path: Path, capfd) -> None:
    """If there are more than the one that is shown."""
    picture(tmp_path / "in/a.png")
    (tmp_path / "in/b.png").write_bytes(b"not a picture")
    ingest(tmp_path, name="one")
    assert "all of them" not in capfd.readouterr().out
    (tmp_path / "in/c.png").write_bytes(b"nor this")
    ingest(tmp_path, name="two")
    said = capfd.readouterr().out
    assert "ingest: 2 left out or to look at, first: b.png" in said
    assert f"all of them: factory show {tmp_path}/two" in said


@pytest.mark.parametrize(("words", "told"), [((), True), (("longest=640",), False), (("tile=500",), False)])
def test_photographs_of_many_megapixels_are_told(tmp_path: Path, words, told) -> None:
    """Whoever has a telephone's pictures learns what they cost before waiting for it."""
    (tmp_path / "in").mkdir()
    Image.new("RGB", (2500, 1700), "grey").save(tmp_path / "in/a.png")
    said = reasons(ingest(tmp_path, *words)).get("size", "")
    assert ("half of the pictures have 4 megapixels or more" in said) == told
