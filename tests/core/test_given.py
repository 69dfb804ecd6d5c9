"""Files of the user's folders: all that are there, each once, by a name that lies in the folder."""

from pathlib import Path

import pytest

from factory.core import given


def touched(path: Path) -> Path:
    """An empty file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def names(folder: Path) -> list[str]:
    """What is found, by its path in the folder."""
    return [path.relative_to(folder).as_posix() for path in given.files_in(folder)]


def test_linked_folders_are_followed(tmp_path: Path) -> None:
    """As pictures on another disk are; also links in them, and the folder itself may be one."""
    touched(tmp_path / "disk/one/a.png")
    touched(tmp_path / "other/b.png")
    (tmp_path / "disk/two").symlink_to(tmp_path / "other")
    touched(tmp_path / "in/c.png")
    (tmp_path / "in/linked").symlink_to(tmp_path / "disk")
    (tmp_path / "mine").symlink_to(tmp_path / "in")
    assert names(tmp_path / "in") == ["c.png", "linked/one/a.png", "linked/two/b.png"]
    assert names(tmp_path / "mine") == names(tmp_path / "in")


def test_links_that_lead_back_or_up_are_not(tmp_path: Path) -> None:
    """Each folder counts once, under its own name where it has one there; hidden ones do not at all."""
    touched(tmp_path / "beside.png")
    touched(tmp_path / "in/own/a.png")
    (tmp_path / "in/a link").symlink_to(tmp_path / "in/own")
    (tmp_path / "in/own/loop").symlink_to(tmp_path / "in")
    (tmp_path / "in/up").symlink_to(tmp_path)
    (tmp_path / "in/.hidden").symlink_to(touched(tmp_path / "elsewhere/b.png").parent)
    assert names(tmp_path / "in") == ["own/a.png"]


def test_what_systems_note_of_a_folder_is_no_file_of_the_users(tmp_path: Path) -> None:
    """Looking at a folder of pictures must not make another data set of it, nor pictures of notes beside pictures."""
    for name in ("a.png", "._a.png", ".DS_Store", "Thumbs.db", "desktop.ini", "notes.db"):
        touched(tmp_path / name)
    assert names(tmp_path) == ["a.png", "notes.db"]


@pytest.mark.parametrize(
    ("absent", "said"),
    [
        ("outputs/mine/labl", "did you mean outputs/mine/label?"),
        ("outputs/mien/label", "did you mean outputs/mine/label?"),
        ("output/gone", "did you mean outputs?"),
        ("outputs/mine/label/masks", "check the path, or make it first"),
        ("outputs/mine/evaluate", "check the path, or make it first"),
        ("clicks.csv/x", "did you mean clicks.csv?"),
    ],
)
def test_a_path_that_is_not_there_is_answered_with_one_that_is(absent: str, said: str, tmp_path, monkeypatch) -> None:
    """The part that is wrong and, where it is there, what follows it; what is unfinished is nothing to read."""
    monkeypatch.chdir(tmp_path)
    touched(tmp_path / "outputs/mine/label/manifest.parquet")
    (tmp_path / "outputs/mine/evaluate.partial").mkdir()
    touched(tmp_path / "clicks.csv")
    assert given.instead_of(Path(absent)) == said
