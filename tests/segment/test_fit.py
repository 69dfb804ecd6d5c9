"""The train stage for real: it learns, it is repeatable, and a kill costs nothing but time."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from factory.core.artefact import Kind
from factory.core.classes import IGNORE, ClassList
from factory.core.dataset import Dataset
from factory.core.errors import ArtefactError, ConfigError, InputError, MachineError
from factory.core.sample import Domain, Origin, Split, Supervision
from factory.core.writer import open_writer
from factory.segment import checkpoint, fit
from factory.segment.augment import Augmentation
from factory.segment.losses.cross_entropy import CrossEntropy
from factory.segment.losses.term import Total
from factory.segment.mixing import Mixing
from factory.segment.rare import RareClasses
from factory.segment.recipe import Recipe
from factory.segment.teacher import Teacher
from factory.segment.training import Training
from factory.segment.weighing import PixelWeights
from tests.artefacts import add_sample, identity, written
from tests.segment.training import CLASSES, SETTINGS, bright_squares, history, trained

RECIPE = {field.name: SETTINGS[field.name] for field in fields(Recipe)}

TEACHER = Teacher(loss=Total(terms={"ce": CrossEntropy()}), after=1, threshold=0.5, decay=0.9)
WHOLE_RECIPE = {
    "teacher": TEACHER,
    "ema": 0.9,
    "mixing": Mixing(classmix=0.5),
    "sampling": RareClasses(),
    "accumulate": 2,
}


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    """Twelve pictures."""
    return bright_squares(tmp_path_factory.mktemp("fit") / "squares", 12)


def test_a_training_goes_on_from_a_model_that_learnt_from_renders(squares, tmp_path):
    """One small step from there is far better than one from random weights."""
    renders = bright_squares(tmp_path / "renders", 12, domain=Domain.SYNTHETIC)
    first = trained(tmp_path / "first", synthetic=renders, steps=30, validate_every=30)
    step = {"real": squares, "steps": 1, "validate_every": 1, "encoder_lr": 1e-6, "decoder_lr": 1e-6}
    on, anew = (trained(tmp_path / name, weights=weights, **step) for name, weights in (("on", first), ("anew", None)))
    assert on.figures["val_miou"] > max(0.7, anew.figures["val_miou"] + 0.2)


def test_a_few_steps_find_bright_squares_and_everything_is_written(squares, tmp_path):
    """History, validation by class, best and last, and figures in the header."""
    model = trained(tmp_path / "model", real=squares, steps=30, validate_every=10, save_every=50)
    rows = history(model)
    assert [row["step"] for row in rows] == [10, 20, 30]
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    assert rows[0]["losses"].keys() == {"ce", "dice"}
    assert rows[0]["train_loss"] == pytest.approx(sum(rows[0]["losses"].values()))
    assert rows[0]["val_iou"].keys() == set(CLASSES.names)
    best = json.loads(model.path("validation.json").read_text())
    assert best["miou"] == max(row["val_miou"] for row in rows) == model.figures["val_miou"]
    assert best["miou"] > 0.6
    assert sum(map(sum, best["confusion"])) == 2 * 32 * 32
    assert checkpoint.load(model.path("best.ckpt"), classes=CLASSES).step == best["step"]
    assert checkpoint.load(model.path("last.ckpt")).step == 30 == model.figures["steps"]
    with model.path("history.csv").open() as table:
        assert [float(row["val_iou.coin"]) for row in csv.DictReader(table)] == [row["val_iou"]["coin"] for row in rows]


def test_the_same_call_gives_the_same_bytes_and_another_seed_does_not(squares, tmp_path):
    """No clock, no folder name, no order of workers gets in."""
    one, two, three = (
        trained(tmp_path / name, real=squares, seed=seed, **WHOLE_RECIPE).digest
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert one == two
    assert one != three


def test_rendered_and_real_pictures_are_mixed_and_sizes_may_differ(squares, tmp_path):
    """Without real val rows, the rendered ones are validated on."""
    rendered = bright_squares(tmp_path / "rendered", 8, domain=Domain.SYNTHETIC)
    model = trained(tmp_path / "model", real=squares, synthetic=rendered, size=[48, 64], crop=[32, 32], steps=3)
    assert checkpoint.load(model.path("best.ckpt")).working.size_hw == (48, 64)
    assert checkpoint.load(model.path("best.ckpt")).tile_hw == (32, 32)


def test_a_teacher_learns_from_pictures_without_any_label(squares, tmp_path):
    """Its part of the loss begins when it does; without a teacher the pictures are refused, and so is one too late."""
    with written(tmp_path / "bare") as out:
        out.classes = CLASSES
        for index in range(4):
            add_sample(out, f"bare{index}", None, size_hw=(32, 32))
    bare = Dataset.open(tmp_path / "bare")
    taught = trained(tmp_path / "taught", real=squares, unlabelled=bare, teacher=TEACHER)
    rows = history(taught)
    assert "teacher_ce" in rows[0]["losses"]
    assert all(np.isfinite(row["train_loss"]) for row in rows)
    with pytest.raises(ConfigError, match="pictures for a teacher, but no teacher"):
        trained(tmp_path / "alone", real=squares, unlabelled=bare)
    late = {"unlabelled": bare, "teacher": replace(TEACHER, after=5)}
    with pytest.raises(ConfigError, match=r"(?s)never teaches.*after 5, steps 6"):
        trained(tmp_path / "late", real=squares, **late)
    assert "teacher_ce" in history(trained(tmp_path / "last", real=squares, steps=7, **late))[-1]["losses"]


def test_the_optimiser_does_what_the_recipe_says(squares, tmp_path, monkeypatch):
    """Each step's learning rates of encoder and decoder, the decay of weights, and gradients no longer than allowed."""
    seen, step = [], torch.optim.AdamW.step

    def watched(self, closure=None):
        found = step(self, closure)
        rates, decays = ([group[key] for group in self.param_groups] for key in ("lr", "weight_decay"))
        gradients = [
            weight.grad for group in self.param_groups for weight in group["params"] if weight.grad is not None
        ]
        seen.append((*rates, *decays, torch.nn.utils.get_total_norm(gradients).item()))
        return found

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    numbers = {"encoder_lr": 1e-4, "decoder_lr": 3e-3, "weight_decay": 0.07, "warmup": 2, "clip_norm": 0.05}
    trained(tmp_path / "model", real=squares, steps=4, **numbers)
    factors = [(1 / 3) * 1, (2 / 3) * 0.75**0.9, 0.5**0.9, 0.25**0.9]
    expected = [(1e-4 * factor, 3e-3 * factor, 0.07, 0.07) for factor in factors]
    np.testing.assert_allclose([row[:4] for row in seen], expected, rtol=1e-6)
    assert max(row[4] for row in seen) <= 0.0501


