"""From words on the command line to plain configurations, by Hydra: composition, group choices and sweeps."""

from __future__ import annotations

import importlib.util
import itertools
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import initialize_config_module
from hydra._internal.hydra import Hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser, create_functions
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig, OmegaConf

from factory.command import experiment_files, tree
from factory.command.advice import clear_errors
from factory.core import seeds
from factory.core.errors import ConfigError

QUIET = [
    "hydra.run.dir=.",
    "hydra.sweep.subdir=.",
    "hydra.output_subdir=null",
    "hydra/job_logging=disabled",
    "hydra/hydra_logging=disabled",
]
"""Hydra leaves no files of its own: artefacts carry their configuration themselves."""

LOOP_GROUPS = {"annotator": "answer", "codec": "merge", "rules": "merge"}
LOOP_GROUPS |= dict.fromkeys(("acquisition", "committee", "regions", "uncertainty"), "select")
"""Groups that a loop's words may name without their step."""

FUNCTIONS = frozenset(create_functions().definitions)
"""What Hydra calls by ``name(…)`` in a value."""

UNQUOTED = re.compile(r"[A-Za-z0-9_ \t/+.$%*@?|:-]*")
"""Text that Hydra takes without quotes."""

HOME = re.compile(r"^\s*~(?=/|$)")
"""The user's own folder, at the beginning of a path."""

Job = Callable[[dict[str, Any], list[str]], None]


def run(stage: str, words: list[str], *, sweep: bool, job: Job, failed: Callable[[Exception], None]) -> None:
    """Compose the stage's configuration and call ``job(config, swept)`` once, or once for each point of a sweep.

    ``swept`` are the overrides of this point among those that the sweep varies, such as ``label.refiner=argmax``. What
    a job raises goes to ``failed``, and the sweep goes on.
    """
    with _hydra(stage, words) as (hydra, overrides), tempfile.TemporaryDirectory() as sweep_folder:
        varied = _varied_keys(overrides) if sweep else set()

        def task(config: DictConfig) -> None:
            mine: list[str] = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)  # type: ignore[assignment]
            swept = [_short(word) for word in mine if word.split("=", 1)[0].lstrip("+") in varied]
            try:
                with clear_errors(stage):
                    plain = _plain(config)
                job(plain, swept)
            except Exception as error:
                failed(error)

        start = hydra.multirun if sweep else hydra.run
        words = [*overrides, *QUIET, f"hydra.sweep.dir={sweep_folder}"]
        start(config_name=stage, task_function=task, overrides=words, with_log_configuration=False)


def resolved(stage: str, words: list[str]) -> dict[str, Any]:
    """The stage's one configuration with every value in its place."""
    found: list[dict[str, Any]] = []
    errors: list[Exception] = []
    run(stage, words, sweep=False, job=lambda config, _: found.append(config), failed=errors.append)
    for error in errors:
        raise error
    return found[0]


