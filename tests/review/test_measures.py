"""What the page says of a method's confidence, and of a training."""

import json
from pathlib import Path

import numpy as np

from factory.core.artefact import Kind, Model
from factory.core.writer import Writer
from factory.measure.calibration import Reliability
from factory.review import calibration, measures
from factory.review.measures import trust
from tests.artefacts import CLASSES, report, sealed


def test_confidence_is_drawn_where_there_is_any() -> None:
    """Two charts that end where the figures do; none for methods, or older measurements, that state none."""
    seen = Reliability()
    seen.add(np.zeros(8, np.uint8), np.array([0, 0, 0, 1, 1, 0, 0, 0]), np.array([0.9] * 4 + [0.5] * 4))
    right, wrong = trust({"confidence": seen.as_json()})
    assert right.names == ("right", "as stated")
    assert "right ends at 0.75" in right.summary
    assert wrong.summary == "by confidence ends at 0.25; at best ends at 0.25"
    assert trust({"confidence": Reliability().as_json()}) == ()
    assert trust({}) == ()


def test_a_measurement_without_a_title_of_its_own_is_told_by_its_split(tmp_path: Path) -> None:
    """The name of the stage, which it has unless it was given another, says nothing beside it."""
    said = []
    for name in ("evaluate", "photo"):
        measured = report(tmp_path / name / "evaluate", {"name": name, "split": "val", "rows": []})
        found = measures.measurement(measured, None, seed=0, examples=1)
        said.append(found.lead if found else "")
    assert said == ["Measured on the val split.", "Measured on the val split: photo."]


def test_of_equal_validations_the_first_is_the_best(tmp_path: Path) -> None:
    """As training keeps it."""
    history = [{"step": step, "loss": 1.0, "val_miou": 0.5} for step in (5, 10)]

    def fill(out: Writer) -> None:
        out.write("history.json", json.dumps(history).encode())

    found = measures.training(Model.open(sealed(tmp_path / "model", Kind.MODEL, fill)))
    assert found is not None
    assert "at step 5." in found.lead


def test_the_curve_of_confidence_is_drawn_level_by_level() -> None:
    """A step between the last two levels is a step in the picture."""
    levels = [0.5] * 255 + [0.9]
    right, _ = calibration.curves(levels)
    assert right.points[-2:] == ((254 / 255, 0.5), (1.0, 0.9))
    assert len(right.points) == 256


def test_a_row_of_two_reports_stands_once_and_names_that_are_shared_are_marked(tmp_path: Path) -> None:
    """A classical peer is measured beside each of two models, with the same figures."""
    peer, ours, theirs = {"name": "otsu", "miou": 0.3}, {"name": "model", "miou": 0.6}, {"name": "model", "miou": 0.5}
    mine, other = (
        report(tmp_path / name, {"name": name, "rows": [row, peer]})
        for name, row in (("adapted", ours), ("plain", theirs))
    )
    names = [(row["name"], row["miou"]) for row in measures.score_rows(mine, other)]
    assert names == [("model (adapted)", 0.6), ("otsu", 0.3), ("model (plain)", 0.5)]
    assert [row["name"] for row in measures.score_rows(mine, None)] == ["model", "otsu"]


def test_classes_have_their_share_of_the_truth() -> None:
    """The last two columns; shares add up to one."""
    by_class = {name: {"iou": 0.5, "pixels": pixels} for name, pixels in (("coin", 1000), ("background", 3000))}
    (table,) = measures.class_tables([{"name": "ours", "by_class": by_class}], CLASSES)
    assert [row[-2:] for row in table.rows] == [("3,000", 0.75), ("1,000", 0.25)]
