"""The whole line, for real: twice with the same digests, and killed at any instant without a trace."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from factory.__main__ import main
from factory.core.artefact import read_header
from factory.core.dataset import Dataset
from factory.core.queue import Queue
from factory.core.sample import Origin

TINY = [
    "render.frames=4", "render.width=64", "render.height=64", "render.samples=1", "render.val_share=0.5",
    "train.steps=3", "train.batch=2", "train.crop=[96,96]", "train.model.encoder=tu-test_efficientnet",
    "train.model.decoder_channels=16", "train_unadapted.steps=2", "train_unadapted.batch=2",
    "train_unadapted.crop=[96,96]", "train_unadapted.model.encoder=tu-test_efficientnet",
    "train_unadapted.model.decoder_channels=16", "calibrate.trials=2", "select.committee.passes=2",
    "select.acquisition.budget=5",
]  # fmt: skip


def factory(*words: str, cwd: Path) -> subprocess.Popen[str]:
    """The command in a process group of its own."""
    command = [sys.executable, "-m", "factory", *words]
    return subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def finished(*words: str, cwd: Path) -> str:
    """Run the command to its end; what it printed."""
    process = factory(*words, cwd=cwd)
    printed, _ = process.communicate(timeout=600)
    assert process.returncode == 0, printed
    return printed


def killed(*words: str, cwd: Path, watched: Path, after_files: int, delay: float) -> int:
    """SIGKILL the command and all its workers a moment after it has written some files."""
    process = factory(*words, cwd=cwd)
    while process.poll() is None and sum(len(files) for *_, files in os.walk(watched)) < after_files:
        time.sleep(0.02)  # os.walk passes over folders that are renamed while it looks
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return process.returncode


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The whole line on the coins photograph, with one worker and with two, in two folders."""
    folders = {}
    for workers in (1, 2):
        folders[str(workers)] = folder = tmp_path_factory.mktemp(f"workers{workers}")
        counts = [
            f"{step}.executor.count={workers}"
            for step in ("ingest", "photograph", "render", "calibrate", "label", "adapt")
        ]
        finished("run", "experiment=coins", *TINY, *counts, cwd=folder)
    return folders


@pytest.mark.blender
def test_the_whole_line_ends_in_equal_digests_whatever_the_number_of_workers(line: dict[str, Path]) -> None:
    """Every step's artefact, header included, is the same bytes."""
    headers = {
        workers: {path.parent.name: path.read_bytes() for path in sorted(folder.glob("outputs/coins/*/artefact.json"))}
        for workers, folder in line.items()
    }
    assert len(headers["1"]) == 12
    assert {step: json.loads(data)["digest"] for step, data in headers["1"].items()} == {
        step: json.loads(data)["digest"] for step, data in headers["2"].items()
    }
    assert headers["1"] == headers["2"]


@pytest.mark.blender
def test_the_same_command_again_makes_nothing(line: dict[str, Path]) -> None:
    """Every step is there already, and says so."""
    counts = [f"{step}.executor.count=1" for step in ("ingest", "photograph", "render", "calibrate", "label", "adapt")]
    printed = finished("run", "experiment=coins", *TINY, *counts, cwd=line["1"])
    assert printed.count("there") >= 12


@pytest.mark.blender
def test_ids_and_splits_never_change_along_the_line(line: dict[str, Path]) -> None:
    """From ingest to label, from render to adapt."""
    root = line["1"] / "outputs/coins"
    for first, second in (("ingest", "label"), ("render", "adapt")):
        before, after = (Dataset.open(root / name).samples for name in (first, second))
        assert [(s.id, s.split, s.group) for s in before] == [(s.id, s.split, s.group) for s in after]


@pytest.mark.blender
def test_the_photographs_outlines_reach_no_stage_but_the_measurement(line: dict[str, Path]) -> None:
    """The data set that holds them is an input of nothing else."""
    root = line["1"] / "outputs/coins"
    truth = read_header(root / "photograph").digest
    readers = [step.name for step in root.iterdir() if truth in read_header(step).identity.inputs.values()]
    assert sorted(readers) == ["evaluate", "evaluate_unadapted"]