def compose(stage: str, words: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The stage's configuration, nothing run and interpolations as written; and the choice made in each group."""
    with _hydra(stage, words) as (hydra, overrides):
        config = hydra.compose_config(config_name=stage, overrides=overrides, run_mode=RunMode.RUN)
        plain: dict[str, Any] = OmegaConf.to_container(config, resolve=False)  # type: ignore[assignment]
        choices = plain.pop("hydra")["runtime"]["choices"]
        return plain, choices


def in_hydras_words(stage: str, words: list[str]) -> list[str]:
    """The same words without the factory's short forms."""
    opened = [name_input(stage, open_table(word)) for word in words]
    if stage == tree.LOOP:
        opened = [name_step(word) for word in opened]
    chosen = [choose_group(stage, word) for word in opened]
    return [quote_text(choose_nothing(word)) for word in chosen]


def open_table(word: str) -> str:
    """Keys that no file lists, in Hydra's own words: ``quota.crack.images=40``, ``space.refiner.iterations=int:1:10``.

    So are a labeler's ``names.<class>``; ``quota.from=…`` is an input.
    """
    if re.match(r"([\w.]+\.)?labeler\.names\.[^=]+=", word):
        return f"++{word}"
    if re.match(r"(\w+\.)?space\.", word):
        step, _, rest = word.partition("space.")
        return f"++{step}space.{rest}"
    step, found, rest = word.partition("quota.")
    if not found or (step and not re.fullmatch(r"\w+\.", step)):
        return word
    return f"{step}inputs.lacking{rest[4:]}" if rest.startswith("from=") else f"++{step}quota.{rest}"


def name_input(stage: str, word: str) -> str:
    """``images=photos`` is ``inputs.images=photos`` where no key or group of the stage has that name."""
    return f"inputs.{word}" if word.partition("=")[0] in tree.short_inputs(stage) else word


def name_step(word: str) -> str:
    """``acquisition=random`` is ``select.acquisition=random`` in a loop: groups of the steps that only a loop needs."""
    group = re.split(r"[.=]", word, maxsplit=1)[0]
    return f"{LOOP_GROUPS[group]}.{word}" if group in LOOP_GROUPS else word


def choose_group(stage: str, word: str) -> str:
    """``label.refiner=argmax`` chooses from the group `refiner` for the step `label`: in Hydra's own words.

    So do words of deeper places, such as ``labeler.members.across.labeler.tta=flip`` or ``labeler.method=layercam`` (of
    the group `cam`), where they name choices.
    """
    key, equals, value = word.partition("=")
    place, dot, name = key.rpartition(".")
    _check_single(key, name, value)
    group = tree.group_at(name)
    is_input = place.rpartition(".")[2] == "inputs"
    if not (equals and dot and group) or is_input or "@" in place or value.startswith("{"):
        return word
    of_a_step = stage in tree.LINES and "." not in place and group == name
    is_choice = of_a_step or set(value.split(",")) <= set(tree.choices(group))
    return f"{group}@{key}={value}" if is_choice else word


def _check_single(key: str, group: str, value: str) -> None:
    """`ConfigError` for a number, and for several choices where only one can be, which Hydra would mix."""
    if key in tree.groups() and value and value.lower() not in ("true", "false") and _is_word_of_yaml(value):
        raise ConfigError("a choice is a name", where=key, got=value, expected=", ".join(tree.choices(key)))
    if value.startswith("[") and tree.is_single(group):
        named = [name.strip() for name in value.strip("[]").split(",")]
        if len(named) > 1 and set(named) <= set(tree.choices(group)):
            todo = f"choose one, as {key}={named[0]}; -m {key}={','.join(named)} makes each in turn"
            raise ConfigError("only one can be chosen", where=key, got=value, todo=todo)


def choose_nothing(word: str) -> str:
    """``peer=null`` chooses nothing from the group `peer`: in Hydra's own words, which know no choice of null."""
    key, _, value = word.partition("=")
    return f"~{key}" if value == "null" and key.partition("@")[0] in tree.groups() else word


def quote_text(word: str) -> str:
    """``source=outputs/seed=1/für Anna's (2)`` with quotes around the value: paths and names are called so, and Hydra
    wants such characters quoted; so does it a path that is a number.

    Each of several values by itself. What is quoted, escaped, a mapping or an experiment's file stays as it is.
    """
    key, equals, value = word.partition("=")
    if "\\" in value or experiment_files.path_in(word):
        return word
    is_path = re.search(r"(^|\.)(out|inputs\.\w+)$", key) is not None
    return key + equals + _quoted(value, is_path=is_path)


def _quoted(text: str, *, is_path: bool = False) -> str:
    return ",".join(_quoted_one(one, is_path=is_path) for one in _between_commas(text))


def _quoted_one(text: str, *, is_path: bool) -> str:
    text = HOME.sub(lambda _: str(Path("~").expanduser()), text)  # which shells leave as it is behind some keys
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]"):
        return f"[{_quoted(bare[1:-1])}]"
    if (call := re.fullmatch(r"(\w+)\((.*)\)", bare)) and call[1] in FUNCTIONS:
        given = [one if re.match(r"\s*\w+=", one) else _quoted(one) for one in _between_commas(call[2])]
        return f"{call[1]}({','.join(given)})"
    if bare.startswith(("'", '"', "{")) or "${" in bare:
        return text
    if UNQUOTED.fullmatch(bare) and not (is_path and _is_word_of_yaml(bare)):
        return text
    return "'" + bare.replace("'", r"\'") + "'"


