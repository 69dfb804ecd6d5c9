"""``factory tune`` for real: small trainings, resumed, shared, given up; what it finds can be used."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from factory.__main__ import main
from factory.command import compose
from factory.command.tuning import best
from factory.command.tuning.plan import Plan, plan
from factory.command.tuning.words import read
from factory.core.artefact import Model, Report
from factory.tune.space import Choices, Numbers
from tests import artefacts
from tests.segment.training import bright_squares

TINY = [
    "model=unet", "model.encoder=tu-test_efficientnet", "model.decoder_channels=16", "augmentation=none", "steps=4",
    "validate_every=2", "save_every=1", "batch=4", "warmup=0", "precision=32-true", "encoder_lr=0.003",
]  # fmt: skip
SPACE = ["space.decoder_lr=log:1e-4:1e-1", "space.loss=ce,ce_dice"]


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight learnable pictures."""
    return bright_squares(tmp_path_factory.mktemp("tune") / "squares", 8).root


@pytest.fixture
def words(squares: Path, tmp_path: Path) -> list[str]:
    """A search of two keys of training."""
    return [
        "tune",
        f"inputs.real={squares}",
        *TINY,
        *SPACE,
        f"cache={tmp_path}/cache",
        "sampler.startup=2",
        f"out={tmp_path}/tune",
    ]


def history(folder: Path) -> list[dict[str, object]]:
    """The trials of a study."""
    found: list[dict[str, object]] = json.loads((folder / "history.json").read_text())
    return found


def planned(*given: str) -> Plan:
    """What a search of these words would do."""
    return plan(read(list(given)))


def test_a_search_ends_in_a_table_and_an_experiment_that_makes_the_best_again(words, tmp_path, capfd) -> None:
    """Byte for byte; only the best trial's artefact is kept.

    The same command has nothing left to do; one of other settings is refused, naming them.
    """
    assert main([*words, "trials=3"]) == 0
    printed = capfd.readouterr()
    assert "what is" not in printed.err
    assert all(word in printed.out for word in ("Trials", "val_miou", "decoder_lr", "done", "use it: factory train"))
    folder = tmp_path / "tune"
    values = [trial["value"] for trial in history(folder)]
    (kept,) = (folder / "trials").iterdir()
    assert kept.name == str(values.index(max(values)))
    assert main(["train", f"experiment={folder}/best.yaml", f"out={tmp_path}/again"]) == 0
    assert Model.open(tmp_path / "again").header == Model.open(kept / "train").header
    said = (folder / "best.yaml").read_text().splitlines()[1]
    assert said == f"# tuned: train.val_miou {max(values):.4g}, the best of 3 trials (trial {kept.name}, seed 0)"
    before = (folder / "study.journal").read_bytes()
    assert main([*words, "trials=3"]) == 0
    capfd.readouterr()
    assert main([*words, "trials=3", "weight_decay=0.5"]) == 1
    assert "config.steps.train.weight_decay: 0.01 there, 0.5 asked" in capfd.readouterr().err
    assert (folder / "study.journal").read_bytes() == before


def test_a_trial_that_falls_behind_is_given_up_and_leaves_nothing(words, tmp_path, capfd) -> None:
    """Without learning, the median of the trials before it is out of reach."""
    words = [word for word in words if not word.startswith("space.")]
    space = ["space.decoder_lr=0.02,1e-12,0.021,0.022", "encoder_lr=1e-12", "sampler=random", "pruner.startup=1"]
    assert main([*words[:-2], words[-1], *space, "trials=4"]) == 0
    trials = history(tmp_path / "tune")
    given_up = [trial for trial in trials if trial["state"] == "given up"]
    assert given_up
    assert all(len(trial["reports"]) < 4 for trial in given_up)
    assert len(list((tmp_path / "tune" / "trials").iterdir())) == 1


def test_a_training_that_fails_is_noted_and_the_search_goes_on(words, tmp_path, capfd) -> None:
    """With the reason in the table; three failures first stop it."""
    words = [word for word in words if not word.startswith(("space.", "sampler", "out="))]
    bad, good = "encoder_lr=1e30", "encoder_lr=0.003"
    mixed = ["space.decoder_lr=1e30,1e31,0.003,0.002", "sampler=random", "trials=4", f"out={tmp_path}/mixed"]
    assert main([*words, good, *mixed]) == 0
    states = [trial["state"] for trial in history(tmp_path / "mixed")]
    assert set(states) == {"done", "failed"}
    assert "the loss is no longer a number" in capfd.readouterr().out
    hopeless = ["space.decoder_lr=1e30,1e31,1e32", f"out={tmp_path}/bad"]
    assert main([*words, bad, *hopeless]) == 1
    printed = capfd.readouterr().err
    assert "the first 3 trials all failed" in printed
    assert "no longer a number" in printed


