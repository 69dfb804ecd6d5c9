"""From a step's plain configuration to a call that cannot fail for its arguments' sake: parts, inputs, signature."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import itertools
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

from hydra.errors import HydraException
from hydra.utils import get_object, instantiate

from factory.command import tree
from factory.core import digests, given
from factory.core.artefact import HEADER, Artefact, Identity, Kind, read_header
from factory.core.errors import ArtefactError, ConfigError, FactoryError, InputError
from factory.core.flat import flat_parts
from factory.core.version import code_version

ALLOWED_TARGETS = ("factory.", "adapt.", "scenes.")
_ALLOWED = " or ".join(f"{prefix}…" for prefix in ALLOWED_TARGETS)
FOLDERS = ("inputs", "out", "overwrite")
MACHINE = ("executor", "cache", "cache_gib", "devices", "tensorboard", "mlflow", "footprints")
UNIMPORTANT = (*FOLDERS, *MACHINE, "seed", "_target_")
"""Keys that do not decide an artefact's content, or are stated on their own in its identity."""

KINDS = {list: list, tuple: list, Sequence: list, dict: dict, Mapping: dict}
"""What generic annotations take from the configuration."""
PLAIN = {
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    type(None): "null",
    list: "list",
    dict: "keys of its own",
}
"""Types that are checked here, and their names to whoever gave something else."""


@dataclass(frozen=True)
class Step:
    """A stage's function with everything but inputs and writer bound."""

    name: str
    function: Callable[..., None]
    kind: Kind
    parts: Mapping[str, Any]
    inputs: Mapping[str, Path | None]
    out: Path
    seed: int
    config: dict[str, Any]
    overwrite: bool

    @property
    def stage(self) -> str:
        """The stage's name, whatever the step is called."""
        return tree.stage_of(self.config)

    def check_files(self) -> None:
        """`InputError` for a file or folder that a part is to read and that is not there."""
        for folder in (folder for part in self.parts.values() for folder in folders_of(part)):
            if not Path(folder).exists():
                where = f"{self.name}.{key_of(self.config, folder)}"
                raise InputError("missing file", where=where, got=folder, todo=given.instead_of(Path(folder)))

    def open_inputs(self) -> dict[str, Any]:
        """Open every input by its parameter's annotation; `ArtefactError` for a wrong or missing one."""
        hints = typing.get_type_hints(self.function)
        return {name: path and _open(name, path, hints[name]) for name, path in self.inputs.items()}

    def identity(self, opened: Mapping[str, Any]) -> Identity:
        """What decides the artefact's content."""
        config = {key: value for key, value in self.config.items() if key not in UNIMPORTANT}
        config = by_content(config, [folder for part in self.parts.values() for folder in folders_of(part)])
        stated = {name: _digest(value) for name, value in opened.items() if value is not None}
        return Identity(stage=self.stage, config=config, seed=self.seed, inputs=stated, code=code_version())


def bind(name: str, config: dict[str, Any]) -> Step:
    """Resolve the stage's function, instantiate its parts and check every argument; nothing is created on disk."""
    _check_frame(name, config)
    function = _function(name, config)
    settings = {key: value for key, value in config.items() if key not in (*FOLDERS, "_target_", "seed")}
    keys = _keys(function)
    seeded = {"seed"} & set(keys)
    check_names(name, keys, {*settings, *config["inputs"], "out", *seeded})
    for key, value in settings.items():
        check_value(f"{name}.{key}", value, keys[key].annotation)
    kinds = typing.get_args(keys["out"].annotation)
    return Step(
        name=name,
        function=function,
        kind=next((kind for kind in kinds if isinstance(kind, Kind)), Kind.DATASET),
        parts=_gathered(name, function, {key: make_part(f"{name}.{key}", value) for key, value in settings.items()})
        | dict.fromkeys(seeded, config["seed"]),
        inputs={
            key: None if path is None else place(f"{name}.inputs.{key}", path) for key, path in config["inputs"].items()
        },
        out=new_place(f"{name}.out", config["out"]),
        seed=config["seed"],
        config=config,
        overwrite=config.get("overwrite", False),
    )


def _check_frame(name: str, config: Mapping[str, Any]) -> None:
    """What every step has, whatever its stage: where it reads and writes, and whether it may replace."""
    if absent := [key for key in ("inputs", "out", "seed") if key not in config]:
        raise _missing(name, absent)
    if not isinstance(config["inputs"], dict):
        got, todo = repr(config["inputs"]), "give each by itself: inputs.<name>=…"
        raise ConfigError("inputs are keys of their own", where=f"{name}.inputs", got=got, todo=todo)
    check_value(f"{name}.overwrite", config.get("overwrite", False), bool)


