"""The evaluate stage on a real, if barely trained, model."""

import json
from pathlib import Path

import numpy as np
import pytest

from factory.core import masks
from factory.core.artefact import Kind, Report
from factory.core.classes import IGNORE, ClassList
from factory.core.dataset import Dataset
from factory.core.errors import ArtefactError, ConfigError
from factory.core.sample import Split, Supervision
from factory.measure import matrix
from factory.measure.otsu import Otsu
from factory.measure.scores import Scores
from factory.segment.tta import Views
from factory.stages import evaluate
from tests.artefacts import add_sample, dataset, written
from tests.segment.training import bright_squares, trained

SETTINGS = {
    "name": "squares",
    "split": "val",
    "checkpoint": "best",
    "peer": None,
    "tta": Views(),
    "size": None,
    "overlap": 0.5,
    "batch": 4,
    "pictures": 1,
}


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    """Pictures with a bright square each."""
    return bright_squares(tmp_path_factory.mktemp("evaluate") / "squares", 12)


@pytest.fixture(scope="module")
def model(squares, tmp_path_factory):
    """A model that saw them for a few steps."""
    return trained(tmp_path_factory.mktemp("evaluate") / "model", real=squares, steps=12, validate_every=4)


def measured(target: Path, **changes) -> Report:
    """The stage run to its end and sealed."""
    with written(target, Kind.REPORT) as out:
        evaluate.run(out=out, **SETTINGS | changes)
    return Report.open(target)


def test_figures_are_those_of_the_predictions_written(model, squares, tmp_path):
    """And those that training validated with."""
    report = measured(tmp_path / "report", model=model, source=squares)
    scores = Scores(2)
    for sample in squares.where(split=Split.VAL):
        scores.add(squares.mask(sample), masks.read_png(report.path(f"predictions/{sample.id}.png")))
    metrics = json.loads(report.path("metrics.json").read_text())
    counts_kk = scores.confusion.counts_kk
    assert metrics["confusion"]["ours"] == counts_kk.tolist()
    row, expected = metrics["rows"][0], {"name": "ours", **scores.figures(squares.classes)}
    trust = ("ece", "class_ece", "boundary_ece", "aurc", "ause", "confidence")
    assert all(0 <= row[name] < 1 for name in trust[:-1])
    assert sum(row["confidence"]["pixels"]) == counts_kk.sum()
    assert not any(expected[name] for name in trust[:-1]), "predictions are written without confidence"
    for known in (row, expected):
        for figures in known["by_class"].values():
            figures.pop("ece")
        for name in trust:
            known.pop(name)
    assert row == expected
    assert report.figures["miou"] == scores.confusion.miou() == model.figures["val_miou"]
    assert report.figures["boundary_iou"] == scores.boundaries.miou()
    assert set(metrics["rows"][0]["by_class"]) == set(squares.classes.names)
    picture = masks.read_png(report.path("confusion.png"))
    assert (picture == matrix.draw(counts_kk, squares.classes)).all()


def test_a_classical_peer_stands_beside_ours(model, squares, tmp_path):
    """Otsu is hard to beat on bright squares: its figures are the better ones here."""
    report = measured(tmp_path / "report", model=model, source=squares, peer=Otsu())
    assert [row["name"] for row in json.loads(report.path("metrics.json").read_text())["rows"]] == ["ours", "otsu"]
    assert report.figures["otsu_miou"] > 0.95
    assert not report.header.issues


def test_a_peer_that_does_not_know_all_classes_is_said_not_to(tmp_path):
    """Its figures stand, with the reason why they are low; a class that is not there cannot be found."""
    for name, shift in (("three", 0), ("made", 1)):
        with written(tmp_path / name) as out:
            out.classes = ClassList.of(["ground", "coin", "note"])
            mask_hw = (np.arange(1024, dtype=np.uint8).reshape(32, 32) + shift) % 3
            add_sample(out, "s", mask_hw, split=Split.VAL, supervision=Supervision.HUMAN)
    three, made = (Dataset.open(tmp_path / name) for name in ("three", "made"))
    report = measured(tmp_path / "report", model=made, source=three, peer=Otsu(class_id=2))
    assert list(report.header.issues) == [
        {"where": "otsu", "reason": "it knows 2 of 3 classes (ground, note): the others count against it"}
    ]
    with pytest.raises(ConfigError, match=r"(?s)not in the class list.*got: +3.*up to 2"):
        measured(tmp_path / "refused", model=made, source=three, peer=Otsu(class_id=3))


def test_as_many_pictures_are_drawn_as_asked_for(model, squares, tmp_path):
    """Predictions are written for all."""
    report = measured(tmp_path / "report", model=model, source=squares, split="train", pictures=3)
    assert len(list(report.path("pictures").iterdir())) == 3
    assert len(list(report.path("predictions").iterdir())) == len(squares.where(split=Split.TRAIN))


def test_masks_may_be_compared_at_another_size(model, squares, tmp_path):
    """Predictions have it too."""
    report = measured(tmp_path / "report", model=model, source=squares, size=[16, 24])
    counted = np.sum(json.loads(report.path("metrics.json").read_text())["confusion"]["ours"])
    assert counted == 16 * 24 * len(squares.where(split=Split.VAL))


def test_figures_nobody_can_state_are_null(model, tmp_path):
    """A mask of ignored pixels only."""
    with written(tmp_path / "blank") as out:
        out.classes = model.classes
        add_sample(out, "blank", np.full((32, 32), IGNORE, np.uint8), split=Split.TEST, supervision=Supervision.HUMAN)
    report = measured(tmp_path / "report", model=model, source=Dataset.open(tmp_path / "blank"), split="test")
    assert report.figures == dict.fromkeys(evaluate.FIGURES)