def test_trainings_that_nothing_judges_are_refused_before_the_first(words, tmp_path, capfd) -> None:
    """Not after it, which may take hours."""
    bare = artefacts.dataset(tmp_path / "bare", {"a": np.zeros((8, 8), np.uint8)}).root
    assert main([word if "real=" not in word else f"inputs.real={bare}" for word in words]) == 1
    assert "nothing to judge trials by: no val rows" in capfd.readouterr().err
    assert not (tmp_path / "tune").exists()


@pytest.fixture
def line(tmp_path: Path) -> list[str]:
    """The coins' line as far as a search of training needs it, without Blender."""
    stages = "line=[ingest,photograph,label,train,evaluate,select]"
    tiny = [f"train.{word}" for word in TINY if not word.startswith("augmentation")]
    sizes = [
        "train.crop=[128,128]",
        "train.inputs.synthetic=null",
        "ingest.val_share=0.2",
        "evaluate.pictures=1",
        "calibration=null",
        f"root={tmp_path}/root",
    ]
    executors = [f"{step}.executor=serial" for step in ("ingest", "photograph", "label")] + ["label.refiner=argmax"]
    return [
        "stage=run",
        "experiment=coins",
        stages,
        *tiny,
        *sizes,
        *executors,
        f"root={tmp_path}/root",
        f"out={tmp_path}/tune",
    ]


def test_trainings_whose_evaluation_has_no_masks_are_refused_before_the_first(line, tmp_path, capfd) -> None:
    """At once where the data set lies there, else as soon as it is made."""
    bare = artefacts.dataset(tmp_path / "bare", {"a": np.zeros((8, 8), np.uint8)}).root
    assert main(["tune", "stage=evaluate", f"source={bare}", f"model={bare}", "space.batch=1,2", *line[-1:]]) == 1
    assert "no test rows with masks to measure against" in capfd.readouterr().err
    assert not (tmp_path / "tune").exists()
    assert main(["tune", *line, "space.label.min_confidence=0.2,0.4", "photograph.inputs.masks=null"]) == 1
    assert "no test rows with masks to measure against" in capfd.readouterr().err
    assert not list((tmp_path / "tune" / "trials").iterdir())


def test_a_search_of_a_line_makes_shared_steps_once_and_leaves_out_what_nobody_judges(line, tmp_path) -> None:
    """And what it found runs as a line of its own, with the same figure."""
    assert main(["tune", *line, "space.train.loss=ce,ce_dice", "trials=2", "keep=all"]) == 0
    assert sorted(path.name for path in (tmp_path / "root").iterdir()) == ["ingest", "label", "photograph"]
    for number in "01":
        trial = tmp_path / "tune" / "trials" / number
        assert sorted(path.name for path in trial.iterdir()) == ["evaluate", "train"]
    values = [trial["value"] for trial in history(tmp_path / "tune")]
    assert main(["run", f"experiment={tmp_path}/tune/best.yaml", f"root={tmp_path}/again"]) == 0
    assert Report.open(tmp_path / "again" / "evaluate").figures["miou"] == max(values)


def test_a_space_reaches_what_reads_its_steps_and_judges_the_last_of_them(line) -> None:
    """Keys of an early step move every later one; the objective may be another step's."""
    late = planned(*line, "space.train.decoder_lr=log:1e-4:1e-1")
    early = planned(*line, "space.label.min_confidence=float:0:0.9")
    other = planned(*line, "space.label.min_confidence=float:0:0.9", "objective=train.val_miou")
    assert (late.needed, sorted(late.own)) == (
        ["ingest", "photograph", "label", "train", "evaluate"],
        ["evaluate", "train"],
    )
    assert (early.judged, sorted(early.own)) == ("evaluate", ["evaluate", "label", "train"])
    assert (other.needed, other.figure, other.listened) == (["ingest", "label", "train"], "val_miou", "train")


def test_a_found_experiment_can_be_searched_further(tmp_path) -> None:
    """Its choices give way to those of the search; what the new one finds stands by itself."""
    coarse = tmp_path / "coarse.yaml"
    coarse.write_text(
        "# @package _global_\n# coarse\ndefaults:\n- /experiment/coins\n- override /loss@train.loss: ce\n- _self_\n"
        "train:\n  decoder_lr: 0.5\n  weight_decay: 0.25\n"
    )
    words = {"train.loss": "ce_dice", "train.decoder_lr": "0.002"}
    fine = yaml.safe_load(best.experiment("run", [f"experiment={coarse}"], words, said="fine"))
    assert fine["defaults"] == ["/experiment/coins", {"override /loss@train.loss": "ce_dice"}, "_self_"]
    assert fine["train"] == {"decoder_lr": 0.002, "weight_decay": 0.25}


