"""What the label stage may and may not touch."""

from pathlib import Path

import numpy as np
import pytest

from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.sample import Hints, Origin, Split, Supervision
from factory.execute.serial import Serial
from factory.label.points import Points
from factory.label.seeds import Seeds
from factory.refine.argmax import Argmax
from factory.stages import label
from tests.artefacts import CLASSES, add_sample, sealed, written

POINTS = Points(area=30, compactness=10.0, colour_sigma=12.0, place_sigma=0.3)


def labelled(tmp_path: Path, source: Dataset, labeler=POINTS, min_confidence: float = 0.6) -> Dataset:
    """Run the stage with the plain refiner."""
    with written(tmp_path / "label") as out:
        label.run(source=source, out=out, labeler=labeler, refiner=Argmax(), min_confidence=min_confidence,
                  executor=Serial())  # fmt: skip
    return Dataset.open(tmp_path / "label")


@pytest.fixture
def source(tmp_path: Path) -> Dataset:
    """A row of each kind that matters."""
    clicked = Hints(points=((3, 4, 1), (20, 9, 0)))
    human = np.ones((24, 32), np.uint8)

    def fill(out) -> None:
        add_sample(out, "train", None, hints=clicked)
        add_sample(out, "bare", None)
        add_sample(out, "test", None, hints=clicked, split=Split.TEST)
        add_sample(out, "human", human, hints=clicked, supervision=Supervision.HUMAN, origin=Origin.HUMAN)

    return Dataset.open(sealed(tmp_path / "source", "dataset", fill, CLASSES))


def test_test_rows_and_trusted_masks_pass_untouched(tmp_path: Path, source: Dataset) -> None:
    """Not a byte of them changes, and ids stay."""
    made = labelled(tmp_path, source)
    assert [sample.id for sample in made.samples] == [sample.id for sample in source.samples]
    rows = {sample.id: (before, sample) for before, sample in zip(source.samples, made.samples, strict=True)}
    assert rows["test"][0] == rows["test"][1]
    assert rows["human"][0] == rows["human"][1]
    assert source.path("masks/human.png").read_bytes() == made.path("masks/human.png").read_bytes()
    assert rows["train"][1].supervision == Supervision.PSEUDO


def test_pixels_below_the_threshold_are_left_out_not_guessed(tmp_path: Path, source: Dataset) -> None:
    """Ignore, no confidence, no origin; an image without clicks says so in the report."""
    made = labelled(tmp_path, source, labeler=Seeds())
    by_id = {sample.id: sample for sample in made.samples}
    mask = made.mask(by_id["train"])
    assert (mask != IGNORE).sum() == 2
    assert (mask[4, 3], mask[9, 20]) == (1, 0)
    assert (made.mask(by_id["bare"]) == IGNORE).all()
    assert [issue["where"] for issue in made.header.issues] == ["bare"]
    assert made.figures["labelled"] == 2


def test_provenance_names_labeler_and_refiner_with_their_settings(tmp_path: Path, source: Dataset) -> None:
    """A mask can be traced to what made it."""
    made = labelled(tmp_path, source)
    row = next(sample for sample in made.samples if sample.id == "train")
    assert "colour_sigma=12.0" in row.provenance["labeler"]
    assert row.provenance["refiner"] == "Argmax()"
