"""Carrying out one step, or a line of steps: skip what is there, make what is not, seal it, say what it gave."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.command import tree
from factory.command.bind import Step, bind
from factory.core.artefact import Header, Identity, read_header
from factory.core.errors import ConfigError
from factory.core.writer import Onlooker, is_sealed, open_writer
from factory.execute.ranks import rank

LOOK_EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Outcome:
    """What became of one step."""

    step: str
    out: Path
    header: Header
    seconds: float
    skipped: bool


def steps_of(stage: str, config: dict[str, Any]) -> list[Step]:
    """The steps a configuration asks for, all bound before the first one runs."""
    if stage != tree.LINE:
        return [bind(stage, config)]
    line: list[str] = config["line"]
    if absent := [name for name in line if not isinstance(config.get(name), dict)]:
        steps = ", ".join(key for key, value in config.items() if isinstance(value, dict))
        raise ConfigError("the line names steps that have no configuration", where="line", got=absent, expected=steps)
    return [bind(name, config[name]) for name in line]


def perform(step: Step) -> Outcome:
    """Make the step's artefact, or find that exactly it is there already."""
    began = time.monotonic()
    opened = step.open_inputs()
    identity = step.identity(opened)
    if is_sealed(step.out, identity, overwrite=step.overwrite):
        return Outcome(step.name, step.out, read_header(step.out), time.monotonic() - began, skipped=True)
    if rank():
        return _assist(step, opened, identity, began)
    with open_writer(step.out, identity, step.kind, overwrite=step.overwrite) as out:
        step.function(**step.parts, **opened, out=out)
        header = out.seal()
    return Outcome(step.name, step.out, header, time.monotonic() - began, skipped=False)


def _assist(step: Step, opened: dict[str, Any], identity: Identity, began: float) -> Outcome:
    """What a process beside the first does: its share of what is shared, and then wait for the artefact."""
    partial, parent = step.out.with_name(f"{step.out.name}.partial"), os.getppid()
    if step.parts.get("devices", 1) > 1:
        step.function(**step.parts, **opened, out=Onlooker(partial, step.out, identity, step.kind))
    while not is_sealed(step.out, identity, overwrite=True):
        if os.getppid() != parent:
            raise KeyboardInterrupt
        time.sleep(LOOK_EVERY_SECONDS)
    return Outcome(step.name, step.out, read_header(step.out), time.monotonic() - began, skipped=True)


def place_sweep(stage: str, config: dict[str, Any], swept: list[str]) -> dict[str, Any]:
    """Give each point of a sweep folders of its own, but share what the swept keys cannot change.

    ``label.refiner=argmax`` moves `label` and every step that reads, directly or not, what `label` made; steps before
    it keep their folder and are made once. A key that belongs to no step moves them all.
    """
    if not swept:
        return config
    suffix = ",".join(sorted(swept)).replace("/", "_")
    if stage != tree.LINE:
        return config | {"out": _aside(config["out"], suffix)}
    touched = _touched(
        config, {word.split("=", 1)[0].split(".", 1)[0] for word in swept if not word.startswith("name=")}
    )
    moved = {config[name]["out"]: _aside(config[name]["out"], suffix) for name in touched}
    return config | {name: _moved(config[name], moved) for name in config["line"]}


def _touched(config: dict[str, Any], heads: set[str]) -> set[str]:
    line: list[str] = config["line"]
    touched = heads & set(line) if heads <= set(line) else set(line)
    for name in line:
        made = {config[earlier]["out"] for earlier in touched}
        if made & set(config[name]["inputs"].values()):
            touched.add(name)
    return touched


def _moved(step: dict[str, Any], moved: dict[str, str]) -> dict[str, Any]:
    inputs = {name: moved.get(path, path) for name, path in step["inputs"].items()}
    return step | {"inputs": inputs, "out": moved.get(step["out"], step["out"])}


def _aside(out: str, suffix: str) -> str:
    return str(Path(out).parent / suffix / Path(out).name)
