"""What lies in a round's folder: which answers and times are taken, in which order, and what is named as neither."""

from pathlib import Path

import pytest

from factory.command.looping.returned import passed_over, returned
from factory.command.looping.times import noted
from factory.core.errors import ConfigError


def test_answers_are_taken_however_their_names_are_written(tmp_path: Path) -> None:
    """Late ones first, the earliest round's before the others'; then the round's own, by name."""
    for folder in ("Corrections-Anna", "late-2-anna", "select", "review"):
        (tmp_path / folder).mkdir()
    for name in ("corrections (1).ZIP", "LATE-1.xml", "late-1-zoe.zip", "Times-anna.CSV", "log.csv"):
        (tmp_path / name).touch()
    found = [(one.path.name, one.number) for one in returned(tmp_path, 3)]
    assert found[:3] == [("LATE-1.xml", 1), ("late-1-zoe.zip", 1), ("late-2-anna", 2)]
    assert found[3:] == [("Corrections-Anna", 3), ("corrections (1).ZIP", 3)]
    assert passed_over(tmp_path) == []


def test_what_looks_like_answers_or_times_and_is_not_called_so_is_named(tmp_path: Path) -> None:
    """Nobody's work is passed over without a word."""
    for name in ("annotations.xml", "corrections.rar", "Late-1.zip.part", "queue.csv", "notes.txt"):
        (tmp_path / name).touch()
    assert returned(tmp_path, 2) == []
    assert passed_over(tmp_path) == ["Late-1.zip.part", "annotations.xml", "corrections.rar", "queue.csv"]


@pytest.mark.parametrize("name", ["late.zip", "late-0.zip", "late-2.zip", "Late-9.xml"])
def test_a_late_return_names_an_earlier_round(tmp_path: Path, name: str) -> None:
    """Not this one, none before the first, none to come."""
    (tmp_path / name).touch()
    with pytest.raises(ConfigError, match="no earlier round") as caught:
        returned(tmp_path, 2)
    assert name in str(caught.value)


def test_times_of_several_people_are_added_up(tmp_path: Path) -> None:
    """Regions with a time, and their seconds."""
    (tmp_path / "Times.CSV").write_text("image;border;taken\na.png;3;2,5\nb.png;1;\n")
    (tmp_path / "times-ben.csv").write_text("image,border,taken\na.png,3,4\n")
    assert noted({"select-1": {"out": str(tmp_path / "select")}}, 1) == (2, 6.5)