def test_the_running_mean_is_what_is_validated_and_kept(squares, tmp_path):
    """Where it is asked for: other weights than without it, from the very same steps."""
    plain, mean = (trained(tmp_path / name, real=squares, ema=ema) for name, ema in (("plain", 0.0), ("mean", 0.9)))
    assert [row["train_loss"] for row in history(plain)] == [row["train_loss"] for row in history(mean)]
    assert plain.path("last.ckpt").read_bytes() != mean.path("last.ckpt").read_bytes()


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


def test_validation_against_a_labelers_guesses_is_said_to_be_that(squares, tmp_path):
    """They choose the best checkpoint all the same; true masks need no word."""
    guessed = bright_squares(tmp_path / "guessed", 12, supervision=Supervision.PSEUDO)
    model = trained(tmp_path / "model", real=squares, validation=guessed)
    assert [issue["reason"] for issue in model.header.issues] == [
        "2 of 2 masks are made from weaker labels (pseudo): agreement, not accuracy"
    ]
    assert not trained(tmp_path / "true", real=guessed, validation=squares).header.issues


def test_training_ends_when_patience_does(squares, tmp_path):
    """With learning rates of 0 nothing ever gets better than the first validation."""
    still = {"encoder_lr": 0.0, "decoder_lr": 0.0, "weight_decay": 0.0, "validate_every": 1, "ema": 0.99}
    model = trained(tmp_path / "model", real=squares, steps=50, patience=3, **still)
    assert 4 <= model.figures["steps"] < 50
    assert model.figures["best_step"] == model.figures["steps"] - 3


def test_a_batch_worked_through_in_parts_counts_as_one_step(squares, tmp_path):
    """As many steps, and about the same loss: batch norm sees fewer pictures at a time."""
    whole, parts = (trained(tmp_path / f"m{n}", real=squares, accumulate=n) for n in (1, 2))
    assert [row["step"] for row in history(whole)] == [row["step"] for row in history(parts)] == [3, 6]
    assert history(whole)[0]["train_loss"] == pytest.approx(history(parts)[0]["train_loss"], rel=0.3)


def test_event_files_hold_what_history_does(squares, tmp_path):
    """Each figure under its name, for TensorBoard."""
    model = trained(tmp_path / "model", real=squares, tensorboard=str(tmp_path / "events"))
    (folder,) = {path.parent for path in (tmp_path / "events").rglob("events.out*")}
    events = EventAccumulator(str(folder))
    events.Reload()
    assert [(e.step, pytest.approx(e.value)) for e in events.Scalars("val_miou")] == [
        (row["step"], row["val_miou"]) for row in history(model)
    ]
    assert "val_iou/coin" in events.Tags()["scalars"]


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


