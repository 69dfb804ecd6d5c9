"""What `factory show` says of artefacts, and of folders that hold some."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from factory.__main__ import main
from factory.core.dataset import Dataset


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A data set of one picture of three, the others being damaged, its labels, and one that was begun."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "in").mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)).save(folder / "in/a.png")
    for name in "bc":
        (folder / f"in/{name}.png").write_bytes(b"not a picture")
    (folder / "points.csv").write_text("image,x,y,class\na,3,4,b\na,20,9,a\n")
    out, words = folder / "out", ["classes=[a,b]", "executor=serial", "val_share=0", "seed=7"]
    images = [f"images={folder}/in", f"points={folder}/points.csv"]
    assert main(["ingest", *images, *words, f"out={out}/ingest"]) == 0
    assert main(["label", f"source={out}/ingest", "labeler=spots", "executor=serial", f"out={out}/deep/label"]) == 0
    (out / "train.partial").mkdir()
    return out


def test_an_artefact_says_what_made_it_and_all_that_it_left_out(made: Path, tmp_path: Path, capsys) -> None:
    """Settings, figures, and which artefact beside it is its input."""
    assert main(["show", f"{made}/ingest", f"{made}/deep/label"]) == 0
    said = capsys.readouterr().out
    assert f"{made}/ingest: dataset, made by ingest" in said
    lines = [" ".join(line.split()) for line in said.splitlines()]
    digest = Dataset.open(made / "ingest").digest[:12]
    for line in ("seed 7", "points 2", "Left out or to look at (2)", "labeler Spots", "labeler.area 16"):
        assert line in lines
    assert f"inputs.source {digest}" in lines
    assert [line.split()[0] for line in lines if "not a readable picture" in line] == ["b.png", "c.png"]
    (tmp_path / "renamed").symlink_to(made / "ingest")
    (tmp_path / "label").symlink_to(made / "deep/label")
    main(["show", f"{tmp_path}/label"])
    assert f"{digest}, renamed beside it" in capsys.readouterr().out


def test_a_folder_lists_what_is_in_it_finished_or_not(made: Path, monkeypatch, capsys) -> None:
    """Without a word, the folder that stages write to."""
    (made.parent / "outputs").symlink_to(made)
    monkeypatch.chdir(made.parent)
    assert main(["show"]) == 0
    rows = [[cell.strip() for cell in line.split("│")[1:4]] for line in capsys.readouterr().out.splitlines()]
    assert [row for row in rows if row and row[0]] == [
        ["outputs/deep/label", "dataset", "label"],
        ["outputs/ingest", "dataset", "ingest"],
        ["outputs/train.partial", "", "not finished: the command that makes it goes on from there"],
    ]


def test_what_was_changed_after_sealing_is_named(made: Path, tmp_path: Path, capsys) -> None:
    """A picture, the sums themselves, the header; and nothing where nothing was."""
    assert main(["show", str(made), "check=true"]) == 0
    said = capsys.readouterr().out
    assert said.count(" files, as sealed") == 2
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in (made / "ingest").rglob("*"):
        if path.is_file():
            target = copy / path.relative_to(made / "ingest")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (image,) = (copy / "images").glob("a*")
    image.write_bytes(b"other")
    assert main(["show", str(copy)]) == 0
    assert main(["show", str(copy), "check=true"]) == 1
    assert f"files, changed since: images/{image.name}\n" in capsys.readouterr().out
    (copy / "SHA256SUMS").write_text("")
    assert main(["show", str(tmp_path), "check=true"]) == 1
    assert "the artefact was changed after sealing" in capsys.readouterr().out
    (copy / "artefact.json").write_text(json.dumps({"schema": 0}))
    assert main(["show", str(tmp_path)]) == 0
    assert "unknown artefact schema" in " ".join(capsys.readouterr().out.replace("│", " ").split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "error: no such folder"),
        (["."], "error: no artefact here"),
        (["-x"], "error: words that mean nothing here"),
        (["check=maybe"], "expected: folders, and check=true"),
    ],
)
def test_what_cannot_be_shown_is_one_message(tmp_path: Path, monkeypatch, capsys, words, message) -> None:
    """And a failure."""
    monkeypatch.chdir(tmp_path)
    assert main(["show", *words]) == 1
    assert message in capsys.readouterr().err


def test_its_page_says_what_it_does(capsys) -> None:
    """Not that of a stage."""
    assert main(["show", "--help"]) == 0
    assert "check=true" in capsys.readouterr().out
