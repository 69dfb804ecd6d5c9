"""The whole stage on a model that has learnt a little: what it asks, what it says of it, and what it takes in."""

from pathlib import Path

import numpy as np
import pytest

from factory.acquire.acquisition import RandomRegions, TopRegions
from factory.acquire.committee import Looks
from factory.acquire.label_issue import LabelIssue
from factory.acquire.regions import Tiles
from factory.acquire.uncertainty import PredictiveEntropy
from factory.core.artefact import Kind, Model, Report
from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.errors import ArtefactError, ConfigError, InputError
from factory.core.queue import ANSWERS, LOG, Queue
from factory.core.sample import Origin, Split, Supervision
from factory.exchange.png import Png
from factory.ingest.supervision.annotator import Annotator
from factory.measure.cost import Cost, read_log
from factory.review.corrections import Rules
from factory.segment import checkpoint
from factory.segment.tta import Views
from factory.stages import answer, merge, select
from tests.artefacts import add_sample, sealed, written
from tests.segment.training import CLASSES, bright_squares, trained

COST = Cost(image=4.0, region=2.0, border=0.1, trust=1.0)
ACQUISITION = {
    "budget": 6,
    "unit": "regions",
    "per_image": 2,
    "min_pixels": 1,
    "max_overlap": 0.3,
    "max_likeness": None,
}
SINGLE = Looks(views=Views(flip=False, flip_vertical=False, scales=[1.0]))
WRONG = {"train1": (0, 0), "train5": (16, 16)}
"""Corners of tiles whose labels are wrong, by picture."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Tells bright squares from dark ground."""
    folder = tmp_path_factory.mktemp("model")
    return trained(folder / "train", synthetic=bright_squares(folder / "squares", 24), steps=30, encoder_lr=1e-2)


def pictures(target: Path, count: int = 8) -> tuple[Dataset, Dataset]:
    """Labelled photographs of bright squares, two tiles labelled wrong and a pixel of each clicked; and the truth."""

    def fill(out, *, true: bool) -> None:
        rng = np.random.default_rng(5)
        for number in range(count):
            top, left = rng.integers(0, 16, 2)
            mask = np.zeros((32, 32), np.uint8)
            mask[top : top + 16, left : left + 16] = 1
            image = (60 + 130 * mask[..., None] + rng.integers(0, 60, (32, 32, 3))).astype(np.uint8)
            name = f"train{number}"
            if not true and name in WRONG:
                y, x = WRONG[name]
                mask[y : y + 16, x : x + 16] ^= 1
            kind = {"supervision": Supervision.EXACT, "origin": Origin.EXACT} if true else {}
            sample = add_sample(out, name, mask, image=image, **kind)
            if not true:
                origin = np.full((32, 32), Origin.PSEUDO, np.uint8)
                origin[4, 4] = Origin.HINT
                out.add(sample.replace(source=out.write_map("source", name, origin)))

    made = [
        Dataset.open(sealed(target / name, Kind.DATASET, lambda out, true=true: fill(out, true=true), CLASSES))
        for name, true in (("labelled", False), ("truth", True))
    ]
    return made[0], made[1]


def selected(tmp_path: Path, model: Model, source: Dataset, name: str = "queue", **changes) -> Queue:
    """The stage run and sealed."""
    call = {
        "log": None, "seed": 0, "committee": SINGLE, "uncertainty": PredictiveEntropy(), "regions": Tiles(side=16),
        "acquisition": TopRegions(**ACQUISITION), "cost": COST, "temperature": None, "examples": 2,
        "cache": str(tmp_path / "cache"), "cache_gib": 1.0,
    } | changes  # fmt: skip
    with written(tmp_path / name, Kind.QUEUE) as out:
        select.run(model=model, source=source, out=out, **call)
    return Queue.open(tmp_path / name)


def test_items_say_what_else_a_region_may_be_what_looks_like_it_and_what_it_takes(tmp_path: Path, model: Model) -> None:
    """Known pixels of other pictures, with the class that people gave them."""
    source, _ = pictures(tmp_path)
    queue = selected(tmp_path, model, source)
    assert len(queue.items) == queue.header.figures["queued"] == 6
    masks = {sample.id: source.mask(sample) for sample in source.samples}
    for item in queue.items:
        shares = [share for _, share in item.alternatives]
        assert shares == sorted(shares, reverse=True)
        assert item.class_id not in [class_id for class_id, _ in item.alternatives]
        assert item.seconds == pytest.approx(2.0 + 0.1 * item.border)
        assert len({example.sample_id for example, _ in item.nearest} - {item.sample_id}) == 2
        assert all((one.x, one.y, one.class_id) == (4, 4, masks[one.sample_id][4, 4]) for one, _ in item.nearest)
    spent = sum(item.seconds for item in queue.items) + 4.0 * len({item.sample_id for item in queue.items})
    assert queue.header.figures["seconds"] == pytest.approx(spent, abs=0.06)
    caps = ACQUISITION | {"max_likeness": 1.0}
    for name, acquisition in (("bare", ACQUISITION), ("looked at", caps)):
        made = selected(tmp_path, model, source, name, examples=0, acquisition=TopRegions(**acquisition))
        assert not any(item.nearest for item in made.items)