def test_a_killed_label_stage_goes_on_and_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed twice at random instants, workers and all; the third run finishes."""
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    rows = ["image,x,y,class"]
    for i in range(24):
        Image.fromarray(rng.integers(0, 255, (90, 120, 3), np.uint8)).save(tmp_path / f"in/{i:02}.png")
        rows += [f"{i:02},{x},{y},{c}" for x, y, c in rng.integers(0, [120, 90, 2], (8, 3))]
    (tmp_path / "points.csv").write_text("\n".join(rows))
    monkeypatch.chdir(tmp_path)
    assert main(["ingest", "inputs.images=in", "inputs.points=points.csv", "classes=[a,b]", "out=ingest"]) == 0
    words = ["label", "inputs.source=ingest", "refiner.iterations=60"]
    assert main([*words, "out=whole"]) == 0
    shots = random.Random(3)  # noqa: S311
    for _ in range(2):
        partial = tmp_path / "again.partial"
        status = killed(*words, "out=again", cwd=tmp_path, watched=partial / "journal",
                        after_files=shots.randrange(1, 12), delay=shots.random() / 10)  # fmt: skip
        assert status == -signal.SIGKILL
        assert not (tmp_path / "again").exists()
    finished(*words, "out=again", cwd=tmp_path)
    assert (tmp_path / "again/artefact.json").read_bytes() == (tmp_path / "whole/artefact.json").read_bytes()
    assert (tmp_path / "again/SHA256SUMS").read_bytes() == (tmp_path / "whole/SHA256SUMS").read_bytes()


@pytest.mark.blender
def test_a_killed_render_stage_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    """Blender workers are killed with it; their finished frames are kept."""
    words = ["render", "frames=6", "width=64", "height=64", "samples=1"]
    finished(*words, "out=whole", "executor.count=1", cwd=tmp_path)
    status = killed(*words, "out=again", cwd=tmp_path, watched=tmp_path / "again.partial/scratch", after_files=9,
                    delay=random.Random(4).random())  # noqa: S311  # fmt: skip
    assert status == -signal.SIGKILL
    finished(*words, "out=again", cwd=tmp_path)
    assert (tmp_path / "again/artefact.json").read_bytes() == (tmp_path / "whole/artefact.json").read_bytes()


@pytest.mark.blender
def test_corrections_of_the_queue_come_back_as_the_next_version(line: dict[str, Path], tmp_path: Path) -> None:
    """A person repaints one region; its pixels become human, the rest stays, and the next round skips them."""
    root = line["1"] / "outputs/coins"
    queue, labelled = Queue.open(root / "select"), Dataset.open(root / "label")
    item = queue.items[0]
    repainted = queue.map("proposals", item.sample_id).copy()
    repainted[queue.map("regions", item.sample_id) == item.region] ^= 1
    (tmp_path / "corrections").mkdir()
    Image.fromarray(repainted).save(tmp_path / f"corrections/{item.sample_id}.png")
    inputs = {"source": root / "label", "corrections": tmp_path / "corrections", "queue": root / "select"}
    words = [f"inputs.{name}={path}" for name, path in inputs.items()]
    assert main(["merge", "codec=png", *words, f"out={tmp_path}/merge"]) == 0
    merged = Dataset.open(tmp_path / "merge")
    assert [sample.id for sample in merged.samples] == [sample.id for sample in labelled.samples]
    for before, after in zip(labelled.samples, merged.samples, strict=True):
        human = merged.map(after, "source") == Origin.HUMAN
        answered = queue.map("regions", item.sample_id) == item.region
        expected = answered if after.id == item.sample_id else np.zeros_like(human)
        np.testing.assert_array_equal(human, expected)
        np.testing.assert_array_equal(merged.mask(after)[~human], labelled.mask(before)[~human])
    words = [f"inputs.model={root}/train", f"inputs.source={tmp_path}/merge", "committee.passes=2"]
    assert main(["select", *words, f"out={tmp_path}/next"]) == 0
    again = Queue.open(tmp_path / "next")
    for other in again.items:
        if other.sample_id == item.sample_id:
            known = merged.map(next(s for s in merged.samples if s.id == item.sample_id), "source") == Origin.HUMAN
            region = again.map("regions", item.sample_id) == other.region
            assert 2 * (region & known).sum() <= region.sum()
