"""Carrying out one step, or a line of steps: skip what is there, make what is not, seal it, say what it gave."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.command import tree
from factory.command.bind import FOLDERS, MACHINE, Step, bind, new_place, replaced
from factory.core.artefact import DRAFT, Header, Identity, read_header
from factory.core.errors import ConfigError
from factory.core.writer import Onlooker, is_begun, is_sealed, open_writer
from factory.execute.ranks import rank

LOOK_EVERY_SECONDS = 0.5
Config = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What became of one step."""

    step: str
    out: Path
    header: Header
    seconds: float
    skipped: bool


def line_of(stage: str, config: Config) -> Config:
    """The configuration as a line of steps, each under its name; a stage by itself is a line of one."""
    if stage not in tree.LINES:
        return {"line": [stage], stage: config}
    if absent := [name for name in config["line"] if not isinstance(config.get(name), dict)]:
        steps = ", ".join(key for key, value in config.items() if isinstance(value, dict))
        raise ConfigError("the line names steps that have no configuration", where="line", got=absent, expected=steps)
    return config


def steps_of(line: Config) -> list[Step]:
    """The steps of a line, all bound before the first one runs."""
    require_makers(line, line["line"])
    return [bind(name, line[name]) for name in line["line"]]


def require_makers(config: Config, names: Sequence[str]) -> None:
    """`ConfigError` for inputs of these steps that another step would make, which is not among them nor was made."""
    makers = {
        step["out"]: name
        for name, step in config.items()
        if isinstance(step, dict) and isinstance(step.get("out"), str)
    }
    made = {config[name].get("out") for name in names if isinstance(config[name].get("out"), str)}
    missing = [
        (f"{name}.inputs.{key}", makers[path])
        for name in names
        for key, path in (config[name].get("inputs") or {}).items()
        if isinstance(path, str) and path in makers.keys() - made and not Path(path).exists()
    ]
    if missing:
        raise ConfigError(
            "a step reads what no step of the line makes",
            where="line",
            got="\n".join(f"{key}, which {maker} would make" for key, maker in missing),
            expected=f"{', '.join(dict.fromkeys(maker for _, maker in missing))} beside {', '.join(names)}",
            todo=f"put them into line, or go without: {missing[0][0]}=null (or give a folder that is there)",
        )


def perform(step: Step) -> Outcome:
    """Make the step's artefact, or find that exactly it is there already."""
    began = time.monotonic()
    opened = step.open_inputs()
    step.check_files()
    identity = step.identity(opened)
    if is_sealed(step.out, identity, overwrite=step.overwrite):
        return Outcome(step.name, step.out, read_header(step.out), time.monotonic() - began, skipped=True)
    if rank():
        return _assist(step, opened, identity, began)
    with open_writer(step.out, identity, step.kind, overwrite=step.overwrite) as out:
        step.function(**step.parts, **opened, out=out)
        header = out.seal()
    return Outcome(step.name, step.out, header, time.monotonic() - began, skipped=False)


def _assist(step: Step, opened: Config, identity: Identity, began: float) -> Outcome:
    """What a process beside the first does: its share of what is shared, and then wait for the artefact."""
    partial, parent = step.out.with_name(f"{step.out.name}{DRAFT}"), os.getppid()
    if step.parts.get("devices", 1) > 1:
        _wait(lambda: is_begun(step.out, identity), parent)
        step.function(**step.parts, **opened, out=Onlooker(partial, step.out, identity, step.kind))
    _wait(lambda: is_sealed(step.out, identity, overwrite=True), parent)
    return Outcome(step.name, step.out, read_header(step.out), time.monotonic() - began, skipped=True)


def _wait(there: Callable[[], bool], parent: int) -> None:
    """Until it is there; ends where whoever started this process is gone."""
    while not there():
        if os.getppid() != parent:
            raise KeyboardInterrupt
        time.sleep(LOOK_EVERY_SECONDS)


def place_sweep(stage: str, points: Sequence[tuple[Config, list[str]]]) -> list[Config]:
    """Give each point of a sweep (configuration, swept words) folders of its own, but share what does not vary.

    ``label.refiner=argmax`` moves `label`, every step that reads, directly or not, what `label` made, and what takes
    the refiner over from it; other steps keep their folder and are made once. A key of no step moves them all.
    """
    return [_placed(stage, config, swept, [other for other, _ in points]) for config, swept in points]


def _placed(stage: str, config: Config, swept: list[str], points: Sequence[Config]) -> Config:
    if not swept:
        return config
    if stage not in tree.LINES:
        words = sorted(word for word in swept if not word.startswith("out="))
        return config | {"out": aside(config["out"], words)} if words else config
    line: list[str] = config["line"]
    heads = {word.split("=", 1)[0].split(".", 1)[0] for word in swept if not word.startswith("name=")}
    if heads <= set(line):
        touched = reached(config, heads.union(*(differing(config, other) for other in points)))
    else:
        touched = set(line)
    places = {config[name]["out"]: aside(config[name]["out"], sorted(swept)) for name in touched}
    return config | {name: replaced(config[name], places) for name in line}


def differing(config: Config, other: Config) -> set[str]:
    """The steps of a line that another configuration of it makes differently."""
    return {name for name in config["line"] if essence(config, name) != essence(other, name)}


def essence(config: Config, name: str) -> Config:
    """A step's configuration without places; what an earlier step made is read by that step's name."""
    made = {config[earlier]["out"]: earlier for earlier in config["line"]}
    kept = {key: value for key, value in config[name].items() if key not in (*FOLDERS, *MACHINE)}
    return dict(replaced(kept | {"inputs": config[name]["inputs"]}, made))


def reached(config: Config, steps: set[str]) -> set[str]:
    """These steps of a line, and all that read, directly or not, what they make: as inputs or by their parts."""
    found = set(steps)
    for name in config["line"]:
        reading = {key: value for key, value in config[name].items() if key != "out"}
        if replaced(reading, {config[earlier]["out"]: None for earlier in found}) != reading:
            found.add(name)
    return found


def aside(out: str, words: Iterable[str]) -> str:
    """A folder's place beside others of its name: in one named after the words that set it apart."""
    place = new_place("out", out)
    return str(place.parent / ",".join(words).replace("/", "_") / place.name)