def test_an_experiment_says_what_the_words_said(tmp_path: Path) -> None:
    """Numbers to the last bit, lists, null, classes that no file lists; places are left out."""
    fixed = ["quota.coin.images=40", "inputs.lacking=null", "scene.trees.count=[1,2]", "out=here", "seed=3"]
    found = {"scene": "street", "audit_share": "1e-05", "samples": "16", "device": "auto"}
    text = best.experiment("render", fixed, found, said="found")
    (tmp_path / "best.yaml").write_text(text)
    assert "here" not in text
    asked = compose.resolved("render", [*fixed[:-2], "seed=3", *(f"{key}={word}" for key, word in found.items())])
    assert compose.resolved("render", [f"experiment={tmp_path}/best.yaml"]) == asked


@pytest.mark.parametrize("teacher", ["ema", "null"])
def test_an_experiment_keeps_choices_of_several_and_of_nothing(teacher: str, tmp_path: Path) -> None:
    """Terms of a loss, a teacher or none."""
    found = {"loss": "[ce,dice]", "teacher": teacher}
    (tmp_path / "best.yaml").write_text(best.experiment("train", [], found, said="found"))
    asked = compose.resolved("train", [f"{key}={word}" for key, word in found.items()])
    assert compose.resolved("train", [f"experiment={tmp_path}/best.yaml"]) == asked
    assert set(asked["loss"]) == {"ce", "dice"}


def test_a_space_can_come_from_a_file(tmp_path: Path) -> None:
    """Nested or dotted, with lists; a word on the command line goes before it."""
    path = tmp_path / "space.yaml"
    path.write_text(
        "decoder_lr: log:1e-4:1e-2\nmodel:\n  decoder_dropout: float:0:0.6\nloss: [ce, ce_dice]\n"
        "size: [null, [60, 80]]\n"
    )
    asked = read([f"space={path}", "space.model.decoder_dropout=float:0:0.5:0.1", "trials=7"])
    assert asked.space == {
        "decoder_lr": Numbers(low=1e-4, high=1e-2, log=True),
        "model.decoder_dropout": Numbers(low=0, high=0.5, step=0.1),
        "loss": Choices(words=("ce", "ce_dice")),
        "size": Choices(words=("null", "[60,80]")),
    }
    assert asked.trials == 7


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing may vary"),
        (["stage=trian", "space.a=1,2"], "unknown stage"),
        (["trails=3", "space.decoder_lr=1,2"], "did you mean trials?"),
        (["space.decodr_lr=log:1e-4:1"], "did you mean decoder_lr"),
        (["space.loss=ce,cee"], "within space.loss"),
        (["space.loss=ce,ce_dice", "space.loss.balance=float:0:1"], "loss.balance"),
        (["space.model.decoder_dropout=float:0:1"], "within space.model.decoder_dropout"),
        (["space.batch=float:2:8"], "expected: int"),
        (["space.decoder_lr=log:0:1"], "space.decoder_lr"),
        (["space.decoder_lr=lgo:1:2"], "neither a range nor choices"),
        (["space.decoder_lr=1"], "neither a range nor choices"),
        (["space.decoder_lr=[1"], "neither a range nor choices"),
        (["space.decoder_lr=1,1"], "two or more different"),
        (["space.decoder_lr=1,2", "decoder_lr=3"], "both given and to vary"),
        (["space.out=a,b"], "this cannot vary"),
        (["spacer=1", "space.decoder_lr=1,2"], "did you mean space?"),
        (["space:decoder_lr=1,2"], "space"),
        (["space=gone.yaml"], "unreadable space file"),
        (["space.decoder_lr=1,2", "~warmup"], "cannot remove keys"),
        (["space.decoder_lr=1,2", "trials=0"], "trials are 1 or more"),
        (["space.decoder_lr=1,2", "trials=many"], "expected: int"),
        (["space.decoder_lr=1,2", "keep=some"], "unknown keep"),
        (["space.decoder_lr=1,2", "direction=up"], "unknown direction"),
        (["space.decoder_lr=1,2", "direction=minimize"], "add pruner=none"),
        (["space.decoder_lr=1,2", "sampler=cmaes"], "gp, random, tpe"),
        (["space.decoder_lr=1,2", "sampler.startup=0"], "sampler.startup is too small"),
        (["space.decoder_lr=1,2", "pruner=hyperband", "pruner.reduction=1"], "pruner.reduction is too small"),
        (["space.decoder_lr=1,2", "inputs.real=gone"], "missing input"),
        (["space.decoder_lr=1,2", "-m"], "a search is no sweep"),
        (["space.decoder_lr=1,2", "sampler=null"], "a search needs a sampler"),
        (["space.decoder_lr=1,2", "pruner=null"], "a search needs a pruner"),
        (["space.decoder_lr=1,2", "pruner.startup=few"], "where:    pruner.startup"),
        (["space.decoder_lr=1,2", "pruner=hyperband", "pruner.least=nan"], "not finite"),
        (["space.decoder_lr=1,2", "out="], "a path is empty"),
        (["space.decoder_lr=1,2", "trials=1,2"], "space.<key>=a,b lets a key of the stage vary"),
        (["space.decoder_lr=1,2", "loss=ce,ce_dice"], "space.<key>=a,b lets a key of the stage vary"),
        (["space.=1,2"], "not a word of the space"),
        (["space.decoder_lr=1,2", "objective=val_mioo"], "did you mean val_miou?"),
        (["space.decoder_lr=1,2", "objective="], "no such figure"),
        (["stage=run", "space.train.steps=1,2", "objective=evaluate.mio"], "did you mean miou?"),
        (["stage=label", "source=gone", "space.min_confidence=0.1,0.2", "objective=label."], "no such figure"),
        (["stage=label", "inputs.source=gone", "space.min_confidence=float:0:1"], "give objective=<step>.<figure>"),
        (
            ["stage=run", "space.select.committee.passes=1,2", "objective=evaluate.miou"],
            "changes nothing that evaluate.miou",
        ),
        (["stage=run", "space.train.steps=1,2", "objective=evalute.miou"], "no such step"),
        (["stage=run", "space.select.committee.passes=1,2"], "reaches no step that measures"),
        (["stage=run", "space.name=a,b"], "this cannot vary"),
        (["space.decoder_lr=1,2", "devices=2"], "each training of a search has one device"),
        (["space.cache_gib=1,2"], "changes no step"),
        (["stage=run", "experiment=gone", "space.train.steps=1,2"], "gone"),
    ],
)
def test_a_mistake_ends_in_one_message_before_anything_is_made(words, said, tmp_path, monkeypatch, capfd) -> None:
    """Every key is tried at its ends, every choice once."""
    monkeypatch.chdir(tmp_path)
    assert main(["tune", *words]) == 1
    printed = capfd.readouterr().err
    assert printed.count("error: ") == 1
    assert said in printed
    assert "Traceback" not in printed
    assert list(tmp_path.iterdir()) == []


