"""What the label stage may and may not touch."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from factory.command.bind import make_part
from factory.core.artefact import Kind, Report
from factory.core.classes import IGNORE, ClassList
from factory.core.dataset import Dataset
from factory.core.errors import InputError
from factory.core.sample import Hints, Origin, Split, Supervision
from factory.execute.serial import Serial
from factory.label import Workshop
from factory.label.calibrated import Calibration
from factory.label.corpus import Corpus
from factory.label.mixed import Mixed, Weighed
from factory.label.points import Points
from factory.label.seeds import Seeds
from factory.refine.argmax import Argmax
from factory.stages import label
from tests.artefacts import CLASSES, add_sample, sealed, written
from tests.command.composing import composed

POINTS = Points(area=30, compactness=10.0, colour_sigma=12.0, place_sigma=0.3)


def labelled(tmp_path: Path, source: Dataset, labeler=POINTS, min_confidence: float = 0.6, calibration=None) -> Dataset:
    """Run the stage with the plain refiner."""
    with written(tmp_path / "label") as out:
        label.run(source=source, calibration=calibration, model=None, out=out, seed=0, labeler=labeler,
                  refiner=Argmax(), min_confidence=min_confidence, longest=1024, finished=0.5, executor=Serial(),
                  cache=str(tmp_path / "cache"), cache_gib=1.0)  # fmt: skip
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
    assert made.figures.items() >= {"labelled": 1, "unlabelled": 1, "carried": 2}.items()


@pytest.mark.parametrize("kind", ["boxes", "masks"])
def test_a_labeler_of_hints_that_no_picture_has_is_refused(tmp_path: Path, source: Dataset, kind: str) -> None:
    """It would label the clicked pixels alone, and say nothing of it."""
    ((config, _),) = composed("label", f"labeler={kind}")
    labeler = make_part("labeler", config["labeler"])
    with pytest.raises(InputError, match=f"no picture has {kind} to label from"):
        labelled(tmp_path, source, labeler=labeler)
    assert not list(tmp_path.glob("label*"))


def test_a_data_set_without_any_label_is_refused(tmp_path: Path, source: Dataset) -> None:
    """Rather than to be trained on; one that people have painted in goes on. Nothing is left in its way."""

    def bare(out) -> None:
        add_sample(out, "bare", None)
        add_sample(out, "test", np.ones((24, 32), np.uint8), split=Split.TEST)

    nothing = Dataset.open(sealed(tmp_path / "nothing", "dataset", bare, CLASSES))
    with pytest.raises(InputError, match="no pixel of any picture could be labelled"):
        labelled(tmp_path, nothing, labeler=Seeds())
    assert not list(tmp_path.glob("label*"))

    def painted(out) -> None:
        mask = np.ones((24, 32), np.uint8)
        asked = add_sample(out, "asked", mask, supervision=Supervision.HUMAN, origin=Origin.HUMAN)
        out.add(asked.replace(provenance={"coverage": 0.0}))  # of a labelling before it was painted
        add_sample(out, "bare", None)

    made = labelled(tmp_path, Dataset.open(sealed(tmp_path / "painted", "dataset", painted, CLASSES)))
    assert made.figures == {"labelled": 0, "carried": 1, "unlabelled": 1, "coverage": 0.0}
    assert [issue["where"] for issue in made.header.issues] == ["bare"]


@pytest.mark.parametrize(
    ("hints", "classes", "told"),
    [
        (("points",), CLASSES, None),
        (("points", "scribbles"), CLASSES, "made with points, scribbles, and these pictures have points"),
        (
            ("points",),
            ClassList.of(["soil", "weed"]),
            "made of the classes soil, weed, and these pictures have background",
        ),
    ],
)
def test_a_calibration_promises_what_it_was_made_for(tmp_path: Path, source: Dataset, hints, classes, told) -> None:
    """Of other classes or other hints its settings may do, its figures do not. (It names parts as older ones do.)"""
    found = Calibration(
        labeler="points", refiner="argmax", settings={}, refused=False, curve=tuple(np.linspace(0, 1, 256)), hints=hints
    )

    def fill(out) -> None:
        out.write("calibration.json", json.dumps({"calibration": found.as_json() | {"labeler": "Points"}}).encode())
        out.figures = {"expected_miou": 0.7, "miou_low": 0.6, "miou_high": 0.8, "ece": 0.02, "refused": False}

    report = Report.open(sealed(tmp_path / "calibration", Kind.REPORT, fill, classes))
    made = labelled(tmp_path, source, calibration=report)
    said = [issue["reason"] for issue in made.header.issues if issue["where"] == "calibration"]
    if told:
        assert told in said[0]
        assert not {"expected_miou", "expected_ece"} & set(made.figures)
    else:
        assert said == []
        expected = {"expected_miou": 0.7, "expected_ece": 0.02, "refiner_refused": False}
        assert made.figures.items() >= expected.items()


@dataclass(frozen=True, kw_only=True)
class Census:
    """A labeler that learns which class is named most often in the pictures of the other fold."""

    def learnt(self, corpus: Corpus, *, seed: int, shop: Workshop) -> "Counted":
        """Its count of each picture's fellows, kept in a file."""
        shop.scratch.mkdir(parents=True, exist_ok=True)
        for mine, others in zip(*(corpus.folds(2, seed)[::step] for step in (1, -1)), strict=True):
            said = np.concatenate([corpus.picture(name).seeds.ids for name in others])
            for name in mine:
                (shop.scratch / name).write_text(str(np.bincount(said, minlength=3).argmax()))
        shop.tell("census", f"{len(corpus.ids)} pictures counted")
        return Counted(folder=shop.scratch)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What a census found."""

    folder: Path

    def __call__(self, given, classes: int) -> np.ndarray:
        """Certain of it everywhere."""
        scores = np.zeros((classes, *given.size_hw), np.float32)
        scores[int((self.folder / given.id).read_text())] = 1
        return scores


def test_a_labeler_that_learns_sees_every_picture_but_those_kept_for_tests(tmp_path: Path, source: Dataset) -> None:
    """A mask that a person vouched for counts as said; alone or in a mixture; nothing it keeps stays behind."""
    mixed = Mixed(
        members={"census": Weighed(labeler=Census(), weight=1.0), "points": Weighed(labeler=POINTS, weight=0.0)}
    )
    for name, labeler in (("alone", Census()), ("mixed", mixed)):
        made = labelled(tmp_path / name, source, labeler=labeler)
        assert [issue["reason"] for issue in made.header.issues] == ["3 pictures counted"]
        by_id = {sample.id: sample for sample in made.samples}
        assert len(np.unique(made.mask(by_id["bare"]))) == 1
        assert str(tmp_path) not in str(by_id["train"].provenance)
        assert not (tmp_path / name / "label/scratch").exists()


def test_nothing_is_learnt_where_every_mask_is_trusted(tmp_path: Path) -> None:
    """Training networks would be for nothing."""

    def fill(out) -> None:
        for name in ("a", "b"):
            mask = np.ones((24, 32), np.uint8)
            add_sample(out, name, mask, supervision=Supervision.HUMAN, origin=Origin.HUMAN)

    made = labelled(tmp_path, Dataset.open(sealed(tmp_path / "masks", "dataset", fill, CLASSES)), labeler=Census())
    assert made.figures == {"labelled": 0, "carried": 2}
    assert not made.header.issues


def test_provenance_names_labeler_and_refiner_with_their_settings(tmp_path: Path, source: Dataset) -> None:
    """A mask can be traced to what made it."""
    made = labelled(tmp_path, source)
    row = next(sample for sample in made.samples if sample.id == "train")
    assert "colour_sigma=12.0" in row.provenance["labeler"]
    assert row.provenance["refiner"] == "Argmax()"


def test_a_few_painted_pixels_stand_and_the_rest_is_labelled(tmp_path: Path) -> None:
    """Painted pixels, also one of no class, come through as they were; around them hints and paint spread."""
    painted = {(2, 2): 2, (3, 4): 0, (20, 30): IGNORE}

    def fill(out) -> None:
        sample = add_sample(out, "asked", np.full((24, 32), 1, np.uint8), hints=Hints(points=((4, 3, 1), (20, 9, 0))))
        maps = {"mask": np.full((24, 32), 1, np.uint8), "confidence": np.full((24, 32), 150, np.uint8),
                "source": np.full((24, 32), Origin.PSEUDO, np.uint8)}  # fmt: skip
        for place, class_id in painted.items():
            values = {"mask": class_id, "confidence": 0 if class_id == IGNORE else 255, "source": Origin.HUMAN}
            for name, value in values.items():
                maps[name][place] = value
        written_maps = {name: out.write_map(name, "asked", pixels) for name, pixels in maps.items()}
        out.add(sample.replace(supervision=Supervision.HUMAN, **written_maps))

    made = labelled(tmp_path, Dataset.open(sealed(tmp_path / "source", "dataset", fill, CLASSES)))
    (sample,) = made.samples
    mask_hw, origin_hw = made.mask(sample), made.map(sample, "source")
    assert sample.supervision == Supervision.HUMAN
    assert {place: mask_hw[place] for place in painted} == painted
    assert (np.argwhere(origin_hw == Origin.HUMAN) == sorted(painted)).all()
    assert (mask_hw[0:4, 0:4] == 2).mean() > 0.5, "paint spreads"
    assert (origin_hw == Origin.PSEUDO).any()
    assert (mask_hw[3, 4], origin_hw[9, 20]) == (0, Origin.HINT), "paint goes before a click that contradicts it"