def test_weights_that_leave_no_pixel_to_learn_from_are_refused(squares, tmp_path):
    """By the origin that all labels are of, or by their confidence of 150; one pixel that counts is enough."""
    exact = bright_squares(tmp_path / "exact", 6, origin=Origin.EXACT)
    for number, weights in enumerate((PixelWeights(exact=0.0), PixelWeights(least=0.6))):
        with pytest.raises(ConfigError, match=r"(?s)leave no pixel to learn from.*pixel_weights.*hint=1"):
            trained(tmp_path / f"m{number}", real=exact, pixel_weights=weights)
    assert trained(tmp_path / "m", real=squares, steps=1, pixel_weights=PixelWeights(exact=0.0)).figures["steps"] == 1


def test_data_sets_of_other_classes_do_not_mix(squares, tmp_path):
    """One clear message with both lists."""
    with written(tmp_path / "other") as out:
        out.classes = ClassList.of(["ground", "paper"])
        add_sample(out, "s", np.eye(32, dtype=np.uint8))
    for name in ("synthetic", "unlabelled"):
        with pytest.raises(ArtefactError, match=r"(?s)do not match.*paper"):
            trained(tmp_path / name, real=squares, teacher=TEACHER, **{name: Dataset.open(tmp_path / "other")})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("batch", 1),
        ("accumulate", 3),
        ("accumulate", 4),
        ("steps", 0),
        ("decoder_lr", -1.0),
        ("precision", "half"),
        ("ema", 1.0),
        ("patience", 0),
        ("clip_norm", 0.0),
        ("clip_norm", -1.0),
        ("size", [8, 8]),
        ("crop", [64]),
        ("cache_gib", -1.0),
        ("cache", ""),
        ("synthetic_share", 2.0),
    ],
)
def test_impossible_numbers_are_refused_by_name(squares, tmp_path, key, value):
    """Before the first step."""
    with pytest.raises(ConfigError, match=key):
        trained(tmp_path / "model", real=squares, **{key: value})


def test_a_precision_that_a_processor_does_not_have_is_refused(squares, tmp_path, monkeypatch):
    """Lightning took another one, and the artefact stated the one that was asked for."""
    monkeypatch.setattr(fit, "best_device", lambda: torch.device("cpu"))
    with pytest.raises(ConfigError, match=r"(?s)processor.*train\.precision.*16-mixed"):
        trained(tmp_path / "model", real=squares, precision="16-mixed")


def test_events_that_cannot_be_written_are_named_by_their_key(squares, tmp_path):
    """The logger hides what the disk said behind a complaint of its own."""
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(MachineError, match=r"(?s)train\.tensorboard.*(FileExists|NotADirectory)Error.*taken"):
        trained(tmp_path / "model", real=squares, tensorboard=str(tmp_path / "taken"))


@pytest.mark.parametrize(("name", "about"), [("real4", {}), ("real2", {"aside": 0.9})], ids=["validation", "aside"])
def test_pictures_that_are_looked_at_late_are_read_before_the_first_step(tmp_path, monkeypatch, name, about):
    """What was learnt until then was lost: a training that began with unusable inputs leaves nothing behind."""
    squares = bright_squares(tmp_path / "squares", 5)
    squares.path(squares.samples[0].image).with_name(f"{name}.png").write_bytes(b"damaged")
    monkeypatch.setattr(Training, "fit", lambda *_, **__: pytest.fail("training began"))
    with pytest.raises(InputError, match=rf"(?s)unreadable picture.*{name}"):
        trained(tmp_path / "model", real=squares, **about)


def test_a_damaged_state_says_what_to_do(squares, tmp_path):
    """Nobody can train again by the same command as long as it lies there."""
    with open_writer(tmp_path / "model", identity("model"), Kind.MODEL) as out:
        (state := out.scratch / "state.pt").write_bytes(checkpoint.dump({"step": 1}))
    with pytest.raises(ArtefactError, match=r"(?s)state is damaged.*state\.pt.*delete .*model\.partial"):
        trained(tmp_path / "model", real=squares)
    assert state.exists(), "it is for its owner to delete"


def test_a_share_of_pictures_that_is_none_sets_no_temperature_and_that_is_said(squares, tmp_path):
    """Of few pictures a small share is none; without validation nothing ends by patience either."""
    model = trained(tmp_path / "model", real=bright_squares(tmp_path / "few", 3), steps=1, aside=0.01, patience=2)
    reasons = {issue["where"]: issue["reason"] for issue in model.header.issues}
    assert reasons["aside"] == "0.01 of 2 pictures is none: no temperature was set"
    assert "patience has nothing to go by" in reasons["validation"]