def test_what_cannot_be_measured_is_said_clearly(model, squares, tmp_path):
    """No masks in the split, other classes, no such split or checkpoint."""
    with written(tmp_path / "other") as out:
        out.classes = ClassList.of(["ground", "paper"])
        add_sample(out, "s", np.eye(32, dtype=np.uint8), split=Split.VAL)
    other = Dataset.open(tmp_path / "other")
    for wrong, kind, said in (
        ({"source": other}, ArtefactError, "other classes"),
        ({"split": "holiday"}, ConfigError, "split"),
        ({"checkpoint": "first"}, ConfigError, "checkpoint"),
        ({"size": [32]}, ConfigError, "size is"),
        ({"size": [0, 0]}, ConfigError, "size is"),
        ({"pictures": -1}, ConfigError, "pictures drawn"),
    ):
        with pytest.raises(kind, match=said):
            measured(tmp_path / said.replace(" ", ""), **{"model": model, "source": squares} | wrong)


def labels(target: Path, squares: Dataset, *, ids: int = 99, wrong: float = 0.0, side: int | None = None) -> Dataset:
    """Masks of the val pictures: a share of each picture's rows is left open, one of them is wrong."""
    with written(target) as out:
        out.classes = squares.classes
        for sample in squares.where(split=Split.VAL)[:ids]:
            mask_hw = squares.mask(sample)[:side]
            height = len(mask_hw)
            mask_hw[: height // 4] = IGNORE
            mask_hw[height - round(wrong * height) :] = 1 - mask_hw[height - round(wrong * height) :]
            add_sample(out, sample.id, mask_hw, split=Split.TRAIN)
    return Dataset.open(target)


def test_masks_that_somebody_made_are_measured_like_a_model(squares, tmp_path):
    """What was left open lowers the coverage alone; a confidence of 0.59 where 2/3 are right is off by 0.08."""
    made = labels(tmp_path / "labels", squares, wrong=0.25)
    report = measured(tmp_path / "report", model=made, source=squares)
    assert report.figures["coverage"] == 0.75
    assert report.figures["pixel_accuracy"] == pytest.approx(2 / 3)
    assert report.figures["ece"] == pytest.approx(2 / 3 - 150 / 255)
    assert len(list(report.path("pictures").iterdir())) == 1
    assert not report.header.issues


def test_masks_of_reduced_pictures_are_compared_at_one_size(squares, tmp_path):
    """Where that size is given; others, of another shape, show something else."""
    with written(tmp_path / "large") as out:
        out.classes = squares.classes
        for sample in squares.where(split=Split.VAL):
            add_sample(out, sample.id, squares.mask(sample).repeat(3, axis=0).repeat(3, axis=1), split=Split.VAL)
    large, size = Dataset.open(tmp_path / "large"), list(squares.mask(squares.samples[0]).shape)
    with pytest.raises(ArtefactError, match=r"(?s)another size.*size=\[{},{}\]".format(*size)):
        measured(tmp_path / "refused", model=large, source=squares)
    report = measured(tmp_path / "report", model=large, source=squares, size=size)
    assert report.figures["pixel_accuracy"] == 1
    half = labels(tmp_path / "half", squares, side=size[0] // 2)
    with pytest.raises(ArtefactError, match=r"(?s)another size.*at the same size$"):
        measured(tmp_path / "cut", model=half, source=squares, size=size)


def test_masks_are_looked_at_once_and_never_against_themselves(squares, tmp_path):
    """Both would be said to be measured, and were not."""
    with pytest.raises(ConfigError, match=r"(?s)measured against themselves.*inputs\.model"):
        measured(tmp_path / "report", model=squares, source=squares)
    made = labels(tmp_path / "labels", squares, wrong=0.25)
    with pytest.raises(ConfigError, match=r"(?s)several looks.*tta"):
        measured(tmp_path / "report", model=made, source=squares, tta=Views(flip=True))


def test_a_labelers_guesses_are_not_taken_for_the_truth_in_silence(model, squares, tmp_path):
    """Measured all the same: how far a model follows its labels is worth knowing."""
    with written(tmp_path / "guessed") as out:
        out.classes = squares.classes
        for name, supervision in (("a", Supervision.PSEUDO), ("b", Supervision.HUMAN)):
            add_sample(out, name, np.eye(32, dtype=np.uint8), split=Split.VAL, supervision=supervision)
    report = measured(tmp_path / "report", model=model, source=Dataset.open(tmp_path / "guessed"))
    assert [issue["reason"] for issue in report.header.issues] == [
        "1 of 2 masks are made from weaker labels (pseudo): agreement, not accuracy"
    ]


def test_pictures_that_nobody_labelled_are_reported(squares, tmp_path):
    """The others count; where there is none, or masks are of another size, nothing can be said."""
    report = measured(tmp_path / "report", model=labels(tmp_path / "one", squares, ids=1), source=squares)
    assert len(report.header.issues) == len(squares.where(split=Split.VAL)) - 1
    assert "no mask for it" in report.header.issues[0]["reason"]
    for wrong, said in (({"ids": 0}, "no picture is in both"), ({"side": 20}, "of another size")):
        made = labels(tmp_path / said.replace(" ", ""), squares, **wrong)
        with pytest.raises(ArtefactError, match=said):
            measured(tmp_path / "never", model=made, source=squares)


def test_pictures_without_any_mask_are_answered_in_whole_sentences(model, tmp_path):
    """A data set of tags alone, say: no other split helps."""
    bare = dataset(tmp_path / "tags", {"a": None})
    with pytest.raises(ArtefactError, match="no val rows with masks") as caught:
        measured(tmp_path / "report", model=model, source=bare)
    assert caught.value.got == "no masks"
    assert str(caught.value.todo).startswith("ingest pictures with masks")
