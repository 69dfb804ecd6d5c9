"""Splits of few pictures, and of none that could be read."""

from pathlib import Path

import pytest

from factory.core.sample import Split
from factory.ingest import splits
from tests.ingest.folders import ingest, picture


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize(("val_share", "test_share"), [(0.4, 0.5), (0.99, 0.0), (0.0, 0.99), (0.5, 0.49)])
def test_something_is_left_to_train_on(count: int, val_share: float, test_share: float) -> None:
    """However few groups there are, and whatever the shares: one group at least."""
    for seed in range(20):
        names = [str(number) for number in range(count)]
        found = splits.assign(names, fixed="auto", val_share=val_share, test_share=test_share, seed=seed)
        assert list(found) != []
        assert Split.TRAIN in found.values()


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
