"""What a search does to a line of steps: which the space reaches, which trials share, and which figure judges."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from factory.command import compose, tree
from factory.command.bind import Step, bind, replaced
from factory.command.perform import differing, line_of, reached
from factory.command.tuning.words import Asked
from factory.core.artefact import Identity
from factory.core.errors import ConfigError, FactoryError

FIGURES = {"train": "val_miou", "evaluate": "miou"}
"""What a stage is judged by unless the user says otherwise."""

Config = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A search whose every key was tried at its ends: nothing that can be known beforehand is wrong with it.

    ``base`` is the line at the first point of the space; ``needed`` the steps that the judged one depends on, in
    order, itself the last; ``own`` those of them that each trial makes for itself.
    """

    stage: str
    fixed: list[str]
    base: Config
    needed: list[str]
    own: frozenset[str]
    figure: str

    @property
    def judged(self) -> str:
        """The step whose figure is the objective."""
        return self.needed[-1]

    @property
    def listened(self) -> str | None:
        """The step whose reports pruning heeds: the last training that trials make."""
        trained = [name for name in self.needed if name in self.own and tree.stage_of(self.base[name]) == "train"]
        return trained[-1] if trained else None

    def shared(self) -> list[Step]:
        """The steps that all trials share, made once where any run of these settings would make them."""
        return [bind(name, self.base[name]) for name in self.needed if name not in self.own]

    def trial(self, words: Mapping[str, str], folder: Path) -> list[Step]:
        """The steps that a trial makes for itself, below ``folder``, with its settings."""
        config = _composed(self.stage, self.fixed, words)
        places = {config[name]["out"]: str(self._place(name, folder)) for name in self.needed}
        own = [name for name in self.needed if name in self.own]
        return [bind(name, replaced(config[name], places) | {"overwrite": True}) for name in own]

    def _place(self, name: str, folder: Path) -> Path:
        return folder / name if name in self.own else Path(self.base[name]["out"])

    def identity(self, asked: Asked) -> Identity:
        """All that makes values of one study comparable; opens every input that lies outside the line."""
        made = {self.base[name]["out"] for name in self.needed}
        steps: Config = {}
        inputs: dict[str, str] = {}
        for step in (bind(name, self.base[name]) for name in self.needed):
            outside = {key: path for key, path in step.inputs.items() if str(path) not in made}
            stated = replace(step, inputs=outside).identity(replace(step, inputs=outside).open_inputs())
            steps[step.name] = stated.config | {"seed": stated.seed}
            inputs |= {f"{step.name}.{key}": digest for key, digest in stated.inputs.items()}
        space = {key: str(dimension) for key, dimension in asked.space.items()}
        objective = f"{self.judged}.{self.figure}"
        config = {"space": space, "objective": objective, **asked.stated, "steps": steps}
        return Identity(stage=tree.TUNE, config=config, seed=asked.seed, inputs=inputs, code="")


def plan(asked: Asked) -> Plan:
    """Compose and bind the line at every corner of the space; `ConfigError` names the key that does not fit."""
    corners = [(key, _corner(asked, key, point)) for key, point in _points(asked)]
    base = corners[0][1]
    changed: dict[str, set[str]] = {key: set() for key in asked.space}
    for key, config in corners[1:]:
        changed[key] |= _differing(base, config, key)
    changed = {key: reached(base, steps) for key, steps in changed.items()}
    judged, figure = _objective(asked, base, set().union(*changed.values()))
    _check_reach(changed, judged, figure)
    needed = _needed(base, judged)
    _check_devices(base, needed)
    own = frozenset(set().union(*changed.values()) & set(needed))
    for key, config in corners:
        with _blaming(asked, key):
            for name in own:
                bind(name, config[name])
    return Plan(stage=asked.stage, fixed=asked.fixed, base=base, needed=needed, own=own, figure=figure)


def _points(asked: Asked) -> Iterator[tuple[str, dict[str, str]]]:
    """All keys at their first; then for each key each further end or choice, with all others at their first."""
    first = {key: dimension.corners[0] for key, dimension in asked.space.items()}
    yield "", first
    for key, dimension in asked.space.items():
        yield from ((key, first | {key: word}) for word in dimension.corners[1:])