def test_the_processes_of_one_job_are_told_how_to_share(monkeypatch, capfd) -> None:
    """As torchrun or SLURM would start them."""
    monkeypatch.setenv("RANK", "1")
    assert main(["tune", *SPACE]) == 1
    assert "start the same command several times" in capfd.readouterr().err


def test_help_lists_the_keys_and_the_forms_of_a_space(capfd) -> None:
    """And an example to copy."""
    assert main(["tune", *SPACE, "sampler=gp", "steps=3", "--help"]) == 0
    page = capfd.readouterr().out
    assert "before the process proposes" in page
    assert all(word in page for word in ("trials=20", "gp, random, tpe", "logint:lo:hi", "space.decoder_lr=log:"))
    assert main(["--help"]) == 0
    assert "search the settings of a stage" in capfd.readouterr().out


def command(words: list[str]) -> subprocess.Popen[str]:
    """The same in a process of its own."""
    line = [sys.executable, "-m", "factory", *words]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_killed_in_training_the_same_command_ends_as_if_nothing_had_happened(words, tmp_path) -> None:
    """SIGKILL after a saved state of three trials in turn: the same parameters, the training goes on, the same best."""
    words = [*words[:-1], "steps=8", "trials=4"]
    assert main([*words, f"out={tmp_path}/whole"]) == 0
    killed = tmp_path / "killed"
    for number in range(3):
        process = command([*words, f"out={killed}"])
        state = killed / "trials" / str(number) / "train.partial" / "scratch" / "state.pt"
        while process.poll() is None and not state.exists():
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert state.exists()
    _, errors = command([*words, f"out={killed}"]).communicate(timeout=200)
    assert "error" not in errors
    for name in ("history.json", "best.yaml"):
        assert (killed / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    best = [next((tmp_path / name / "trials").iterdir()) / "train" for name in ("whole", "killed")]
    assert Model.open(best[0]).header == Model.open(best[1]).header


@pytest.mark.slow
def test_the_same_command_twice_shares_the_study(line, tmp_path) -> None:
    """Started together on a line nothing of which is made: shared steps once, trials counted in total."""
    words = ["tune", *line, "space.train.decoder_lr=log:1e-4:1e-1", "trials=4"]
    outputs = [process.communicate(timeout=200) for process in [command(words), command(words)]]
    assert all("error" not in errors for _, errors in outputs)
    assert [trial["state"] for trial in history(tmp_path / "tune")] == ["done"] * 4
    assert all(errors.count(": done") for _, errors in outputs)
    assert sum(errors.count(": done") for _, errors in outputs) == 4
    assert len({trial["settings"]["train.decoder_lr"] for trial in history(tmp_path / "tune")}) == 4