def place(where: str, given: object) -> Path:
    """A path as it was given; `ConfigError` for none at all, which would be the folder that one stands in."""
    if given is None or not str(given).strip():
        todo = "give a file or folder; a variable of the shell may be empty"
        raise ConfigError("a path is empty", where=where, got=repr(given), todo=todo)
    if isinstance(given, list | dict):
        raise ConfigError("a path is a single name", where=where, got=given, todo="quote a name that has brackets")
    return Path(str(given))


def new_place(where: str, given: object) -> Path:
    """Where an artefact goes: a folder of its own."""
    found = place(where, given)
    if not found.name or found.name == "..":
        raise ConfigError("an artefact needs a folder of its own", where=where, got=given, todo="give it a name")
    return found


def folders_of(part: Any) -> list[str]:
    """Folders and files of the user's that a part reads: those in its ``folders``, by name, and its own parts'."""
    if isinstance(part, Mapping):
        return [folder for value in part.values() for folder in folders_of(value)]
    if not dataclasses.is_dataclass(part) or isinstance(part, type):
        return []
    inner = [folders_of(getattr(part, field.name)) for field in dataclasses.fields(part)]
    return [*getattr(part, "folders", {}).values(), *itertools.chain.from_iterable(inner)]


def key_of(config: Any, value: str) -> str:
    """The dotted key under which a value stands in a configuration; empty where it does not."""
    pairs = config.items() if isinstance(config, dict) else enumerate(config) if isinstance(config, list) else ()
    for key, child in pairs:
        if child == value:
            return str(key)
        if inner := key_of(child, value):
            return f"{key}.{inner}"
    return ""


def by_content(config: Any, folders: Iterable[str]) -> Any:
    """The configuration with each of the folders replaced by a digest of what is in it: where it lies is no matter."""
    return replaced(config, {folder: {"content": digests.of_path(Path(folder))} for folder in folders})


def replaced(value: Any, others: Mapping[str, Any]) -> Any:
    """The same configuration with other values in place of some strings, however deep."""
    if isinstance(value, dict):
        return {key: replaced(child, others) for key, child in value.items()}
    if isinstance(value, list):
        return [replaced(child, others) for child in value]
    return others.get(value, value) if isinstance(value, str) else value


def make_part(where: str, value: Any) -> Any:
    """Instantiate a mapping with a `_target_` (deep ones first); other values pass."""
    if not isinstance(value, dict):
        return value
    try:
        return instantiate(value, _convert_="all")
    except HydraException as error:
        cause = error.__cause__
        if isinstance(cause, FactoryError):
            cause.where = cause.where or where
            raise cause from error
        todo = "correct the value; factory <stage> --help shows the default"
        raise ConfigError.of(cause or error, what="the part cannot be made", where=where, todo=todo) from error


def check_names(where: str, parameters: Mapping[str, inspect.Parameter], given: Iterable[str]) -> None:
    """Every key is a parameter, every parameter without a default has its key."""
    for key in given:
        if key not in parameters:
            close = difflib.get_close_matches(key, parameters, 1)
            todo = f"did you mean {close[0]}?" if close else "remove it"
            expected = ", ".join(parameters) or "no key"
            raise ConfigError("unknown key", where=f"{where}.{key}", expected=expected, todo=todo)
    required = {name for name, p in parameters.items() if p.default is inspect.Parameter.empty}
    if absent := sorted(required - set(given)):
        raise _missing(where, absent)


def _missing(where: str, absent: Sequence[str]) -> ConfigError:
    """Keys that nothing stands for, removed or chosen away: what to give for each."""
    words = [f"{key}={'|'.join(tree.choices(key)) or '…'}" for key in absent]
    todo = f"give {', '.join(words)}"
    return ConfigError("keys are missing", where=where, got="nothing", expected=", ".join(absent), todo=todo)


def check_value(where: str, value: Any, annotation: Any) -> None:
    """Scalars and lists, however deep, have the annotated type; mappings with a `_target_` name a part whose keys and
    values fit it.
    """
    if isinstance(value, dict) and "_target_" in value:
        target = _resolve(where, value["_target_"])
        inner = {key: child for key, child in value.items() if not key.startswith("_")}
        parameters = _parameters(target)
        check_names(where, parameters, inner)
        for key, child in inner.items():
            check_value(f"{where}.{key}", child, parameters[key].annotation)
        return
    _check_kind(where, value, annotation)
    if isinstance(value, dict | list):
        element = _element(annotation) if isinstance(value, list) else Any
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in pairs:
            check_value(f"{where}.{key}", child, element)


