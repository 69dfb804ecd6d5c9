"""What is there already: found by its header alone, and only if all that decides it is as it was."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from factory import __main__ as command
from factory.command import tree
from factory.command.already import beginning, step_there
from factory.command.bind import bind
from factory.core.artefact import SUMS, Kind
from factory.core.writer import open_writer
from tests.command.composing import composed

Config = dict[str, Any]


def sealed(config: Config, out: Path, stage: str, content: bytes = b"") -> Config:
    """The configuration, and at its place an artefact that says it was made by it: of its inputs as they lie there."""
    config = config | {"out": str(out)}
    step = bind(stage, config)
    with open_writer(out, step.identity(step.open_inputs()), Kind.REPORT) as writer:
        writer.write("content", content)
        writer.seal()
    return config


def configured(stage: str, *words: str, **inputs: str) -> Config:
    """A stage's configuration with these inputs alone."""
    ((config, _),) = composed(stage, *words)
    return config | {"inputs": dict.fromkeys(config["inputs"]) | inputs}


@pytest.mark.parametrize("stage", tree.stages())
def test_every_stages_artefact_is_found_again_and_no_other(stage: str, tmp_path: Path) -> None:
    """Of another seed, setting or place; workers and the leave to replace decide nothing."""
    config = sealed(configured(stage), tmp_path / "out", stage)
    outcome = step_there(stage, config)
    assert outcome is not None
    assert (outcome.step, outcome.out, outcome.skipped) == (stage, tmp_path / "out", True)
    assert outcome.header.identity == bind(stage, config).identity({})
    assert step_there(stage, config | {"executor": None, "overwrite": True}) is not None
    assert step_there(stage, config | {"seed": config["seed"] + 1}) is None
    assert step_there(stage, config | {"more": 1}) is None
    assert step_there(stage, config | {"out": str(tmp_path / "elsewhere")}) is None


def test_a_parts_folder_counts_by_what_is_in_it(tmp_path: Path) -> None:
    """Wherever it lies; what was added, changed or taken away makes another artefact."""
    meshes = tmp_path / "meshes"
    meshes.mkdir()
    (meshes / "assets.csv").write_text("file,class,size_m\na.obj,tool,0.1\n")
    (meshes / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 1\nf 1 2 3\n")
    config = sealed(configured("render", "scene=assets", f"scene.folder={meshes}"), tmp_path / "out", "render")
    shutil.copytree(meshes, tmp_path / "moved")
    elsewhere = config | {"scene": config["scene"] | {"folder": str(tmp_path / "moved")}}
    assert step_there("render", elsewhere) is not None
    (meshes / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 2\nf 1 2 3\n")
    assert step_there("render", config) is None
    assert step_there("render", elsewhere) is not None


def test_an_input_counts_by_what_is_in_it(tmp_path: Path) -> None:
    """A user's folder, another artefact; what was changed after sealing or is gone is not vouched for."""
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    (photographs / "a.png").write_bytes(b"one")
    first = sealed(configured("predict", images=str(photographs)), tmp_path / "first", "predict", b"some")
    assert step_there("predict", first) is not None
    (photographs / "a.png").write_bytes(b"two")
    assert step_there("predict", first) is None
    second = sealed(configured("merge", corrections=str(tmp_path / "first")), tmp_path / "second", "merge")
    assert step_there("merge", second) is not None
    shutil.rmtree(tmp_path / "first")
    sealed(first, tmp_path / "first", "predict", b"others")
    assert step_there("merge", second) is None
    shutil.rmtree(photographs)
    assert step_there("predict", first) is None


def test_an_artefact_that_was_touched_is_left_to_those_who_say_so(tmp_path: Path) -> None:
    """As an input, or in its own place."""
    ((config, _),) = composed("label")
    folder = tmp_path / "source"
    made = sealed(configured("ingest"), folder, "ingest")
    reading = config | {
        "inputs": dict.fromkeys(config["inputs"]) | {"source": str(folder)},
        "out": str(tmp_path / "out"),
    }
    assert step_there("ingest", made) is not None
    (folder / SUMS).write_text("other\n")
    assert step_there("label", reading) is None
    (folder / "artefact.json").write_text("{}")
    assert step_there("ingest", made) is None


def test_a_line_is_there_up_to_the_first_step_that_is_not(tmp_path: Path) -> None:
    """What comes after that one is not looked at: it may be of another."""
    steps = {name: sealed(configured("ingest"), tmp_path / name, "ingest") for name in ("a", "b", "c")}
    line = {"line": ["a", "b", "c"], **steps}
    assert [outcome.step for outcome in beginning(line)] == ["a", "b", "c"]
    shutil.rmtree(tmp_path / "b")
    assert [outcome.step for outcome in beginning(line)] == ["a"]


def test_the_same_command_again_binds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    """So that no library of the stage's is loaded to find that it has nothing to do."""
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    (photographs / "a.png").write_bytes((Path(__file__).parents[2] / "docs/coins.png").read_bytes())
    words = [
        "ingest",
        f"images={photographs}",
        "classes=[a,b]",
        "size=[32,24]",
        "executor=serial",
        f"out={tmp_path}/out",
    ]
    assert command.main(words) == 0
    monkeypatch.setattr(command, "steps_of", None)
    assert command.main(words) == 0
    assert "there" in capfd.readouterr().out
