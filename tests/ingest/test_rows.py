"""Tables of hints as spreadsheets and other tools save them: read, or called by what they are."""

import json
from pathlib import Path

import pytest

from factory.core.errors import InputError
from factory.core.tables import delimiter_of
from factory.ingest import rows
from tests.ingest.folders import ingest, picture, reasons

POINT = ("x", "y", "class")


def test_semicolons_and_tabs_divide_too(tmp_path: Path) -> None:
    """Where semicolons do, commas are decimal ones, but in names; quotes and capitals of a header do not matter."""
    for name in ("a, b.png", "c.png"):
        picture(tmp_path / "in" / name)
    words = ["classes=[sky,'car, red']", f"inputs.points={tmp_path}/points.csv"]
    half = '\n"Image";"X";"Y";"Class"\n\na, b.png;10,7;4;car, red\nc.png;"3,2";5.9;sky\n;;;\n'
    (tmp_path / "points.csv").write_text(half, encoding="utf-8-sig")
    made = ingest(tmp_path, *words)
    assert [sample.hints.points for sample in made.samples] == [((10, 4, 1),), ((3, 5, 0),)]
    assert not made.header.issues
    (tmp_path / "points.csv").write_text("image\tx\ty\tclass\nc.png\t3.2\t5\tsky\nc.png\t1,234\t5\tsky\n")
    tabs = ingest(tmp_path, *words, name="tabs")
    assert tabs.samples[1].hints.points == ((3, 5, 0),)
    assert reasons(tabs).keys() == {"points.csv:3"}


def test_rows_are_numbered_as_in_the_file_and_lack_what_they_lack(tmp_path: Path) -> None:
    """Empty lines count as lines; a row says what it has."""
    picture(tmp_path / "in/a.png")
    (tmp_path / "points.csv").write_text("image,x,y,class\n\na,3,4,car\n\na,3,4\n,3,4,car\na,,4,car,more\n")
    made = ingest(tmp_path, f"inputs.points={tmp_path}/points.csv")
    said = reasons(made)
    assert said.keys() == {f"points.csv:{line}" for line in (5, 6, 7)}
    assert "it lacks class; it has {'image': 'a', 'x': '3', 'y': '4'}" in said["points.csv:5"]
    assert "it lacks image" in said["points.csv:6"]
    assert "it lacks x" in said["points.csv:7"]


def test_json_rows_of_another_length_are_refused_alone(tmp_path: Path) -> None:
    """A box is no point, and costs only itself."""
    picture(tmp_path / "in/a.png")
    (tmp_path / "points.json").write_text(json.dumps({"a.png": [[3, 4, "car"], [3, 4, 9, 9, "car"], 7]}))
    made = ingest(tmp_path, f"inputs.points={tmp_path}/points.json")
    assert made.samples[0].hints.points == ((3, 4, 1),)
    assert "it lacks x, y, class; it has {'image': 'a.png', 'values': [3, 4, 9" in reasons(made)["points.json:2"]
    (tmp_path / "tags.json").write_text(json.dumps([{"image": "a", "tag": "car"}, ["a", "car"]]))
    made = ingest(tmp_path, f"inputs.tags={tmp_path}/tags.json", name="tags")
    assert made.samples[0].hints.tags == (1,)
    assert reasons(made).keys() == {"tags.json:2"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.csv",
            "image,px,py\na,1,2\n",
            ["the header lacks x, y, class", "got:      image,px,py", "save with commas"],
        ),
        ("a.csv", "a.png,1,2,car\n", ["the header lacks image, x, y, class"]),
        ("a.csv", "image,x,y,class\n", ["no usable row", "no row at all"]),
        ("a.csv", "\n", ["an empty file"]),
        ("a.csv", "image,x,y,class\na,three,2,car\n", ["a.csv:2: unusable row: x is 'three', no number of pixels"]),
        ("a.csv", "PK\x03\x04", ["a spreadsheet or ZIP"]),
        ("a.xml", "<?xml?>\n<annotations>", ["XML is not read as hints", "factory merge source=… corrections="]),
        ("a.xml", "<annotation>", ["XML is not read as hints", "as CSV"]),
        ("a.json", '{"images": [], "annotations": [{"id": 1}]}', ["COCO JSON is not read as hints"]),
        ("a.json", '[{"id": 1, "data": {}, "annotations": []}]', ["Label Studio JSON is not read as hints"]),
        ("a.json", '{"shapes": [], "imageHeight": 3}', ["LabelMe JSON is not read as hints", "inputs.masks"]),
        ("a.json", "[", ["unreadable hints", "image, x, y, class"]),
    ],
)
def test_a_file_that_is_no_table_of_hints_is_called_by_what_it_is(tmp_path: Path, capfd, name, content, said) -> None:
    """With what was expected, and what to do."""
    picture(tmp_path / "in/a.png")
    (tmp_path / name).write_text(content)
    ingest(tmp_path, f"inputs.points={tmp_path}/{name}", status=1)
    told = capfd.readouterr().err
    assert all(words in told for words in said), told


def test_a_table_of_other_pictures_is_refused(tmp_path: Path, capfd) -> None:
    """Whatever else is given: a mistyped column of names would cost all of it in silence."""
    picture(tmp_path / "in/a.png")
    (tmp_path / "points.csv").write_text("image,x,y,class\na,3,4,car\n")
    (tmp_path / "boxes.csv").write_text("image,x0,y0,x1,y1,class\nphotos/a.png,3,4,9,9,car\n")
    given = [f"inputs.points={tmp_path}/points.csv", f"inputs.boxes={tmp_path}/boxes.csv"]
    ingest(tmp_path, *given, status=1)
    told = capfd.readouterr().err
    assert "no row is of a picture in the folder" in told
    assert "photos/a.png" in told
    assert "such as a.png" in told


def test_the_cells_that_are_needed_choose_what_divides_them() -> None:
    """A comma where nothing speaks for another; a long line is cut in messages."""
    assert delimiter_of("image;x;y;class, or none", ("image", *POINT)) == ";"
    assert delimiter_of("a;b", ("image", *POINT)) == ","
    assert len(rows.shown("x" * 200)) == rows.SHOWN


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    """Of LabelMe's files, for instance."""
    with pytest.raises(InputError, match="a folder is no table"):
        list(rows.read(tmp_path, POINT))


def test_a_table_in_another_encoding_is_asked_for_in_utf_8(tmp_path: Path) -> None:
    """As spreadsheets save them unless they are told."""
    (tmp_path / "a.csv").write_bytes("image,x,y,class\nfür,1,2,car\n".encode("latin-1"))
    with pytest.raises(InputError, match="not in UTF-8") as error:
        list(rows.read(tmp_path / "a.csv", POINT))
    assert error.value.got == "a byte 0xfc at 17"
