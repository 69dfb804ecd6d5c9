"""What is said of a picture comes to that picture, and to no other."""

import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from factory.ingest.names import Names, tidied
from tests.ingest.folders import BOTH, ingest, picture, reasons


@pytest.mark.parametrize(
    ("stated", "meant"),
    [
        ("a.jpg", ["a.jpg"]),
        ("a.JPG", ["a.jpg"]),
        ("a", ["a.jpg", "a.png"]),
        ("a.tif", ["a.jpg", "a.png"]),
        ("sub/b.tif", ["sub/b.png"]),
        ("sub/b", ["sub/b.png"]),
        ("b", []),
        ("scan.1", ["scan.1.png"]),
        ("scan.png", ["scan.png.jpg"]),
        ("scan", []),
    ],
)
def test_a_name_means_the_picture_of_its_suffix_else_all_that_are_called_so(stated: str, meant: list[str]) -> None:
    """Suffixes of pictures alone are any; a suffix that none of them has is no choice between several."""
    files = ("a.jpg", "a.png", "sub/b.png", "scan.1.png", "scan.png.jpg")
    assert Names({file: Path(file) for file in files}).meant(stated) == meant


def test_an_accent_is_the_same_in_one_sign_and_in_two(tmp_path: Path) -> None:
    """Some systems take names of files apart, while tables are typed in whole letters, and the other way round."""
    one, two = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    picture(tmp_path / "in" / f"caf{two}.png")
    picture(tmp_path / "in" / f"th{one}.png")
    points = f"image,x,y,class\ncaf{one}.png,1,1,sky\nTH{two}.PNG,2,2,car\nth{two}.PNG,3,3,car\n"
    (tmp_path / "points.csv").write_text(points)
    (masks := tmp_path / "masks").mkdir()
    Image.fromarray(BOTH).save(masks / f"caf{one}.png")
    made = ingest(tmp_path, f"inputs.points={tmp_path}/points.csv", f"inputs.masks={masks}")
    said = {sample.id: sample.hints.points for sample in made.samples}
    assert said == {f"caf{one}": ((1, 1, 0),), f"th{one}": ((3, 3, 1),)}
    assert [bool(sample.mask) for sample in made.samples] == [True, False]
    both = Names({f"caf{form}.png": Path() for form in (one, two)})
    assert both.meant(f"caf{two}.png") == [f"caf{two}.png"]


@pytest.mark.parametrize("stated", ["neu/a.png ", r".\neu\a.png", r"neu\a.png", " ./neu//a.png"])
def test_blanks_and_other_systems_paths_are_tidied(stated: str) -> None:
    """As spreadsheets and Windows write them."""
    assert tidied(stated) == "neu/a.png"


def test_pictures_that_differ_in_their_suffix_keep_their_hints_apart(tmp_path: Path) -> None:
    """A row that may mean both goes to neither, and says so."""
    for name in ("a.jpg", "a.png", "b.png"):
        picture(tmp_path / "in" / name)
    rows = r"image,x,y,class" + "\na.jpg,1,1,sky\na.png,2,2,car\na,3,3,car\n.\\b.png ,4,4,car\n"
    (tmp_path / "points.csv").write_text(rows)
    (tmp_path / "tags.csv").write_text("image,tag,present\na.png,car,1\na.jpg,car,0\n")
    made = ingest(tmp_path, f"inputs.points={tmp_path}/points.csv", f"inputs.tags={tmp_path}/tags.csv")
    said = {sample.id: sample.hints for sample in made.samples}
    assert [said[name].points for name in ("a", "a-2", "b")] == [((1, 1, 0),), ((2, 2, 1),), ((4, 4, 1),)]
    assert [(said[name].tags, said[name].absent) for name in ("a", "a-2")] == [((), (1,)), ((1,), ())]
    assert reasons(made) == {"a": "hints for a name that may be a.jpg or a.png: ignored; give it its suffix"}


def test_a_mask_that_may_belong_to_two_pictures_belongs_to_none(tmp_path: Path, capfd) -> None:
    """Called like the whole of a picture it belongs to that one."""
    for name in ("a.jpg", "a.png", "b.png"):
        picture(tmp_path / "in" / name)
    masks = tmp_path / "masks"
    masks.mkdir()
    Image.fromarray(BOTH).save(masks / "a.png")
    ingest(tmp_path, f"inputs.masks={masks}", status=1, name="no")
    assert "a.png may belong to a.jpg or a.png (call it a.jpg.png or a.png.png)" in capfd.readouterr().err
    ingest(tmp_path, f"inputs.masks={masks}/a.png", status=1, name="no")
    Image.fromarray(BOTH).save(masks / "a.jpg.png")
    made = ingest(tmp_path, f"inputs.masks={masks}")
    assert {sample.image: sample.mask for sample in made.samples if sample.mask} == {"images/a.png": "masks/a.png"}
    assert made.samples[0].provenance["file"] == "a"
    assert reasons(made).keys() == {"masks/a.png"}


def test_one_mask_of_one_picture_need_not_be_called_like_it(tmp_path: Path) -> None:
    """Of several pictures it is the one's that it is called like."""
    for name in ("a.png", "b.png"):
        picture(tmp_path / "in" / name)
    for name in ("b", "drawn"):
        Image.fromarray(BOTH).save(tmp_path / f"{name}.png")
    both = ingest(tmp_path, f"inputs.masks={tmp_path}/b.png", name="both")
    assert [sample.mask is not None for sample in both.samples] == [False, True]
    one = ingest(tmp_path, f"inputs.images={tmp_path}/in/a.png", f"inputs.masks={tmp_path}/drawn.png", name="one")
    assert one.samples[0].mask is not None


def test_where_something_was_wrong_is_told_with_its_folder(tmp_path: Path) -> None:
    """Pictures of one name in several folders are not mixed up."""
    for name in ("old/a.png", "new/b.png"):
        picture(tmp_path / "in" / name)
    (tmp_path / "in/new/a.png").write_bytes(b"not a picture")
    assert reasons(ingest(tmp_path)).keys() == {"new/a.png"}