def _between_commas(text: str) -> list[str]:
    """The parts between commas; those within brackets or quotes part nothing."""
    hidden = re.sub(r"""((?:^|[\[({,:=])\s*)('[^']*'|"[^"]*")""", lambda found: found[1] + "_" * len(found[2]), text)
    found = 1
    while found:
        hidden, found = re.subn(r"\[[^][(){}]*]|\([^][(){}]*\)|{[^][(){}]*}", lambda one: "_" * len(one[0]), hidden)
    places = [-1, *(place for place, char in enumerate(hidden) if char == ","), len(text)]
    return [text[before + 1 : after] for before, after in itertools.pairwise(places)]


def _is_word_of_yaml(text: str) -> bool:
    """Whether Hydra would read a number, or yes or no, where a name is meant."""
    if text.lower() in ("true", "false"):
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True


def _varied_keys(overrides: list[str]) -> set[str]:
    parsed = OverridesParser.create().parse_overrides(overrides)
    return {override.get_key_element().lstrip("+") for override in parsed if override.is_sweep_override()}


def _short(word: str) -> str:
    """Group choices as the user wrote them: ``refiner@label.refiner=argmax`` is ``label.refiner=argmax``."""
    key, _, value = word.partition("=")
    return f"{key.rpartition('@')[2].lstrip('+')}={value}"


def _check_line(config: DictConfig) -> None:
    """`ConfigError` for no step at all, or for no name that every place of a line begins with."""
    if not isinstance(config.line, ListConfig) or not config.line:
        expected = "one step or more, as line=[ingest,label]"
        raise ConfigError("the line is a list of steps", where="line", got=repr(config.line), expected=expected)
    for key in ("root", "name"):
        if config[key] is None or isinstance(config[key], ListConfig | DictConfig) or not str(config[key]).strip():
            todo = "give a name; a variable of the shell may be empty"
            raise ConfigError("nothing says where the line's artefacts go", where=key, got=repr(config[key]), todo=todo)


def _plain(config: DictConfig) -> dict[str, Any]:
    if "line" in config:
        _check_line(config)
    idle = {key for key in tree.stages() if "line" in config and key not in config.line}
    missing = sorted(key for key in OmegaConf.missing_keys(config) if key.split(".")[0] not in idle)
    if missing:
        raise ConfigError(
            "a required key has no value", where=", ".join(missing), todo=f"give {missing[0]}=… on the command line"
        )
    return dict(OmegaConf.to_container(config, resolve=True))  # type: ignore[arg-type]


@contextmanager
def _hydra(stage: str, words: list[str]) -> Iterator[tuple[Hydra, list[str]]]:
    """Hydra on the configuration tree, and the words as it wants them; what is raised inside is made clear."""
    OmegaConf.register_new_resolver("package_file", package_file, replace=True)
    OmegaConf.register_new_resolver("derived_seed", seeds.derive, replace=True)
    with (
        experiment_files.reachable(stage, in_hydras_words(stage, words)) as overrides,
        initialize_config_module("conf", job_name="factory", version_base="1.3"),
        clear_errors(stage),
    ):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        yield hydra, overrides


def package_file(package: str, relative: str) -> str:
    """Resolver ``${package_file:skimage,data/coins.png}``: a data file that an installed package carries."""
    found = importlib.util.find_spec(package)
    folders = list(found.submodule_search_locations or ()) if found else []
    paths = [Path(folder) / relative for folder in folders]
    for path in paths:
        if path.exists():
            return str(path)
    raise ConfigError("no such file in the package", where=package, got=relative, todo="check the experiment's file")
