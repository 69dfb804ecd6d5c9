"""The train stage for real: it learns, it is repeatable, and a kill costs nothing but time."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from factory.core.artefact import Kind, Model
from factory.core.classes import IGNORE, ClassList
from factory.core.dataset import Dataset
from factory.core.errors import ArtefactError, ConfigError, TrainingError
from factory.core.sample import Domain, Split, Supervision
from factory.segment import checkpoint
from factory.segment.augment import Augmentation
from factory.segment.losses import CrossEntropy, Dice, Mixture
from factory.segment.models import SegmenterSpec
from factory.stages import train
from tests.artefacts import add_sample, written

CLASSES = ClassList.of(["ground", "coin"])
SPEC = SegmenterSpec(architecture="unet", encoder="tu-mobilenetv3_small_050", decoder_channels=16, decoder_dropout=0.0)
SETTINGS = {
    "size": None,
    "crop": None,
    "synthetic_share": 0.5,
    "min_confidence": 0.0,
    "cache_gib": 1.0,
    "steps": 6,
    "batch": 4,
    "validate_every": 3,
    "save_every": 1,
    "encoder_lr": 3e-3,
    "decoder_lr": 3e-3,
    "weight_decay": 0.01,
    "power": 0.9,
    "warmup": 0,
    "clip_norm": None,
    "precision": "32-true",
}


def bright_squares(target: Path, count: int, *, domain: Domain = Domain.REAL) -> Dataset:
    """Pictures with a bright square each, every fourth for validation, one for testing."""
    rng = np.random.default_rng(0)
    with written(target) as out:
        out.classes = CLASSES
        for index in range(count):
            top, left = rng.integers(0, 16, 2)
            mask = np.zeros((32, 32), np.uint8)
            mask[top : top + 16, left : left + 16] = 1
            split = Split.TEST if index == 0 else Split.VAL if index % 4 == 0 else Split.TRAIN
            sample = add_sample(
                out, f"{domain}{index}", mask, split=split, domain=domain, supervision=Supervision.EXACT
            )
            noise = rng.integers(0, 60, (32, 32, 3))
            out.write_image(sample.id, (60 + 130 * mask[..., None] + noise).astype(np.uint8))
    return Dataset.open(target)


def trained(target: Path, **changes) -> Model:
    """The stage run to its end and sealed."""
    inputs = {"real": None, "synthetic": None, "validation": None, "weights": None}
    parts = {"model": SPEC, "loss": Mixture(terms=[CrossEntropy(), Dice()], weights=[1.0, 1.0])}
    call = SETTINGS | inputs | parts | {"augmentation": Augmentation(rotate=5.0), "seed": 0} | changes
    with written(target, Kind.MODEL) as out:
        train.run(out=out, **call)
    return Model.open(target)


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    """Twelve pictures."""
    return bright_squares(tmp_path_factory.mktemp("fit") / "squares", 12)


def test_a_few_steps_find_bright_squares_and_everything_is_written(squares, tmp_path):
    """History, validation by class, best and last, and figures in the header."""
    model = trained(tmp_path / "model", real=squares, steps=30, validate_every=10, save_every=50)
    history = json.loads(model.path("history.json").read_text())
    assert [row["step"] for row in history] == [10, 20, 30]
    assert set(history[0]) == {"step", "train_loss", "val_miou", "val_pixel_accuracy", "val_f1", "val_iou", "lr"}
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    best = json.loads(model.path("validation.json").read_text())
    assert best["miou"] == max(row["val_miou"] for row in history) == model.figures["val_miou"]
    assert best["miou"] > 0.6
    assert sum(map(sum, best["confusion"])) == 2 * 32 * 32
    assert checkpoint.load(model.path("best.ckpt"), classes=CLASSES).step == best["step"]
    assert checkpoint.load(model.path("last.ckpt")).step == 30 == model.figures["steps"]


def test_the_same_call_gives_the_same_bytes_and_another_seed_does_not(squares, tmp_path):
    """No clock, no folder name, no order of workers gets in."""
    one, two, three = (
        trained(tmp_path / name, real=squares, seed=seed).digest for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert one == two
    assert one != three


def test_rendered_and_real_pictures_are_mixed_and_sizes_may_differ(squares, tmp_path):
    """Without real val rows, the rendered ones are validated on."""
    rendered = bright_squares(tmp_path / "rendered", 8, domain=Domain.SYNTHETIC)
    model = trained(tmp_path / "model", real=squares, synthetic=rendered, size=[48, 64], crop=[32, 32], steps=3)
    assert checkpoint.load(model.path("best.ckpt")).size_hw == (48, 64)
    assert checkpoint.load(model.path("best.ckpt")).tile_hw == (32, 32)


def test_without_validation_the_last_weights_stand_for_the_best_and_the_artefact_says_so(tmp_path):
    """No figure is made up."""
    with written(tmp_path / "data") as out:
        out.classes = CLASSES
        for index in range(4):
            add_sample(out, f"s{index}", np.eye(32, dtype=np.uint8))
    model = trained(tmp_path / "model", real=Dataset.open(tmp_path / "data"), steps=2)
    assert model.path("best.ckpt").read_bytes() == model.path("last.ckpt").read_bytes()
    assert model.figures["val_miou"] is None
    assert "no val rows" in model.header.issues[0]["reason"]


def test_a_loss_that_is_no_number_stops_and_names_the_pictures(squares, tmp_path):
    """Whatever made it so."""
    with pytest.raises(TrainingError, match=r"(?s)no longer a number.*step \d+, samples real\d+"):
        trained(tmp_path / "model", real=squares, encoder_lr=1e30, decoder_lr=1e30, steps=20)


def test_nothing_to_train_on_is_said_before_anything_is_built(squares, tmp_path):
    """No data set, or one without masks in its train split."""
    with pytest.raises(ArtefactError, match="nothing to train on"):
        trained(tmp_path / "none")
    with written(tmp_path / "bare") as out:
        out.classes = CLASSES
        add_sample(out, "tested", np.eye(32, dtype=np.uint8), split=Split.TEST)
        add_sample(out, "bare", None)
    with pytest.raises(ArtefactError, match=r"(?s)nothing to train on.*bare"):
        trained(tmp_path / "empty", real=Dataset.open(tmp_path / "bare"), validation=squares)


def test_data_sets_of_other_classes_do_not_mix(squares, tmp_path):
    """One clear message with both lists."""
    with written(tmp_path / "other") as out:
        out.classes = ClassList.of(["ground", "paper"])
        add_sample(out, "s", np.eye(32, dtype=np.uint8))
    with pytest.raises(ArtefactError, match=r"(?s)do not match.*paper"):
        trained(tmp_path / "model", real=squares, synthetic=Dataset.open(tmp_path / "other"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("batch", 1),
        ("steps", 0),
        ("decoder_lr", -1.0),
        ("precision", "half"),
        ("size", [8, 8]),
        ("crop", [64]),
        ("min_confidence", 1.5),
    ],
)
def test_impossible_numbers_are_refused_by_name(squares, tmp_path, key, value):
    """Before the first step."""
    with pytest.raises(ConfigError, match=key):
        trained(tmp_path / "model", real=squares, **{key: value})


def test_a_batch_of_points_outside_every_crop_does_no_harm(tmp_path):
    """A step in which nobody vouches for a pixel is a step of loss zero."""
    with written(tmp_path / "data") as out:
        out.classes = CLASSES
        for index in range(4):
            add_sample(out, f"s{index}", np.full((32, 32), IGNORE, np.uint8))
    model = trained(tmp_path / "model", real=Dataset.open(tmp_path / "data"), steps=2)
    assert [row["train_loss"] for row in json.loads(model.path("history.json").read_text())] == [0.0]


KILLED = """
import sys
from pathlib import Path
from factory.core.dataset import Dataset
from tests.segment.test_fit import trained
print(trained(Path(sys.argv[2]), real=Dataset.open(Path(sys.argv[1])), steps=12, validate_every=5, save_every=2).digest)
"""


@pytest.mark.slow
def test_killed_at_any_instant_the_same_command_ends_with_the_same_bytes(squares, tmp_path):
    """A real process, real SIGKILLs at different moments of its work: before, between and after saved states."""
    whole = trained(tmp_path / "whole" / "model", real=squares, steps=12, validate_every=5, save_every=2).digest
    target = tmp_path / "killed" / "model"
    command = [sys.executable, "-c", KILLED, str(squares.root), str(target)]
    state = target.with_name("model.partial") / "scratch" / "state.pt"
    for delay in (0.0, 0.15, 0.4):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ))
        before = state.stat().st_mtime_ns if state.exists() else 0
        while process.poll() is None and not (state.exists() and state.stat().st_mtime_ns > before):
            time.sleep(0.01)
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    assert not target.exists()
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert whole == ended.stdout.split()[-1]
    assert sorted(path.name for path in target.iterdir()) == sorted(
        ["SHA256SUMS", "artefact.json", "best.ckpt", "history.json", "last.ckpt", "validation.json"]
    )
