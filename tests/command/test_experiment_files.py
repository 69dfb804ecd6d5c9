"""An experiment of one's own: ``experiment=<file.yaml>``, for a line and for a stage."""

from pathlib import Path

import pytest

from factory.__main__ import main
from factory.command import compose
from tests.command.composing import composed

STAGE = "# my label settings\ndefaults:\n  - override /refiner: argmax\nmin_confidence: 0.9\n"
LINE = "# @package _global_\n# my line\ndefaults:\n  - /experiment/coins\n  - override /refiner@label.refiner: argmax\n"


@pytest.fixture
def stage_file(tmp_path: Path) -> Path:
    """Settings of one stage, without Hydra's header, in a folder with a space in its name."""
    path = tmp_path / "my files" / "sure labels.yaml"
    path.parent.mkdir()
    path.write_text(STAGE)
    return path


def test_a_stage_takes_a_file_and_the_command_line_goes_before_it(stage_file: Path) -> None:
    """Choices of groups as well as values."""
    ((config, _),) = composed("label", f"experiment={stage_file}")
    assert (config["refiner"]["_target_"], config["min_confidence"]) == ("factory.refine.argmax.Argmax", 0.9)
    ((config, _),) = composed("label", f"experiment={stage_file}", "min_confidence=0.2", "refiner=dense_crf")
    assert (config["refiner"]["_target_"], config["min_confidence"]) == ("factory.refine.dense_crf.DenseCrf", 0.2)


def test_a_line_takes_a_file_that_builds_on_an_experiment_of_ours(tmp_path: Path) -> None:
    """It may be called as ours is."""
    (tmp_path / "coins.yaml").write_text(LINE + "name: mine\n")
    ((config, _),) = composed("run", f"experiment={tmp_path}/coins.yaml")
    assert config["label"]["refiner"]["_target_"] == "factory.refine.argmax.Argmax"
    assert "train_unadapted" in config["line"]
    assert config["root"] == "outputs/mine"


def test_files_can_be_swept_beside_ours(tmp_path: Path) -> None:
    """Also two of one name."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "line.yaml").write_text(f"{LINE}name: {name}\n")
    jobs = composed("run", f"experiment=coins,{tmp_path}/a/line.yaml,{tmp_path}/b/line.yaml", sweep=True)
    assert [config["name"] for config, _ in jobs] == ["coins", "a", "b"]


def test_an_experiment_sets_what_a_loop_alone_has(tmp_path: Path) -> None:
    """Its rounds, who answers, what answers mean and when to stop; the command line goes before it."""
    text = "defaults:\n  - /experiment/camvid\n  - override /annotator@answer.annotator: clumsy\n  - _self_\n"
    text += (
        "rounds: 2\nbudget: 90\noracle: true\nanswer: {annotator: {wrong: 0.3}}\nmerge: {rules: {unchanged: image}}\n"
    )
    (tmp_path / "loop.yaml").write_text(text)
    ((config, _),) = composed("loop", f"experiment={tmp_path}/loop.yaml", "budget=60")
    assert (config["rounds"], config["budget"], config["oracle"]) == (2, 60, True)
    annotator = config["answer"]["annotator"]
    assert (annotator["wrong"], annotator["missed"]) == (0.3, 0.05)
    assert config["merge"]["rules"]["unchanged"] == "image"
    assert config["merge"]["inputs"]["source"] == config["select"]["inputs"]["source"]


def test_help_of_a_line_shows_what_a_file_sets(stage_file: Path) -> None:
    """Composing without running takes files too."""
    config, chosen = compose.compose("label", [f"experiment={stage_file}"])
    assert (config["min_confidence"], chosen["refiner"]) == (0.9, "argmax")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "unreadable experiment file"),
        (None, "mein.yaml?"),
        ("a: [", "unreadable experiment file"),
        ("", "an empty experiment file"),
        ("- a\n", "an empty experiment file"),
        ("min_confidense: 1\n", "did you mean min_confidence?"),
        ("defaults:\n  - override /refiner: argmix\n", "did you mean argmax"),
    ],
)
def test_a_mistake_in_a_file_is_one_message(text: str | None, said: str, tmp_path: Path, capfd) -> None:
    """And nothing is made."""
    path = tmp_path / "mine.yaml"
    (tmp_path / "mein.yaml").touch()
    if text is not None:
        path.write_text(text)
    assert main(["label", f"experiment={path}", "inputs.source=gone", f"out={tmp_path}/out"]) == 1
    printed = capfd.readouterr().err
    assert printed.count("error: ") == 1
    assert said in printed
    assert not (tmp_path / "out").exists()
