"""What a user gave is used, or the user is told."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.ingest.folders import BOTH, ingest, picture, reasons

COLUMNS = {"points": "x,y,class", "boxes": "x0,y0,x1,y1,class"}


@pytest.mark.parametrize(
    ("kind", "table", "said"),
    [
        ("points", "image,x,y,class\na,99,4,car\na,-3,4,sky\n", "point (99, 4) lies outside"),
        ("points", "image,x,y,class\na,9,4,car\na,9,4,sky\n", "contradict each other (sky and car)"),
        ("boxes", "image,x0,y0,x1,y1,class\na,40,4,50,9,car\n", "is empty inside the image"),
        ("tags", "image,tag,present\na,car,1\na,car,0\n", "both given and denied"),
    ],
)
def test_hints_that_come_to_no_picture_are_refused(tmp_path: Path, capfd, kind, table, said) -> None:
    """Not ignored beside others; nothing is left in the way of the corrected ones."""
    picture(tmp_path / "in/a.png")
    (tmp_path / "masks").mkdir()
    Image.fromarray(BOTH).save(tmp_path / "masks/a.png")
    (tmp_path / "hints.csv").write_text(table)
    given = [f"inputs.{kind}={tmp_path}/hints.csv", f"inputs.masks={tmp_path}/masks"]
    ingest(tmp_path, *given, status=1)
    told = capfd.readouterr().err
    assert f"none of the {kind} could be used" in told
    assert said in told
    (tmp_path / "hints.csv").write_text("\n".join([*table.splitlines()[:1], *("a,1,2,car", "a,1,2,9,9,car", "a,car")]))
    if kind == "points":
        assert ingest(tmp_path, *given).samples[0].hints.points == ((1, 2, 1),)


def test_masks_none_of_which_fits_are_refused(tmp_path: Path, capfd) -> None:
    """The pictures without one would be all that is left."""
    for name in "ab":
        picture(tmp_path / f"in/{name}.png")
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / "masks/a.png")
    ingest(tmp_path, f"inputs.masks={tmp_path}/masks", status=1)
    told = capfd.readouterr().err
    assert "none of the masks could be used" in told
    assert "mask and image differ in size" in told


@pytest.mark.parametrize(
    ("kind", "table"),
    [("points", "x,y,class\na,0.4,0.7,car\na,1,0,sky\n"), ("boxes", "x0,y0,x1,y1,class\na,0.1,0.2,0.9,1.0,car\n")],
)
def test_coordinates_that_are_shares_are_refused(tmp_path: Path, capfd, kind, table) -> None:
    """They would all be the first pixel. Whole ones may be pixels."""
    picture(tmp_path / "in/a.png")
    (tmp_path / "hints.csv").write_text(f"image,{table}")
    ingest(tmp_path, f"inputs.{kind}={tmp_path}/hints.csv", status=1)
    assert "pixels, not shares of a picture" in capfd.readouterr().err
    (tmp_path / "hints.csv").write_text("image,x,y,class\na,0,1,car\n")
    assert ingest(tmp_path, f"inputs.points={tmp_path}/hints.csv").samples[0].hints.points == ((0, 1, 1),)


@pytest.mark.parametrize(("kind", "row"), [("points", "a,{0},{1},car"), ("boxes", "a,1,2,{0},{1},car")])
@pytest.mark.parametrize(("size", "count", "last", "told"), [
    ((301, 301), 20, 100, True),
    ((301, 301), 20, 101, False),
    ((301, 301), 19, 100, False),
    ((301, 300), 20, 100, False),
])  # fmt: skip
def test_coordinates_that_may_be_per_cent_are_told(tmp_path: Path, kind, row, size, count, last, told) -> None:
    """Many, and all within 100 pixels of a large picture's corner. They are taken as pixels: they may be."""
    picture(tmp_path / "in/a.png", size)
    picture(tmp_path / "in/small.png")
    given = [row.format(last - at, last) for at in range(count)]
    (tmp_path / "hints.csv").write_text("\n".join(["image," + COLUMNS[kind], *given]))
    made = ingest(tmp_path, f"inputs.{kind}={tmp_path}/hints.csv", "strict=true")
    assert ("hints.csv" in reasons(made)) == told
    assert len(getattr(made.samples[0].hints, kind)) == count


