"""Rounds for real, on small pictures: rehearsed by a simulated person, and with people who take their time."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from factory.__main__ import main
from factory.core.artefact import read_header
from factory.core.dataset import Dataset
from factory.core.queue import Queue, QueueItem
from factory.core.sample import Origin

EXPERIMENT = """\
# @package _global_
# small pictures of discs
defaults:
  - /supervision: points
  - /ingest@truth
  - override /labeler@label.labeler: seeds
  - override /refiner@label.refiner: argmax
  - override /regions@select.regions: tiles
  - override /committee@select.committee: single
  - override /executor@label.executor: serial
  - override /executor@ingest.executor: serial
  - _self_
name: discs
line: [truth, ingest, label, train]
ingest:
  inputs: {images: pictures, masks: masks}
  classes: [ground, disc]
  supervision: ${supervision}
  val_share: 0.3
truth:
  inputs: ${ingest.inputs}
  classes: ${ingest.classes}
  val_share: ${ingest.val_share}
  seed: ${seed}
  out: ${root}/truth
supervision: {count: 3}
train:
  steps: 2
  batch: 2
  size: [32, 32]
  validate_every: 2
  inputs: {synthetic: null, validation: "${truth.out}", weights: null}
  model: {encoder: tu-test_efficientnet, encoder_weights: null, decoder_channels: 16}
select:
  regions: {side: 16}
  acquisition: {budget: 4}
review:
  inputs: {rendered: null, adapted: null, evaluation: null}
"""


@pytest.fixture
def discs(tmp_path: Path) -> Path:
    """A folder with pictures of a disc each, their masks, and the experiment's file."""
    down, across = np.mgrid[:32, :32]
    for folder in ("pictures", "masks"):
        (tmp_path / folder).mkdir()
    for number in range(8):
        rng = np.random.default_rng(number)
        row, column = rng.integers(8, 24, 2)
        mask_hw = (np.hypot(down - row, across - column) < 7).astype(np.uint8)
        image_hwc = np.where(mask_hw[..., None], 200, 60) + rng.integers(-20, 20, (32, 32, 3))
        Image.fromarray(image_hwc.astype(np.uint8)).save(tmp_path / f"pictures/{number}.png")
        Image.fromarray(mask_hw).save(tmp_path / f"masks/{number}.png")
    (tmp_path / "discs.yaml").write_text(EXPERIMENT)
    return tmp_path


