"""The configuration tree: every file composes, every `_target_` resolves, every key is a parameter."""

from pathlib import Path

import pytest
import yaml

from factory.command import compose, tree
from factory.command.bind import bind
from factory.command.perform import steps_of
from tests.command.composing import composed

STAGES = tree.stages()


def groups_of(stage: str) -> list[str]:
    """The groups a stage chooses from."""
    config, _ = compose.compose(stage, [])
    return [group for group in tree.groups() if group in config]


CHOICES = [(stage, group, choice) for stage in STAGES for group in groups_of(stage) for choice in tree.choices(group)]


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_binds_with_its_defaults(stage: str) -> None:
    """Its function takes every key, its parts take every key of theirs."""
    for config, _ in composed(stage):
        assert bind(stage, config).stage == stage


@pytest.mark.parametrize(("stage", "group", "choice"), CHOICES)
def test_every_choice_of_every_group_binds(stage: str, group: str, choice: str) -> None:
    """Chosen from the command line as a user would."""
    for config, _ in composed(stage, f"{group}={choice}"):
        bind(stage, config)


@pytest.mark.parametrize("experiment", tree.choices("experiment"))
def test_every_experiment_binds_and_is_wired(experiment: str) -> None:
    """Each input is made by an earlier step, or lies outside the run's folder."""
    for config, _ in composed("run", f"experiment={experiment}"):
        made: set[Path] = set()
        for step in steps_of("run", config):
            inside = {path for path in step.inputs.values() if path and Path(config["root"]) in path.parents}
            assert inside <= made, step.name
            made.add(step.out)
            assert step.out.parent == Path(config["root"])


def test_no_choice_is_out_of_reach() -> None:
    """Every folder of choices is used by some stage or experiment."""
    used = {group for stage in STAGES for group in groups_of(stage)} | {"experiment"}
    inside = [yaml.safe_load(path.read_text()).get("defaults", []) for path in (tree.ROOT / "scene").glob("*.yaml")]
    used |= {key.strip("/").split("@")[0] for entries in inside for entry in entries for key in entry if key[:1] == "/"}
    assert set(tree.groups()) == used


@pytest.mark.parametrize("path", sorted(tree.ROOT.rglob("*.yaml")), ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_every_file_says_what_it_is(path: Path) -> None:
    """In its first comment line, which --help shows."""
    relative = path.relative_to(tree.ROOT)
    assert tree.first_line(*relative.parts[:-1], relative.stem)
    assert isinstance(yaml.safe_load(path.read_text()), dict)


@pytest.mark.parametrize("stage", STAGES)
def test_every_key_of_a_stage_has_a_comment(stage: str) -> None:
    """So that --help explains it."""
    said = tree.comments(stage)
    config, _ = compose.compose(stage, [])
    plain = [key for key, value in config.items() if not isinstance(value, dict) and key not in tree.groups()]
    assert [key for key in plain if key not in said and key not in ("_target_", "seed", "out")] == []