def test_a_batch_of_points_outside_every_crop_does_no_harm(tmp_path):
    """A step in which nobody vouches for a pixel is a step of loss zero."""
    mask = np.full((64, 64), IGNORE, np.uint8)
    mask[0, 0] = 1
    with written(tmp_path / "data") as out:
        out.classes = CLASSES
        for index in range(4):
            add_sample(out, f"s{index}", mask)
    model = trained(tmp_path / "model", real=Dataset.open(tmp_path / "data"), steps=2, crop=[32, 32])
    assert [row["train_loss"] for row in history(model)] == [0.0]


def test_pictures_of_a_few_pixels_can_be_trained_on(tmp_path):
    """In a frame of the smallest crop: a blur finds no room in less."""
    with written(tmp_path / "data") as out:
        out.classes = CLASSES
        for index, size in enumerate([(1, 1), (3, 5), (1, 40)]):
            add_sample(out, f"picture{index}", np.full(size, index % 2, np.uint8))
    model = trained(
        tmp_path / "model", real=Dataset.open(tmp_path / "data"), steps=1, augmentation=Augmentation(blur=1)
    )
    assert checkpoint.load(model.path("best.ckpt")).tile_hw == (16, 40)


def test_one_class_alone_can_be_trained_and_measured(tmp_path):
    """Nothing to tell apart, and nothing breaks."""
    with written(tmp_path / "data") as out:
        out.classes = ClassList.of(["all"])
        for index in range(4):
            split = Split.VAL if index == 0 else Split.TRAIN
            add_sample(out, f"s{index}", np.zeros((32, 32), np.uint8), split=split, supervision=Supervision.HUMAN)
    model = trained(tmp_path / "model", real=Dataset.open(tmp_path / "data"), steps=2, batch=2)
    assert model.figures["val_miou"] == 1.0


KILLED = """
import sys
from pathlib import Path
from factory.core.dataset import Dataset
from tests.segment.test_fit import ABOUT, trained
print(trained(Path(sys.argv[2]), real=Dataset.open(Path(sys.argv[1])), **ABOUT).digest)
"""
ABOUT = {"steps": 40, "validate_every": 15, "save_every": 2, **WHOLE_RECIPE}


def start(squares: Dataset, target: Path) -> subprocess.Popen:
    """The whole recipe in a process of its own."""
    command = [sys.executable, "-c", KILLED, str(squares.root), str(target)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ), text=True)


def wait_for_state(process: subprocess.Popen, target: Path) -> None:
    """Until the process has saved its state anew, or ended."""
    state = target.with_name(f"{target.name}.partial") / "scratch" / "state.pt"
    before = state.stat().st_mtime_ns if state.exists() else 0
    while process.poll() is None and not (state.exists() and state.stat().st_mtime_ns > before):
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=str)
def test_stopped_at_any_instant_the_same_command_ends_with_the_same_bytes(squares, tmp_path, how):
    """A real process, real signals at different moments of its work: before, between and after saved states."""
    whole = trained(tmp_path / "whole" / "model", real=squares, **ABOUT)
    target = tmp_path / "stopped" / "model"
    for delay in (0.0, 0.15, 0.4):
        process = start(squares, target)
        wait_for_state(process, target)
        time.sleep(delay)
        process.send_signal(how)
        process.communicate()
    assert not target.exists()
    ended = start(squares, target)
    assert whole.digest == ended.communicate()[0].split()[-1]
    assert sorted(path.name for path in target.iterdir()) == sorted(path.name for path in whole.root.iterdir())


def test_each_cycle_but_the_last_leaves_a_snapshot_and_learning_rates_begin_anew(tmp_path: Path) -> None:
    """Members of an ensemble that differ, of one training; a single cycle leaves none."""
    squares = bright_squares(tmp_path / "squares", 8)
    model = trained(tmp_path / "cycles", synthetic=squares, steps=6, cycles=3, validate_every=2)
    snapshots = sorted(path.name for path in model.root.glob("snapshot-*.ckpt"))
    assert snapshots == ["snapshot-1.ckpt", "snapshot-2.ckpt"]
    loaded = [checkpoint.load(model.path(name)) for name in (*snapshots, "last.ckpt")]
    assert [one.step for one in loaded] == [2, 4, 6]
    weights = [next(iter(one.model.encoder_parameters())) for one in loaded]
    assert not torch.equal(weights[0], weights[1])
    rates = [Recipe(**RECIPE | {"steps": 6, "cycles": 3, "power": 1.0}).factor(step) for step in range(6)]
    assert rates == pytest.approx([1.0, 0.5] * 3)
    plain = trained(tmp_path / "plain", synthetic=squares, steps=6)
    assert not list(plain.root.glob("snapshot-*"))


def test_more_cycles_than_steps_are_refused() -> None:
    """By name."""
    with pytest.raises(ConfigError, match="cycles"):
        Recipe(**RECIPE | {"steps": 2, "cycles": 3})
