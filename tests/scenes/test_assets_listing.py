"""``assets.csv`` is checked before anything is rendered: what is wrong is named by row, what is unusable left out."""

from pathlib import Path

import pytest

from scenes.assets.listing import read
from scenes.assets.plan import Assets
from tests.scenes.assets import HEADER, write_table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files that look like meshes: the listing does not open them."""
    (tmp_path / "sub").mkdir()
    for name in ("a.obj", "sub/b.GLB", "c.txt"):
        (tmp_path / name).write_text("something")
    (tmp_path / "void.stl").touch()
    return tmp_path


def test_rows_are_read_with_their_defaults(folder: Path) -> None:
    """Empty cells and left-out columns mean: upright, weight 1, one at a time."""
    write_table(folder, "a.obj,screw,0.1,,,,,", "sub/b.GLB , nut,,0.001,90/0/-45,2.5,2-5,#112233", "")
    first, second = read(str(folder)).assets
    assert (first.size_m, first.scale, first.pose, first.weight, first.count) == (0.1, None, "upright", 1.0, (1, 1))
    assert (second.file, second.class_name, second.scale) == ("sub/b.GLB", "nut", 0.001)
    assert (second.pose, second.weight, second.count) == ((90.0, 0.0, -45.0), 2.5, (2, 5))


def test_classes_come_in_the_order_of_their_first_rows(folder: Path) -> None:
    """Background first; a class of several files is one class; given colours are kept, others are distinct."""
    rows = ["a.obj,screw,1,,,,,", "sub/b.GLB,nut,1,,,,,#e69f00", "a.obj,screw,2,,,,,", "a.obj,pin,1,,,,,"]
    classes = read(str(write_table(folder, *rows))).classes
    assert [name for name, _ in classes] == ["background", "screw", "nut", "pin"]
    assert dict(classes)["nut"] == (230, 159, 0)
    assert len({colour for _, colour in classes}) == 4


def test_many_classes_have_colours_of_their_own(folder: Path) -> None:
    """As many as a mask can name."""
    rows = [f"a.obj,class {number},1,,,,," for number in range(254)]
    assert len({colour for _, colour in read(str(write_table(folder, *rows))).classes}) == 255
    with pytest.raises(ValueError, match="got 255 classes, expected at most 254"):
        read(str(write_table(folder, *rows, "a.obj,one more,1,,,,,")))


def test_files_that_cannot_be_tried_are_left_out_with_the_reason(folder: Path) -> None:
    """Missing, empty, or of another kind; their classes stay, so that ids do not depend on what is on the disk."""
    rows = ["a.obj,screw,1,,,,,", "gone.ply,nut,1,,,,,", "void.stl,pin,1,,,,,", "c.txt,cap,1,,,,,"]
    listing = read(str(write_table(folder, *rows)))
    assert [asset.file for asset in listing.assets] == ["a.obj"]
    assert listing.left_out[:3] == (
        "row 3: gone.ply: no such file; left out",
        "row 4: void.stl: the file is empty; left out",
        "row 5: c.txt: got ending .txt, expected .obj, .ply, .glb, .stl, .blend; left out",
    )
    assert [name for name, _ in listing.classes] == ["background", "screw", "nut", "pin", "cap"]


def test_classes_that_no_picture_can_show_are_named(folder: Path) -> None:
    """Whether their files are gone or their weights are 0; by the pack, too, with what its photographs leave out."""
    rows = [
        "a.obj,screw,1,,,,,",
        "gone.ply,nut,1,,,,,",
        "a.obj,pin,1,,,0.0,,",
        "a.obj,pin,1,,,.0,,",
        "gone.ply,screw,1,,,,,",
    ]
    left_out = Assets(folder=str(write_table(folder, *rows))).left_out
    assert left_out[0] == "row 3: gone.ply: no such file; left out"
    assert left_out[2:] == tuple(
        f"class {name}: no usable row with a weight above 0; never shown" for name in ("nut", "pin")
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a.obj,screw,big,,,,,", ["row 2", "size_m", "'big'", "number above 0"]),
        ("a.obj,screw,-1,,,,,", ["row 2", "size_m", "'-1'"]),
        ("a.obj,screw,inf,,,,,", ["row 2", "size_m", "'inf'"]),
        ("a.obj,screw,,,,,,", ["row 2", "size_m", "scale"]),
        ("a.obj,screw,1,1,,,,", ["row 2", "size_m", "either"]),
        ("a.obj,screw,1,,sideways,,,", ["row 2", "pose", "'sideways'", "upright", "90/0/45"]),
        ("a.obj,screw,1,,90/0,,,", ["row 2", "pose", "'90/0'"]),
        ("a.obj,screw,1,,,-2,,", ["row 2", "weight", "'-2'"]),
        ("a.obj,screw,1,,,.,,", ["row 2", "weight", "'.'"]),
        ("a.obj,screw,1,,,0.0.0,,", ["row 2", "weight", "'0.0.0'"]),
        ("a.obj,screw,1,,,,5-2,", ["row 2", "count", "'5-2'", "2-5"]),
        ("a.obj,screw,1,,,,0,", ["row 2", "count", "'0'"]),
        ("a.obj,screw,1,,,,,red", ["row 2", "colour", "'red'", "#rrggbb"]),
        ("a.obj,,1,,,,,", ["row 2", "class", "''"]),
        ("a.obj,background,1,,,,,", ["row 2", "class", "'background'"]),
        ("../a.obj,screw,1,,,,,", ["row 2", "file", "inside the folder"]),
        ("/a.obj,screw,1,,,,,", ["row 2", "file", "relative"]),
        ("a.obj,screw,1,,,,,,,", ["row 2", "10 cells", "8"]),
        ("a.obj,screw,1,,,0,,", ["no usable row", "weight above 0"]),
        ("gone.obj,screw,1,,,,,", ["no usable row", "gone.obj: no such file"]),
        ("a.obj,screw,1,,,,,#000000", ["colour", "#000000", "two classes"]),
    ],
)
def test_a_wrong_cell_is_named_with_what_was_expected(folder: Path, row: str, words: list[str]) -> None:
    """Row, column, what was got, what was expected."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is what is tested
        read(str(write_table(folder, row)))
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (HEADER + ",price,size", ["unknown columns", "'price'", "'size'", "size_m"]),
        ("file,size_m", ["no column class"]),
        ("file,class,class", ["file, class, class", "each once"]),
    ],
)
def test_a_wrong_header_is_named(folder: Path, header: str, words: list[str]) -> None:
    """Unknown columns are named, not ignored: a misspelt one would be lost silently."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is what is tested
        read(str(write_table(folder, header=header)))
    assert [word for word in words if word not in str(caught.value)] == []


def test_two_colours_for_one_class_are_refused(folder: Path) -> None:
    """A class has one colour."""
    with pytest.raises(ValueError, match="row 3, colour: got '#222222', expected the colour that class screw has"):
        read(str(write_table(folder, "a.obj,screw,1,,,,,#111111", "a.obj,screw,1,,,,,#222222")))


def test_a_folder_without_a_table_is_refused(tmp_path: Path) -> None:
    """The message says what is expected there."""
    with pytest.raises(ValueError, match=r"folder: got .*assets\.csv"):
        read(str(tmp_path))
