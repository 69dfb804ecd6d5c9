"""The words behind ``factory tune``: its own keys, what may vary, and what is passed on to the stage."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf

from factory.command import compose, tree, yaml_files
from factory.command.advice import SEVERAL
from factory.command.bind import check_value, make_part, new_place
from factory.core.errors import ConfigError, FactoryError
from factory.tune.pruners import Never, Pruner
from factory.tune.samplers import Sampler
from factory.tune.space import FORMS, Choices, Dimension, numbers

PLACES = ("out", "root", "name", "overwrite")
"""Keys that say where artefacts go: every trial has a place of its own."""
STEPS = ("line", "experiment")
"""Keys that say which steps there are: the same for every trial."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """All that the command line asks of a search. ``fixed`` are the stage's own words, the same for every trial."""

    stage: str
    space: dict[str, Dimension]
    fixed: list[str]
    objective: str | None
    direction: str
    trials: int
    sampler: Sampler
    pruner: Pruner
    stated: dict[str, Any]
    keep: str
    seed: int
    out: Path


def read(words: list[str]) -> Asked:
    """Take the words apart; `ConfigError` or `InputError` for what cannot be meant."""
    own, space, fixed = sort(words)
    with _no_sweep():
        config = compose.resolved(tree.TUNE, own)
        _check(config)
        _check_fixed(config["stage"], fixed)
    sampler, pruner = (make_part(key, config[key]) for key in ("sampler", "pruner"))
    _check_pruner(pruner, config["direction"])
    found = _space(space)
    given = {word.partition("=")[0].lstrip("+") for word in fixed}
    if twice := sorted(given & found.keys()):
        raise ConfigError("both given and to vary", where=", ".join(twice), todo="leave out one of the two")
    return Asked(
        stage=config["stage"],
        space=found,
        fixed=fixed,
        objective=config["objective"],
        direction=config["direction"],
        trials=config["trials"],
        sampler=sampler,
        pruner=pruner,
        stated={key: config[key] for key in ("sampler", "pruner", "direction")},
        keep=config["keep"],
        seed=config["seed"],
        out=new_place("out", config["out"]),
    )


@contextmanager
def _no_sweep() -> Iterator[None]:
    """Where one key has several values, say how it varies here: a search is no sweep."""
    try:
        yield
    except ConfigError as error:
        if error.what == SEVERAL:
            error.todo = "space.<key>=a,b lets a key of the stage vary; brackets make a list of them: key=[a,b]"
        raise


def sort(words: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Tune's own words, those of the space, and the stage's. The seed is everybody's."""
    mine = {*compose.compose(tree.TUNE, [])[0], "hydra"} - {"space"}
    own, space, fixed = [], [], []
    for word in words:
        head = word.partition("=")[0].partition(".")[0]
        if head == "space":
            space.append(word)
        elif head in mine:
            own.append(word)
        else:
            fixed.append(word)
        if head == "seed":
            fixed.append(word)
    if removed := [word for word in fixed if word.startswith("~")]:
        raise ConfigError("a search cannot remove keys", got=" ".join(removed), todo="give them a value instead")
    return own, space, fixed


def _check(config: dict[str, Any]) -> None:
    known = [*tree.stages(), tree.LINE]
    if config["stage"] not in known:
        raise ConfigError("unknown stage", where="stage", got=config["stage"], expected=", ".join(known))
    for key in ("sampler", "pruner"):
        if not isinstance(config.get(key), dict):
            expected = ", ".join(tree.choices(key))
            raise ConfigError(f"a search needs a {key}", where=key, got=repr(config.get(key)), expected=expected)
    kinds = {"trials": int, "seed": int, "out": str, "objective": str | None, "sampler": Sampler, "pruner": Pruner}
    for key, kind in kinds.items():
        check_value(key, config[key], kind)
    if config["trials"] < 1 or config["seed"] < 0:
        raise ConfigError(
            "trials are 1 or more, a seed 0 or more", got=f"trials {config['trials']}, seed {config['seed']}"
        )


def _check_fixed(stage: str, fixed: list[str]) -> None:
    """The stage knows the words that are left for it; what it does not know may be a slip in one of tune's own."""
    try:
        compose.compose(stage, fixed)
    except ConfigError as error:
        own = list(tree.comments(tree.TUNE))
        heads = (word.partition("=")[0].partition(".")[0] for word in fixed)
        close = {
            near: head for head in heads for near in difflib.get_close_matches(head, own, 1, 0.7) if head not in own
        }
        if close and any(f"'{head}'" in str(error.got) for head in close.values()):
            error.todo = f"did you mean {' or '.join(close)}? factory tune --help lists its keys"
        raise


def _check_pruner(pruner: Pruner, direction: str) -> None:
    if direction == "minimize" and not isinstance(pruner, Never):
        what = "pruners judge by the validation mIoU, of which more is better"
        raise ConfigError(what, where="direction", got=direction, todo="add pruner=none")


def _space(words: list[str]) -> dict[str, Dimension]:
    written: dict[str, str] = {}
    for word in words:
        key, equals, text = word.removeprefix("space").partition("=")
        if not equals or not re.fullmatch(r"(\.[^.]+)*", key):
            raise ConfigError("not a word of the space", got=word, expected="space.<key>=… or space=<file.yaml>")
        written |= {key[1:]: text} if key else _from_file(Path(text))
    if not written:
        todo = "such as space.decoder_lr=log:1e-4:1e-2 or space.loss=ce,ce_dice"
        raise ConfigError("nothing may vary", where="space", expected="space.<key>=…", todo=todo)
    return {key: dimension(key, text) for key, text in written.items()}


def dimension(key: str, text: str) -> Dimension:
    """What ``space.<key>=<text>`` lets vary."""
    try:
        if key in (*PLACES, *STEPS) or key.rpartition(".")[2] in ("out", "overwrite"):
            raise ConfigError("this cannot vary", todo="it says where artefacts go, or which steps there are")
        return numbers(text) or Choices(words=_choices(key, text))
    except FactoryError as error:
        error.where = f"space.{key}"
        raise


def _choices(key: str, text: str) -> tuple[str, ...]:
    """The values of ``a,b,c`` by the grammar that -m has."""
    try:
        override = OverridesParser.create().parse_override(f"{key}={text}")
        if override.is_discrete_sweep():
            return tuple(override.sweep_string_iterator())
    except HydraException as error:
        raise ConfigError.of(error, what="neither a range nor choices") from error
    raise ConfigError("neither a range nor choices", got=text, expected=", ".join(FORMS))


def _from_file(path: Path) -> dict[str, str]:
    """The words of a YAML file: keys dotted or nested, values as on the command line, choices also as a list."""
    content = OmegaConf.to_container(yaml_files.read(path, "space file"), resolve=False)
    return dict(_flat("", content))


def _flat(key: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [pair for name, child in value.items() for pair in _flat(f"{key}.{name}".lstrip("."), child)]
    return [(key, ",".join(map(_word, value)) if isinstance(value, list) else _word(value))]


def _word(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_word, value))}]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