def test_what_was_found_serves_other_choices_and_goes_on_after_a_kill(tmp_path: Path, model: Model) -> None:
    """Nothing is looked at again for another acquisition or cost, and the queue is the same bytes as made alone."""
    source, _ = pictures(tmp_path, 4)
    dear, choice = Cost(image=9.0, region=5.0, border=0.3, trust=1.0), RandomRegions(**ACQUISITION)
    first = selected(tmp_path, model, source)
    (survey,) = (tmp_path / "cache").glob("survey-*")
    files = sorted(survey.iterdir())
    assert [path.stem for path in files] == sorted(sample.id for sample in source.samples)
    before = [(path.stat().st_mtime_ns, path.stat().st_ino) for path in files]
    other = selected(tmp_path, model, source, "other", acquisition=choice, cost=dear)
    assert [(path.stat().st_mtime_ns, path.stat().st_ino) for path in files] == before
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:200])
    files[2].write_bytes(b"")
    alone = tmp_path / "alone"
    again = selected(tmp_path, model, source, "again", acquisition=choice, cost=dear)
    fresh = selected(tmp_path, model, source, "fresh", acquisition=choice, cost=dear, cache=str(alone))
    assert other.digest == again.digest == fresh.digest != first.digest
    assert sorted(survey.iterdir()) == files
    for changes in ({"seed": 1}, {"regions": Tiles(side=8)}, {"uncertainty": LabelIssue()}, {"examples": 0}):
        selected(tmp_path, model, source, f"with {changes}", cache=str(alone), **changes)
    assert len(list(alone.glob("survey-*"))) == 5


def test_wrong_labels_come_first_where_labels_are_doubted_and_the_merge_says_so(tmp_path: Path, model: Model) -> None:
    """The rehearsal's way from queue to the next data set; precision far above that of any region."""
    source, truth = pictures(tmp_path)
    acquisition = TopRegions(**ACQUISITION | {"budget": 2})
    queue = selected(tmp_path, model, source, uncertainty=LabelIssue(), acquisition=acquisition)
    assert {(item.sample_id, item.box[1], item.box[0]) for item in queue.items} == {
        (name, *corner) for name, corner in WRONG.items()
    }
    careful = Annotator(one_class=False, missed=0.0, wrong=0.0, shift=0.0, reach=15.0)
    with written(tmp_path / "answer", Kind.REPORT) as out:
        answer.run(queue=queue, truth=truth, out=out, seed=0, annotator=careful, cost=COST)
    answered = Report.open(tmp_path / "answer")
    assert (answered.header.figures["regions"], answered.header.figures["pixels_wrong"]) == (2, 0)
    assert sum(work.seconds for work in read_log(answered.path(LOG))) == answered.header.figures["seconds"]
    rules = Rules(scope="regions", unstated="void", unchanged="confirm")
    with written(tmp_path / "merged") as out:
        merge.run(source=source, corrections=answered, queue=queue, out=out, codec=Png(), rules=rules, strict=True)
    made = Dataset.open(tmp_path / "merged")
    assert made.header.figures["label_precision"] == 1.0
    for name, (y, x) in WRONG.items():
        sample, true = (next(s for s in data.samples if s.id == name) for data in (made, truth))
        window = np.s_[y : y + 16, x : x + 16]
        assert (made.mask(sample)[window] == truth.mask(true)[window]).all()
        assert (made.map(sample, "source")[window] == Origin.HUMAN).all()


def test_more_regions_than_16_bits_can_count_are_told_apart(tmp_path: Path, model: Model) -> None:
    """Those that are queued are numbered anew, and each lies in its map where its box is."""

    def fill(out) -> None:
        image = np.random.default_rng(3).integers(0, 255, (262, 262, 3), np.uint8)
        add_sample(out, "train0", np.zeros((262, 262), np.uint8), image=image)

    source = Dataset.open(sealed(tmp_path / "large", Kind.DATASET, fill, CLASSES))
    acquisition = TopRegions(**ACQUISITION | {"budget": 50, "per_image": 50})
    queue = selected(tmp_path, model, source, regions=Tiles(side=1), acquisition=acquisition, examples=0)
    numbers_hw = queue.map("regions", "train0")
    assert sorted(item.region for item in queue.items) == list(range(1, 51))
    assert all(numbers_hw[item.box[1], item.box[0]] == item.region for item in queue.items)
    assert (numbers_hw > 0).sum() == 50
    none = TopRegions(**ACQUISITION | {"min_pixels": 2})
    empty = selected(tmp_path, model, source, "none", regions=Tiles(side=1), acquisition=none, examples=0)
    assert "none of 68644 regions was queued" in empty.header.issues[0]["reason"]