@pytest.fixture
def loop(discs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """The command, in the folder; what it printed."""
    monkeypatch.chdir(discs)

    def run(*words: str, status: int = 0) -> str:
        capfd.readouterr()
        found = main(["loop", "experiment=discs.yaml", *words])
        printed = "".join(capfd.readouterr())
        assert found == status, printed
        return printed

    return run


def digests(folder: Path) -> dict[str, str]:
    """Every artefact's digest, by its place."""
    found = sorted(folder.rglob("artefact.json"))
    return {str(path.parent.relative_to(folder)): read_header(path.parent).digest for path in found}


def test_a_rehearsal_goes_round_and_the_same_command_finds_everything_there(discs: Path, loop) -> None:
    """Each round's answers are human pixels of the next data set; points of a sweep share the first training."""
    words = ["oracle=true", "rounds=2", "acquisition=random,top_regions", "side_by_side=2", "-m"]
    printed = loop(*words, "merge.rules.unstated=ignore")
    assert printed.count("merge.rules.unstated=ignore: of no effect with oracle=true") == 1
    assert "all rounds are done" in printed
    top = discs / "outputs/discs"
    points = json.loads((top / "loop.json").read_text())
    assert [(point["words"], [row["round"] for row in point["rows"]]) for point in points] == [
        ([f"select.acquisition={name}"], [0, 1, 2]) for name in ("random", "top_regions")
    ]
    assert {point["rows"][0]["miou"] for point in points} == {points[0]["rows"][0]["miou"]}
    assert (top / "train/artefact.json").exists()
    last = Dataset.open(top / "round-2/select.acquisition=random/label")
    truth = Dataset.open(top / "truth")
    painted = 0
    for sample, true in zip(last.samples, truth.samples, strict=True):
        human_hw = last.map(sample, "source") == Origin.HUMAN
        assert (last.mask(sample)[human_hw] == truth.mask(true)[human_hw]).all()
        painted += int(human_hw.sum())
    assert painted == points[0]["rows"][2]["pixels"] - points[0]["rows"][0]["pixels"] == 8 * 16 * 16
    before, page = digests(top), (top / "loop.html").read_bytes()
    loop(*words)
    assert (digests(top), (top / "loop.html").read_bytes()) == (before, page)


def test_rounds_end_when_the_budget_is_spent_or_questions_are_no_longer_worth_asking(discs: Path, loop) -> None:
    """And say so."""
    assert "the budget of 5 s is spent" in loop("oracle=true", "rounds=3", "budget=5")
    assert not (discs / "outputs/discs/round-2").exists()
    assert "queue precision fell" in loop("oracle=true", "name=other", "rounds=3", "least_precision=1")
    assert "there is nothing left to ask" in loop(
        "oracle=true", "name=all", "rounds=3", "acquisition.budget=99", "acquisition.per_image=99"
    )


def test_people_take_their_turn_and_a_partial_return_counts(discs: Path, loop) -> None:
    """The command ends where people begin; with what they bring it goes on, also if they answered but one picture, and
    there is nothing to measure on.
    """
    words = ["rounds=1", "codec=png", "ingest.val_share=0", "train.inputs.validation=null"]
    printed = loop(*words)
    assert "round 1 waits for people" in printed
    folder = discs / "outputs/discs/round-1"
    assert (folder / "review/annotate/queue.csv").exists()
    (folder / "correction.zip").write_bytes(b"misnamed")
    assert "(not correction.zip)" in loop(*words)
    asked = Queue.open(folder / "select").items
    answered = answer(folder, "corrections", asked[0])
    assert "all rounds are done" in loop(*words)
    assert painted(folder / "label") == {asked[0].sample_id: answered}
    rows = json.loads((discs / "outputs/discs/loop.json").read_text())[0]["rows"]
    assert [(row["regions"], row["miou"]) for row in rows] == [(0, None), (1, None)]


def test_answers_of_several_people_and_late_ones_are_all_taken_in(discs: Path, loop) -> None:
    """One after the other, each beside the queue that it answers; what names no earlier round is refused."""
    words, first, second = ["rounds=2", "codec=png"], *(discs / f"outputs/discs/round-{number}" for number in (1, 2))
    loop(*words)
    asked = Queue.open(first / "select").items
    one, two, three = (
        {item.sample_id: item for item in asked}[name] for name in sorted({i.sample_id for i in asked})[:3]
    )
    expected = {one.sample_id: answer(first, "corrections-anna", one)}
    expected[two.sample_id] = answer(first, "corrections-ben", two)
    assert "late-1.zip" in loop(*words)
    assert painted(first / "label") == expected
    expected[three.sample_id] = answer(second, "late-1", three)
    assert "round 2 waits for people" in loop(*words)
    own = next(item for item in Queue.open(second / "select").items if item.sample_id not in expected)
    expected[own.sample_id] = answer(second, "corrections", own)
    answer(second, "late-2", own)
    assert "no earlier round" in loop(*words, status=1)
    shutil.rmtree(second / "late-2")
    assert "all rounds are done" in loop(*words)
    assert painted(second / "label") == expected
    rows = json.loads((discs / "outputs/discs/loop.json").read_text())[0]["rows"]
    assert [row["regions"] for row in rows] == [0, 2, 4]
    assert rows[2]["pixels"] - rows[0]["pixels"] == sum(expected.values())


def test_what_comes_after_a_round_went_on_is_told_where_it_belongs(discs: Path, loop) -> None:
    """The next round's questions, which people hold already, stay as they are, and so do the figures."""
    words, first = ["rounds=2", "codec=png"], discs / "outputs/discs/round-1"
    loop(*words)
    asked = Queue.open(first / "select").items
    answer(first, "corrections", asked[0])
    assert "round 2 waits for people" in loop(*words)
    before, figures = digests(discs / "outputs"), json.loads((discs / "outputs/discs/loop.json").read_text())
    answer(first, "corrections-late", asked[1])
    printed = loop(*words, status=1)
    assert "round 1 has gone on already" in printed
    assert "late-1.zip" in printed
    assert digests(discs / "outputs") == before
    after = json.loads((discs / "outputs/discs/loop.json").read_text())
    assert after[0]["rows"] == figures[0]["rows"]


def test_a_return_that_was_mended_or_taken_away_leaves_no_trace(discs: Path, loop) -> None:
    """Until a round goes on, what lies there is what counts; a half-written download is no answer."""
    first = discs / "outputs/discs/round-1"
    loop("rounds=2")
    asked = Queue.open(first / "select").items
    expected = {asked[0].sample_id: answer(first, "corrections-ben", asked[0])}
    (first / "corrections.zip.part").write_bytes(b"half")
    (first / "corrections-carl").mkdir()
    Image.new("L", (5, 5)).save(first / f"corrections-carl/{asked[1].sample_id}.png")
    assert "none of the corrections can be used" in loop("rounds=2", status=1)
    shutil.rmtree(first / "corrections-carl")
    expected[asked[1].sample_id] = answer(first, "corrections-anna", asked[1])
    printed = loop("rounds=2")
    assert "not taken for answers or times: corrections.zip.part" in printed
    assert "round 2 waits for people" in printed
    assert painted(first / "label") == expected
    assert "round 2 waits for people" in loop("rounds=2")


def test_a_return_in_which_nothing_counts_is_told_and_the_round_still_waits(discs: Path, loop) -> None:
    """What came back as proposed; the reasons stand in the merge's issues."""
    first = discs / "outputs/discs/round-1"
    loop("rounds=1")
    shutil.copy(first / "review/annotate/annotations.xml", first / "corrections.xml")
    printed = loop("rounds=1", status=1)
    assert "exactly as proposed" in printed
    assert "nothing of what came back counts" in printed
    assert not (first / "train").exists()
    (first / "corrections.xml").unlink()
    answer(first, "corrections", Queue.open(first / "select").items[0])
    assert "all rounds are done" in loop("rounds=1")


def test_the_same_answers_twice_count_once_and_each_return_is_of_its_own_kind(discs: Path, loop) -> None:
    """A folder of PNGs beside CVAT's XML; what was proposed and not touched is no word against a person's."""
    first = discs / "outputs/discs/round-1"
    loop("rounds=1")
    asked = Queue.open(first / "select").items
    pixels = answer(first, "corrections-anna", asked[0])
    answer(first, "corrections-ben", asked[0])
    shutil.copy(first / "review/annotate/annotations.xml", first / "corrections-carl.xml")
    assert "all rounds are done" in loop("rounds=1", "merge.rules.unchanged=confirm")
    rows = json.loads((discs / "outputs/discs/loop.json").read_text())[0]["rows"]
    proposed = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (item.box for item in asked))
    assert rows[1]["pixels"] - rows[0]["pixels"] == proposed
    assert pixels < proposed
    assert rows[1]["regions"] == len(asked)
    assert rows[1]["seconds"] == pytest.approx(Queue.open(first / "select").figures["seconds"], abs=0.06)


