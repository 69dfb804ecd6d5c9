"""What can be searched and judged on, and what is said of the rest."""

from __future__ import annotations

import json

import numpy as np
import pytest

from factory.calibrate.audit import miou
from factory.calibrate.settings import best_settings
from factory.calibrate.verdict import conclude
from factory.core.artefact import Kind
from factory.core.classes import IGNORE
from factory.core.sample import Supervision
from factory.label import calibrated
from tests.artefacts import add_sample, sealed
from tests.calibrate.scenes import CLASSES, calibrate, scene


def test_the_curve_is_fitted_where_settings_were_searched_and_judged_elsewhere(scenes, tmp_path, monkeypatch) -> None:
    """Nine pictures, that for tests aside: five and four others."""
    halves = []

    def noting(seen, held, **words):
        halves.extend({one.photograph for one in side} for side in (seen, held))
        return conclude(seen, held, **words)

    def learning(judge, rows, *given, **words):
        learnt.extend(sample.id for sample in judge.rows)
        return best_settings(judge, rows, *given, **words)

    learnt: list[str] = []
    monkeypatch.setattr("factory.stages.calibrate.best_settings", learning)
    monkeypatch.setattr("factory.stages.calibrate.conclude", noting)
    calibrate(scenes, tmp_path / "calibrate", "trials=1")
    searched, held = halves
    assert (len(searched), len(held)) == (5, 4)
    assert not searched & held
    assert len(set(learnt)) == 9, "labelers that learn do so from the hints on all of them"


def test_pictures_show_the_confidence_that_labels_will_state(scenes, tmp_path) -> None:
    """The same labels through another curve are drawn otherwise."""
    words = ["trials=1", "drawn=1"]
    fitted, stated = (calibrate(scenes, tmp_path / c, *words, f"confidence={c}") for c in ("isotonic", "as_stated"))
    assert calibrated.read(fitted).curve != calibrated.read(stated).curve
    (one,), (other,) = (list(report.path("pictures").iterdir()) for report in (fitted, stated))
    assert one.name == other.name
    assert one.read_bytes() != other.read_bytes()


def test_settings_that_the_machine_has_no_memory_for_are_told(scenes, tmp_path, monkeypatch) -> None:
    """The others are judged."""
    from factory.calibrate import settings

    rest = iter([MemoryError()])

    def short(outcomes) -> float:
        for error in rest:
            raise error
        return miou(outcomes)

    monkeypatch.setattr(settings, "miou", short)
    report = calibrate(scenes, tmp_path / "calibrate", "refiner=argmax")
    (told,) = (issue["reason"] for issue in report.header.issues if issue["where"] == "trials")
    assert told.startswith("1 of 4 failed, first trial 0 (64, ")
    assert "out of memory" in told
    assert "labeler.area" in calibrated.read(report).settings


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["space.labeler.aera=int:1:9"], "did you mean area"),
        (["space.labeler.area=[30,-5]"], "labeler.area must be positive"),
        (["space.labeler.area=[30]"], "space.labeler.area"),
        (["longest=63"], "calibrate.longest is too small"),
        (["space.labeler.area=around:9"], "neither a range"),
        (["space.refiner.iterations=log:0:9"], "begins above 0"),
        (["images=3"], "calibrate.images is too small"),
        (["images=-5"], "calibrate.images is too small"),
        (["drawn=-1"], "calibrate.drawn is too small"),
        (["trials=0"], "calibrate.trials is too small"),
        (["pool=5"], "pool is a number of trials"),
        (["labeler=across", "space.labeler.folds=int:2:3"], "would have to learn again"),
    ],
)
def test_what_cannot_be_searched_is_said_before_anything_is_made(scenes, tmp_path, capfd, words, message) -> None:
    """With the key; nothing is left behind."""
    calibrate(scenes, tmp_path / "no", *words, status=1)
    assert message in capfd.readouterr().err
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("more", ["", "ignored", "pseudo"])
def test_three_pictures_are_too_few(tmp_path, capfd, more) -> None:
    """Two to search on, two to judge on; one whose mask is guessed, or ignored throughout, is none of them."""

    def fill(out) -> None:
        for number in range(5 if more else 3):
            image, mask = scene(number)
            first = number < 2
            mask = np.full_like(mask, IGNORE) if first and more == "ignored" else mask
            said = Supervision.PSEUDO if first and more == "pseudo" else Supervision.EXACT
            add_sample(out, f"p{number}", mask, image=image, supervision=said)

    source = sealed(tmp_path / "few", Kind.DATASET, fill, CLASSES)
    calibrate(source, tmp_path / "no", status=1)
    assert "too few to calibrate on" in capfd.readouterr().err
    assert not (tmp_path / "no").exists()


def test_the_pictures_judged_are_those_that_have_a_truth(tmp_path) -> None:
    """Of ten there is one in each half of whose pixels none has a class: it is neither counted nor drawn."""

    def fill(out) -> None:
        for number in range(10):
            image, mask = scene(number)
            mask = mask if number not in (3, 4) else np.full_like(mask, IGNORE)
            add_sample(out, f"p{number}", mask, image=image, supervision=Supervision.EXACT)

    source = sealed(tmp_path / "some", Kind.DATASET, fill, CLASSES)
    for images, judged in ((5, 2), (10, 4)):
        report = calibrate(source, tmp_path / f"{images}", f"images={images}", "trials=1", "drawn=9")
        assert json.loads(report.path("calibration.json").read_text())["pictures"] == judged
    assert not {"p3.png", "p4.png"} & {path.name for path in report.path("pictures").iterdir()}
