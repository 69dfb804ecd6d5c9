"""A class list is a list of classes, and no other text."""

from pathlib import Path

import pytest

from factory.core.errors import ConfigError, InputError
from factory.ingest.class_list import choose, read


@pytest.mark.parametrize(
    "text",
    ["# mine\nground,0,0,0\n\ncat,255,0,0\n", "ground;0;0;0;\ncat; 255;0;0", "\ufeffground\t0\t0\t0\ncat\t255\t0\t0\n"],
)
def test_names_and_colours_are_read_however_spreadsheets_divide_them(tmp_path: Path, text: str) -> None:
    """Commas, semicolons or tabs."""
    (tmp_path / "classes.csv").write_text(text, encoding="utf-8")
    found = read(tmp_path / "classes.csv")
    assert found.names == ("ground", "cat")
    assert found.colours == ((0, 0, 0), (255, 0, 0))


def test_rows_without_a_colour_get_one_and_the_others_keep_theirs(tmp_path: Path) -> None:
    """One empty cell is no reason to paint all of them anew."""
    (tmp_path / "classes.csv").write_text("ground,0,0,0\ncat\ndog,1,2,3\n")
    found = read(tmp_path / "classes.csv")
    assert (found.colours[0], found.colours[2]) == ((0, 0, 0), (1, 2, 3))
    assert len(set(found.colours)) == 3


def test_names_alone_may_be_any(tmp_path: Path) -> None:
    """Quoted with a comma in them, of digits, with what other alphabets have."""
    (tmp_path / "classes.txt").write_text('ground,,\n"car, red"\n2024\nstraßé & <x>\n')
    assert read(tmp_path / "classes.txt").names == ("ground", "car, red", "2024", "straßé & <x>")


def test_names_in_the_configuration_have_no_blanks_around_them_and_are_there() -> None:
    """Else no tool's file would name them."""
    assert choose(None, [" wet  road\n", 2024], None).names == ("wet road", "2024")
    with pytest.raises(ConfigError, match="a class has no name"):
        choose(None, ["road", " "], None)


@pytest.mark.parametrize(
    "text",
    [
        '<?xml version="1.0"?>\n<annotations/>\n',
        '{"categories": 1}\n',
        '["cat"]\n',
        "image,tag\na.png,cat\n",
        "cat,red\n",
        "cat\nnext, 255\n",
        "cat\n, \n",
        "cat\x00\n",
        f"{'many words ' * 12}\n",
        "",
    ],
)
def test_text_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    """It made classes that nobody meant."""
    (tmp_path / "classes.txt").write_text(text)
    with pytest.raises(InputError, match=r"(?s)unreadable class list.*one class a line"):
        read(tmp_path / "classes.txt")
