"""Splits of few pictures, and of none that could be read."""

from pathlib import Path

import pytest

from factory.core.sample import Split
from factory.ingest import splits
from tests.ingest.folders import ingest, picture, reasons


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize(("val_share", "test_share"), [(0.4, 0.5), (0.99, 0.0), (0.0, 0.99), (0.5, 0.49)])
def test_something_is_left_to_train_on(count: int, val_share: float, test_share: float) -> None:
    """However few groups there are, and whatever the shares: one group at least."""
    for seed in range(20):
        names = [str(number) for number in range(count)]
        found = splits.assign(names, fixed="auto", val_share=val_share, test_share=test_share, seed=seed)
        assert list(found) != []
        assert Split.TRAIN in found.values()


def test_folders_too_large_for_a_share_are_told(tmp_path: Path) -> None:
    """As those of a factory that sorts by defect: 8 pictures of 16 are no fifth of them, and nothing was validated."""
    for number in range(16):
        picture(tmp_path / f"in/{'scratch' if number % 2 else 'good'}/{number}.png")
    told = ("no picture is for val", "the smallest of 2 groups has 8 of 16 pictures", "group_pattern=.+")
    said = reasons(ingest(tmp_path))["split"]
    assert all(words in said for words in told)
    by_itself = ingest(tmp_path, "group_pattern=.+", name="by_itself")
    assert len(by_itself.where(split=Split.VAL)) == 3
    assert not by_itself.header.issues
    assert not ingest(tmp_path, "val_share=0", name="none").header.issues, "nobody asked for any"


def test_a_class_that_only_pictures_to_measure_on_show_is_told(tmp_path: Path) -> None:
    """Where folders are classes, one of them may be all that is kept for validation."""
    rows = [f"{name}/{number}.png,{name}" for name in ("sky", "car") for number in range(4)]
    for row in rows:
        picture(tmp_path / "in" / row.partition(",")[0])
    (tmp_path / "tags.csv").write_text("\n".join(["image,tag", *rows]))
    made = ingest(tmp_path, f"tags={tmp_path}/tags.csv", "val_share=0.5")
    (lost,) = {sample.group for sample in made.where(split=Split.VAL)}
    assert f"{lost} is in pictures for val or test alone, and no model learns it" in reasons(made)["split"]
    fixed = ingest(tmp_path, f"tags={tmp_path}/tags.csv", "split=val", name="fixed")
    assert not fixed.header.issues, "whoever says val for all knows"


def test_pictures_to_train_on_that_cannot_be_read_stop_the_rest(tmp_path: Path, capfd) -> None:
    """Unless a split is asked for by name."""
    for name in ("a", "b"):
        picture(tmp_path / f"in/{name}.png")
    shares = ["val_share=0.5"]
    made = ingest(tmp_path, *shares, name="whole")
    (trained,) = [sample.id for sample in made.samples if sample.split == Split.TRAIN]
    (tmp_path / f"in/{trained}.png").write_bytes(b"not a picture")
    ingest(tmp_path, *shares, status=1)
    told = capfd.readouterr().err
    assert "no picture is left to train on" in told
    assert f"{trained}.png: not a readable picture" in told
    assert len(ingest(tmp_path, *shares, "split=val").samples) == 1