def _corner(asked: Asked, key: str, point: dict[str, str]) -> Config:
    with _blaming(asked, key):
        return _composed(asked.stage, asked.fixed, point)


@contextmanager
def _blaming(asked: Asked, key: str) -> Iterator[None]:
    """Say that a mistake lies in the space: of which key, where that is known."""
    try:
        yield
    except FactoryError as error:
        keys = [key] if key else list(asked.space)
        error.where = f"{error.where or asked.stage}, within {', '.join(f'space.{one}' for one in keys)}"
        raise


def _composed(stage: str, fixed: list[str], words: Mapping[str, str]) -> Config:
    return line_of(stage, compose.resolved(stage, [*fixed, *(f"{key}={word}" for key, word in words.items())]))


def _differing(base: Config, config: Config, key: str) -> set[str]:
    """The steps that two points of the space make differently by their own configuration."""
    if config["line"] != base["line"]:
        raise ConfigError("the steps of the line cannot vary", where=f"space.{key}", got=config["line"])
    return differing(base, config)


def _objective(asked: Asked, base: Config, within: set[str]) -> tuple[str, str]:
    """The step and the figure that judge; a stage by itself needs no step."""
    line: list[str] = base["line"]
    if asked.objective is None:
        judging = [name for name in line if name in within and tree.stage_of(base[name]) in FIGURES]
        if not judging:
            what = "the space reaches no step that measures mIoU" if within else "the space changes no step of the line"
            raise ConfigError(what, where="objective", got=", ".join(line), todo="give objective=<step>.<figure>")
        return judging[-1], FIGURES[tree.stage_of(base[judging[-1]])]
    step, _, figure = asked.objective.rpartition(".")
    step = step or (line[0] if len(line) == 1 else "")
    if step not in line:
        raise ConfigError("no such step", where="objective", got=asked.objective, expected=f"{'|'.join(line)}.<figure>")
    _check_figure(tree.stage_of(base[step]), figure)
    return step, figure


def _check_figure(stage: str, figure: str) -> None:
    """`ConfigError` for a figure that no artefact of the stage can state, as far as that is known beforehand."""
    known = _stated(stage)
    if figure and (not known or figure in known):
        return
    close = difflib.get_close_matches(figure, known, 1)
    todo = f"did you mean {close[0]}?" if close else "give objective=<step>.<figure>"
    expected = ", ".join(known) or None
    raise ConfigError("no such figure", where="objective", got=figure or "none", expected=expected, todo=todo)


def _stated(stage: str) -> tuple[str, ...]:
    """All that a stage may state; empty where that shows only once it ran."""
    if stage not in FIGURES:
        return ()
    from factory.stages import evaluate, train  # they load torch, which --help can do without

    if stage == "train":
        return train.FIGURES
    peers = [f"{peer}_{name}" for peer in tree.choices("peer") for name in evaluate.FIGURES]
    return (*evaluate.FIGURES, *peers)


def _check_reach(changed: dict[str, set[str]], judged: str, figure: str) -> None:
    for key, steps in changed.items():
        if judged not in steps:
            raise ConfigError(
                f"changes nothing that {judged}.{figure} depends on",
                where=f"space.{key}",
                got=f"reaches {', '.join(sorted(steps)) or 'no step'}",
                todo="leave it out, or choose another objective=<step>.<figure>",
            )


def _check_devices(base: Config, needed: list[str]) -> None:
    """Processes beside the first of a training would begin searches of their own."""
    if several := [name for name in needed if base[name].get("devices", 1) != 1]:
        todo = "leave out devices=…, and start the same command once a GPU (CUDA_VISIBLE_DEVICES=0, 1, …)"
        raise ConfigError("each training of a search has one device", where=f"{several[0]}.devices", todo=todo)


def _needed(base: Config, judged: str) -> list[str]:
    """The judged step and all that it depends on, in the line's order."""
    line: list[str] = base["line"]
    found = {judged}
    for name in reversed(line[: line.index(judged) + 1]):
        read = {path for one in found for path in base[one]["inputs"].values()}
        if base[name]["out"] in read:
            found.add(name)
    return [name for name in line if name in found]