def _check_kind(where: str, value: Any, annotation: Any) -> None:
    """One value by itself, whatever is in it."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError("a number that is not finite", where=where, got=value)
    if (allowed := _plain_types(annotation)) and not _fits(value, allowed):
        names = " or ".join(dict.fromkeys(PLAIN[kind] for kind in allowed))
        raise ConfigError("a value of the wrong type", where=where, got=repr(value), expected=names)
    absent = value is None and type(None) not in _members(annotation)
    if (absent or isinstance(value, bool | int | float | str)) and _is_part(annotation):
        todo = (
            "if that is a choice of a group, factory <stage> --help lists them (an experiment file says it under "
            "defaults: - override /refiner@label.refiner: argmax); its own keys come after a dot"
        )
        raise ConfigError("a value where a part belongs", where=where, got=repr(value), expected="a part", todo=todo)


def _parameters(target: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """A function's or part's parameters, their annotations resolved."""
    plain = isinstance(target, type) and not dataclasses.is_dataclass(target)
    hints = typing.get_type_hints(target.__init__ if plain else target, include_extras=True)
    parameters = inspect.signature(target).parameters.items()
    return {name: parameter.replace(annotation=hints.get(name, Any)) for name, parameter in parameters}


def _keys(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """A stage's keys: its parameters, and the fields of those that are `FLAT` in their place."""
    flat = flat_parts(function)
    keys = {name: parameter for name, parameter in _parameters(function).items() if name not in flat}
    return keys | {name: field for kind in flat.values() for name, field in _parameters(kind).items()}


def _gathered(where: str, function: Callable[..., Any], parts: dict[str, Any]) -> dict[str, Any]:
    """Make the `FLAT` parts of a stage out of its keys."""
    made = dict(parts)
    for name, kind in flat_parts(function).items():
        try:
            made[name] = kind(**{field: made.pop(field) for field in _parameters(kind) if field in made})
        except FactoryError as error:
            error.where = error.where or where
            raise
    return made


def _members(annotation: Any) -> tuple[Any, ...]:
    union = typing.get_origin(annotation) in (Union, types.UnionType)
    return typing.get_args(annotation) if union else (annotation,)


def _plain_types(annotation: Any) -> tuple[type, ...]:
    """The types an annotation admits where all are scalars, lists or mappings; empty where it admits anything else."""
    kinds = [KINDS.get(typing.get_origin(member), member) for member in _members(annotation)]
    return tuple(kinds) if all(kind in PLAIN for kind in kinds) else ()


def _element(annotation: Any) -> Any:
    """What an annotation says of a list's elements, if it says the same of each."""
    lists = [member for member in _members(annotation) if KINDS.get(typing.get_origin(member)) is list]
    found = {one for member in lists for one in typing.get_args(member)} - {...}
    return found.pop() if len(found) == 1 else Any


def _is_part(annotation: Any) -> bool:
    """Whether it admits nothing but objects made from a `_target_`: classes of the factory's, protocols, callables."""
    members = [one for one in _members(annotation) if one is not type(None)]
    return all(
        typing.get_origin(one) is Callable
        or (isinstance(one, type) and (dataclasses.is_dataclass(one) or getattr(one, "_is_protocol", False)))
        for one in members
    )


def _fits(value: Any, allowed: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in allowed
    return isinstance(value, allowed) or (isinstance(value, int) and float in allowed)


def _function(name: str, config: dict[str, Any]) -> Callable[..., None]:
    target = _resolve(name, config.get("_target_"))
    if not isinstance(config.get("seed"), int) or isinstance(config["seed"], bool) or config["seed"] < 0:
        raise ConfigError("a seed is a whole number from 0", where=f"{name}.seed", got=config.get("seed"))
    return typing.cast("Callable[..., None]", target)


def _resolve(where: str, dotted: Any) -> Any:
    if not isinstance(dotted, str) or not dotted.startswith(ALLOWED_TARGETS):
        raise ConfigError("_target_ is not one of ours", where=where, got=dotted, expected=_ALLOWED)
    try:
        return get_object(dotted)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError.of(error, what="_target_ does not resolve", where=where) from error


def _open(name: str, path: Path, annotation: Any) -> Artefact | Path:
    members = [member for member in (*typing.get_args(annotation), annotation) if isinstance(member, type)]
    openers = [member for member in members if issubclass(member, Artefact)]
    if not path.exists():
        raise ArtefactError("missing input", where=f"{name}: {path}", todo=given.instead_of(path))
    if not openers or (Path in members and not (path / HEADER).is_file()):
        return path
    fitting = [opener for opener in openers if len(openers) > 1 and opener.kind == read_header(path).kind]
    return (fitting or openers)[0].open(path)


def _digest(opened: Artefact | Path) -> str:
    return opened.digest if isinstance(opened, Artefact) else digests.of_path(opened, given.files_in)
