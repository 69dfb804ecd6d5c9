"""The configuration tree: every file composes, every `_target_` resolves, every key is a parameter."""

import shutil
from pathlib import Path

import pytest
import yaml

from factory.command import compose, tree
from factory.command.bind import bind
from factory.command.perform import steps_of
from factory.command.tuning.words import read
from factory.core.artefact import Identity
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


@pytest.fixture
def meshes(tmp_path: Path) -> Path:
    """A folder of one's own meshes: one triangle."""
    (tmp_path / "assets.csv").write_text("file,class,size_m\na.obj,tool,0.1\n")
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 1\nf 1 2 3\n")
    return tmp_path


@pytest.mark.parametrize(("stage", "group", "choice"), CHOICES)
def test_every_choice_of_every_group_binds(stage: str, group: str, choice: str, meshes: Path) -> None:
    """Chosen from the command line as a user would."""
    required = [f"scene.folder={meshes}"] if choice == "assets" else []
    for config, _ in composed(stage, f"{group}={choice}", *required):
        bind(stage, config)


@pytest.mark.parametrize("group", groups_of(tree.TUNE))
def test_every_part_of_a_search_can_be_chosen(group: str) -> None:
    """Samplers and pruners take every key of theirs."""
    for choice in tree.choices(group):
        asked = read([f"{group}={choice}", "space.decoder_lr=1,2"])
        assert asked.stated[group] == compose.resolved(tree.TUNE, [f"{group}={choice}"])[group]


def test_the_users_folders_count_by_what_is_in_them(meshes: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Another place is the same artefact, another file is not."""
    elsewhere = tmp_path_factory.mktemp("moved") / "meshes"
    shutil.copytree(meshes, elsewhere)

    def identity(folder: Path) -> Identity:
        ((config, _),) = composed("render", "scene=assets", f"scene.folder={folder}")
        return bind("render", config).identity({})

    assert identity(meshes) == identity(elsewhere)
    (elsewhere / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 2\nf 1 2 3\n")
    assert identity(meshes) != identity(elsewhere)


def test_models_that_a_part_asks_count_by_what_they_hold(tmp_path: Path) -> None:
    """In a list as well: a committee's members, teachers."""
    one, other = tmp_path / "one.ckpt", tmp_path / "other.ckpt"
    one.write_bytes(b"weights")
    shutil.copy(one, other)

    def identity(file: Path) -> Identity:
        ((config, _),) = composed("select", "committee=ensemble", f"committee.models=[{file}]")
        return bind("select", config).identity({})

    assert identity(one) == identity(other)
    other.write_bytes(b"others")
    assert identity(one) != identity(other)


@pytest.mark.parametrize("experiment", tree.choices("experiment"))
def test_every_experiment_binds_and_is_wired(experiment: str) -> None:
    """Each input is made by an earlier step, or lies outside the run's folder."""
    for config, _ in composed("run", f"experiment={experiment}"):
        made: set[Path] = set()
        for step in steps_of(config):
            inside = {path for path in step.inputs.values() if path and Path(config["root"]) in path.parents}
            assert inside <= made, step.name
            made.add(step.out)
            assert step.out.parent == Path(config["root"])


def test_no_choice_is_out_of_reach() -> None:
    """Every folder of choices is used by some stage, experiment or the search."""
    used = {group for stage in [*STAGES, tree.TUNE] for group in groups_of(stage)} | {"experiment"}
    files = [path for group in ("scene", "labeler") for path in (tree.ROOT / group).glob("*.yaml")]
    inside = [yaml.safe_load(path.read_text()).get("defaults", []) for path in files]
    used |= {key.strip("/").split("@")[0] for entries in inside for entry in entries for key in entry if key[:1] == "/"}
    assert set(tree.groups()) == used


@pytest.mark.parametrize("path", sorted(tree.ROOT.rglob("*.yaml")), ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_every_file_says_what_it_is(path: Path) -> None:
    """In its first comment line, which --help shows."""
    relative = path.relative_to(tree.ROOT)
    assert tree.first_line(*relative.parts[:-1], relative.stem)
    assert isinstance(yaml.safe_load(path.read_text()), dict)


@pytest.mark.parametrize("stage", [*STAGES, tree.TUNE])
def test_every_key_of_a_stage_has_a_comment(stage: str) -> None:
    """So that --help explains it."""
    said = tree.comments(stage)
    config, _ = compose.compose(stage, [])
    plain = [key for key, value in config.items() if not isinstance(value, dict) and key not in tree.groups()]
    assert [key for key in plain if key not in said and key not in ("_target_", "seed", "out")] == []


@pytest.mark.parametrize("scene", tree.choices("scene"))
def test_every_parameter_of_a_scene_is_explained(scene: str) -> None:
    """In its own file or in those it builds on; of weights, the table's line says it all."""
    said = tree.comments("scene", scene)
    config, _ = compose.compose("render", [f"scene={scene}"])
    silent = [
        f"{key}.{name}"
        for key, value in config["scene"].items()
        if isinstance(value, dict) and "_target_" in value
        for name, child in value.items()
        if name != "_target_" and f"{key}.{name}" not in said and not isinstance(child, dict)
    ]
    silent += [key for key, value in config["scene"].items() if not isinstance(value, dict) and key not in said]
    assert [key for key in silent if key != "_target_"] == []
