"""Folders of many files are removed as `rm -r` does."""

from pathlib import Path

import pytest

from factory.core import disk


def test_a_folder_goes_with_all_in_it_and_what_links_point_to_stays(tmp_path: Path) -> None:
    """Of any depth, hidden files too."""
    folder, kept = tmp_path / "folder", tmp_path / "kept"
    (folder / "one" / "two").mkdir(parents=True)
    kept.mkdir()
    (kept / "file").write_text("kept")
    for number in range(40):
        (folder / "one" / f".{number}").touch()
    (folder / "to_file").symlink_to(kept / "file")
    (folder / "one" / "to_folder").symlink_to(kept)
    disk.remove(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (kept / "file").read_text() == "kept"
    disk.remove(folder)


def test_results_come_in_the_order_of_the_files_and_failures_arrive(tmp_path: Path) -> None:
    """As from a loop."""
    files = [tmp_path / str(number) for number in range(50)]
    for path in files:
        path.write_text(path.name)
    assert disk.each(Path.read_text, files) == [str(number) for number in range(50)]
    files[7].unlink()
    with pytest.raises(FileNotFoundError, match="7"):
        disk.each(Path.read_text, files)