def test_the_next_queue_learns_from_the_times_people_note(discs: Path, loop) -> None:
    """And their seconds count, where without them the estimate for what came back does."""
    words, first = ["rounds=2", "codec=png"], discs / "outputs/discs/round-1"
    loop(*words)
    asked = Queue.open(first / "select")
    answer(first, "corrections", asked.items[0])
    loop(*words)
    rows = json.loads((discs / "outputs/discs/loop.json").read_text())[0]["rows"]
    assert rows[1]["seconds"] == pytest.approx(asked.header.figures["seconds"] / len(asked.items), abs=0.06)
    shutil.rmtree(discs / "outputs/discs/round-2")
    table = (first / "review/annotate/queue.csv").read_text().splitlines()
    place = table[0].split(",").index("taken")
    noted = [row.split(",") for row in table]
    noted[1][place] = "90"
    (first / "times-anna.csv").write_text("\n".join(",".join(row) for row in noted))
    loop(*words)
    rows = json.loads((discs / "outputs/discs/loop.json").read_text())[0]["rows"]
    assert rows[1]["seconds"] == 90
    answer(first, "corrections-ben", asked.items[1])
    for made in (*first.glob("merge*"), first / "label", first / "train"):
        shutil.rmtree(made)
    shutil.rmtree(discs / "outputs/discs/round-2")
    loop(*words)
    rows = json.loads((discs / "outputs/discs/loop.json").read_text())[0]["rows"]
    assert rows[1]["seconds"] == pytest.approx(90 + asked.header.figures["seconds"] / len(asked.items), abs=0.06)
    costs = [Queue.open(folder / "select").header.figures["cost"] for folder in (first, first.with_name("round-2"))]
    assert costs[1]["image"] > costs[0]["image"]
    (first / "times-ben.csv").write_text((first / "times-anna.csv").read_text())
    assert "round 2 waits for people" in loop(*words)


def test_a_point_that_the_system_refuses_does_not_stop_the_others(discs: Path, loop) -> None:
    """It is told, and the sweep's table has the rest, wherever its steps lie."""
    blocked = discs / "outputs/discs/round-1/select.acquisition=random"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where a folder has to go")
    words = ["oracle=true", "rounds=1", "ingest.out=elsewhere/ingest", "acquisition=random,top_regions", "-m"]
    printed = loop(*words, status=1)
    assert "the system refused" in printed
    points = json.loads((discs / "outputs/discs/loop.json").read_text())
    assert [(point["failed"], len(point["rows"])) for point in points] == [(True, 1), (False, 2)]


def answer(folder: Path, name: str, item: QueueItem) -> int:
    """A person says by a PNG that all of a region is disc; how many pixels that is."""
    (folder / name).mkdir()
    answer_hw = np.full((32, 32), 255, np.uint8)
    x0, y0, x1, y1 = item.box
    answer_hw[y0:y1, x0:x1] = 1
    Image.fromarray(answer_hw).save(folder / name / f"{item.sample_id}.png")
    return (x1 - x0) * (y1 - y0)


def painted(folder: Path) -> dict[str, int]:
    """Pixels of people in a data set, by image."""
    made = Dataset.open(folder)
    human = {sample.id: int((made.map(sample, "source") == Origin.HUMAN).sum()) for sample in made.samples}
    return {name: count for name, count in human.items() if count}