@pytest.mark.parametrize("kind", ["masks", "noisy_masks", "scribbles"])
def test_white_that_is_hardly_meant_to_be_ignored_is_asked_about(tmp_path: Path, capfd, kind: str) -> None:
    """Masks of 0 and 255 lose what they show; the translation that the question names settles it, either way."""
    picture(tmp_path / "in/a.png")
    (tmp_path / "drawn").mkdir()
    Image.fromarray(255 * BOTH).save(tmp_path / "drawn/a.png")
    given = f"inputs.{kind}={tmp_path}/drawn"
    said = reasons(ingest(tmp_path, given))
    key, clear = ("scribble_ids", "[0,255],") if kind == "scribbles" else ("mask_ids", "")
    assert said.keys() == {"drawn"}
    assert "0 and 255 alone, and nothing names car: if 255 means car" in said["drawn"]
    meant, ignored = f"{key}=[{clear}[255,1]]", f"{key}=[[255,255]]"
    assert meant in said["drawn"]
    assert ignored in said["drawn"]
    ingest(tmp_path, given, "strict=true", status=1, name="strict")
    assert "0 and 255 alone" in capfd.readouterr().err
    assert "drawn" not in reasons(ingest(tmp_path, given, meant, name="meant"))
    assert "drawn" not in reasons(ingest(tmp_path, given, ignored, name="ignored"))
    (tmp_path / "points.csv").write_text("image,x,y,class\na,30,1,car\n")
    assert not ingest(tmp_path, given, f"inputs.points={tmp_path}/points.csv", name="named").header.issues


def test_classes_in_no_mask_are_told_and_stop_nobody(tmp_path: Path) -> None:
    """They may be rare; what a hint names is there."""
    for name in "ab":
        picture(tmp_path / f"in/{name}.png")
    (tmp_path / "masks").mkdir()
    Image.fromarray(BOTH).save(tmp_path / "masks/a.png")
    (tmp_path / "tags.csv").write_text("image,tag\nb,tree\n")
    given = [f"inputs.masks={tmp_path}/masks", f"inputs.tags={tmp_path}/tags.csv", "classes=[sky,car,tree,dog]"]
    made = ingest(tmp_path, *given, "strict=true")
    assert reasons(made) == {"classes": "dog is in no mask, and named by no hint"}
    assert made.header.figures.items() >= {"images": 2, "masks": 1, "tags": 1}.items()
    assert not made.header.figures.keys() & {"points", "boxes", "scribbles", "noisy_masks"}


def test_figures_say_what_is_left_of_what_was_given(tmp_path: Path) -> None:
    """Masks that a simulation forgets are none."""
    picture(tmp_path / "in/a.png")
    (tmp_path / "masks").mkdir()
    Image.fromarray(BOTH).save(tmp_path / "masks/a.png")
    (tmp_path / "boxes.csv").write_text("image,x0,y0,x1,y1,class\na,1,2,9,9,car\n")
    words = [f"inputs.masks={tmp_path}/masks", f"inputs.boxes={tmp_path}/boxes.csv"]
    made = ingest(tmp_path, *words, "supervision=points", "supervision.count=7")
    assert made.header.figures == {"images": 1, "masks": 0, "points": 7, "boxes": 1, "train": 1}


def test_what_is_said_of_equal_pictures_is_said_of_the_one_that_is_kept(tmp_path: Path) -> None:
    """Points, tags and maps of all of them; a second map of a kind, and tags that contradict each other, are told."""
    first = picture(tmp_path / "in/a.png")
    for name in "bcd":
        shutil.copy(first, tmp_path / f"in/{name}.png")
    (tmp_path / "points.csv").write_text("image,x,y,class\na,1,1,car\na,99,1,car\nc,1,1,car\nc,3,3,sky\n")
    (tmp_path / "tags.csv").write_text("image,tag,present\na,car,1\nc,car,0\nc,sky,1\n")
    (tmp_path / "masks").mkdir()
    for name in "cd":
        Image.fromarray(BOTH).save(tmp_path / f"masks/{name}.png")
    given = {"points": "points.csv", "tags": "tags.csv", "masks": "masks"}
    made = ingest(tmp_path, *(f"inputs.{kind}={tmp_path}/{file}" for kind, file in given.items()))
    (kept,) = made.samples
    assert (kept.id, kept.hints.points, kept.hints.tags, kept.hints.absent) == ("a", ((1, 1, 1), (3, 3, 0)), (0,), ())
    np.testing.assert_array_equal(made.mask(kept), BOTH)
    same = "the same picture as a.png: left out"
    assert [(issue["where"], issue["reason"]) for issue in made.header.issues] == [
        ("a.png", "point (99, 1) lies outside the image of 32 x 24: dropped"),
        ("b.png", same),
        ("c.png", f"{same}; what is said of it counts for that one, but for the tag car"),
        ("d.png", f"{same}; what is said of it counts for that one, but for mask"),
    ]
    assert made.header.figures == {"images": 1, "masks": 1, "points": 2, "tags": 1, "train": 1}