def test_what_people_have_said_is_what_is_proposed_there(tmp_path: Path, model: Model) -> None:
    """Whatever the model thinks of it: nobody is to undo it by leaving the proposal alone."""
    source, _ = pictures(tmp_path)
    queue = selected(tmp_path, model, source, acquisition=TopRegions(**ACQUISITION | {"budget": 32}))
    shown = {item.sample_id for item in queue.items}
    assert shown >= WRONG.keys()
    for sample in (sample for sample in source.samples if sample.id in shown):
        assert queue.map("proposals", sample.id)[4, 4] == source.mask(sample)[4, 4]


def test_costs_are_learnt_from_a_log(tmp_path: Path, model: Model) -> None:
    """As a file, or as the report of a simulated person; the queue says what it went by."""
    source, _ = pictures(tmp_path)
    path = tmp_path / "queue.csv"
    path.write_text("image,border,taken\n" + "".join(f"{n}.png,0,60\n" for n in range(50)))
    learnt = selected(tmp_path, model, source, log=path).header.figures["cost"]
    assert learnt["region"] > 10
    assert learnt["image"] > 20


def test_nobody_answers_and_the_data_set_stays_as_it_was(tmp_path: Path, model: Model) -> None:
    """All pictures unanswered: no folder of answers, no failure."""
    source, truth = pictures(tmp_path)
    queue = selected(tmp_path, model, source)
    absent = Annotator(one_class=False, missed=1.0, wrong=0.0, shift=0.0, reach=15.0)
    with written(tmp_path / "answer", Kind.REPORT) as out:
        answer.run(queue=queue, truth=truth, out=out, seed=0, annotator=absent, cost=COST)
    answered = Report.open(tmp_path / "answer")
    assert (answered.header.figures["images_unanswered"], answered.path(ANSWERS).exists()) == (
        len({item.sample_id for item in queue.items}), False,
    )  # fmt: skip
    with written(tmp_path / "merged") as out:
        merge.run(source=source, corrections=answered, queue=queue, out=out, codec=Png(), rules=Rules(), strict=True)
    assert [sample.mask for sample in Dataset.open(tmp_path / "merged").samples] == [s.mask for s in source.samples]


def test_a_truth_that_lacks_pictures_is_refused(tmp_path: Path, model: Model) -> None:
    """Naming some of them."""
    source, _ = pictures(tmp_path)
    _, few = pictures(tmp_path / "few", 1)
    queue = selected(tmp_path, model, source)
    careful = Annotator(one_class=True, missed=0.0, wrong=0.0, shift=0.0, reach=15.0)
    with pytest.raises(ArtefactError, match="without truth"), written(tmp_path / "answer", Kind.REPORT) as out:
        answer.run(queue=queue, truth=few, out=out, seed=0, annotator=careful, cost=COST)


def test_a_truth_of_another_size_is_refused(tmp_path: Path, model: Model) -> None:
    """Before anything is answered."""
    source, truth = pictures(tmp_path)

    def fill(out) -> None:
        for sample in truth.samples:
            add_sample(out, sample.id, truth.mask(sample)[:20, :28], supervision=Supervision.EXACT)

    small = Dataset.open(sealed(tmp_path / "small", Kind.DATASET, fill, CLASSES))
    queue = selected(tmp_path, model, source)
    careful = Annotator(one_class=True, missed=0.0, wrong=0.0, shift=0.0, reach=15.0)
    with pytest.raises(ArtefactError, match="size"), written(tmp_path / "answer", Kind.REPORT) as out:
        answer.run(queue=queue, truth=small, out=out, seed=0, annotator=careful, cost=COST)


def test_with_nothing_left_to_ask_the_stage_says_so(tmp_path: Path, model: Model) -> None:
    """Test pictures, exact and finished ones are never asked about."""

    def fill(out) -> None:
        add_sample(out, "test", None, split=Split.TEST)
        add_sample(out, "exact", np.zeros((24, 32), np.uint8), supervision=Supervision.EXACT)

    source = Dataset.open(sealed(tmp_path / "source", Kind.DATASET, fill, CLASSES))
    with pytest.raises(InputError, match="no image is left"):
        selected(tmp_path, model, source)


@pytest.mark.parametrize("changes", [{"examples": -1}, {"temperature": 0.0}])
def test_settings_that_cannot_work_are_refused(tmp_path: Path, model: Model, changes) -> None:
    """By name, before any picture is looked at."""
    source, _ = pictures(tmp_path)
    with pytest.raises(ConfigError, match=next(iter(changes))):
        selected(tmp_path, model, source, **changes)


def test_a_model_that_gives_no_numbers_still_gives_a_queue(tmp_path: Path, model: Model) -> None:
    """Scores that are no numbers count as nothing to doubt; nothing breaks."""
    source, _ = pictures(tmp_path)
    loaded = checkpoint.load(model.path("best.ckpt"))
    for weight in loaded.model.network.segmentation_head.parameters():
        weight.data.fill_(np.nan)

    def fill(out) -> None:
        out.write("best.ckpt", checkpoint.encode(loaded))

    broken = Model.open(sealed(tmp_path / "broken", Kind.MODEL, fill, CLASSES))
    queue = selected(tmp_path, broken, source)
    assert len(queue.items) == 6
    assert {item.score for item in queue.items} == {0.0}
    assert IGNORE not in {item.class_id for item in queue.items}
