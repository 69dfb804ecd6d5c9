"""The configuration tree as files: stages, groups, choices, experiments, and what each says of itself.

The files are the package's own: each is read once a process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

import conf

ROOT = Path(conf.__file__).parent
LINE, LOOP, TUNE, SHOW = "run", "loop", "tune", "show"
LINES = (LINE, LOOP)
"""Commands on whole lines of stages: keys of theirs begin with a step."""
COMMENTED = re.compile(r"^(?P<indent> *)(?P<key>[\w@/]+):(?P<value>.*?)(?:\s#\s*(?P<comment>.*))?$")


@cache
def stages() -> list[str]:
    """Every stage that can be called by itself: those of the line in its order, then the others by name."""
    line = list(_body(LINE))
    there = [path.stem for path in ROOT.glob("*.yaml") if path.stem not in (*LINES, TUNE)]
    return sorted(there, key=lambda name: (line.index(name) if name in line else len(line), name))


def stage_of(step: Mapping[str, Any]) -> str:
    """The stage that a step is one of: ``factory.stages.train.run`` is `train`, ``adapt.stage.run`` is `adapt`."""
    return [part for part in str(step.get("_target_")).split(".") if part not in ("stage", "run")][-1]


@cache
def groups() -> list[str]:
    """Every folder of choices."""
    return sorted(path.name for path in ROOT.iterdir() if path.is_dir() and choices(path.name))


@cache
def choices(group: str) -> list[str]:
    """The choices of a group."""
    return sorted(path.stem for path in (ROOT / group).glob("*.yaml"))


@cache
def is_single(group: str) -> bool:
    """Whether a choice of a group is a whole part, of which there can be only one."""
    return any(re.search(r"^_target_:", (ROOT / group / f"{name}.yaml").read_text(), re.M) for name in choices(group))


@cache
def _body(stage: str) -> dict[str, Any]:
    body: Any = OmegaConf.to_container(OmegaConf.load(ROOT / f"{stage}.yaml"))
    return dict(body)


def steps() -> list[str]:
    """Stages that are steps of the whole line under their own names."""
    return [name for name in stages() if name in _body(LINE)]


@cache
def own_groups(stage: str) -> list[str]:
    """The groups that a stage's own file chooses from."""
    chosen = [key for entry in _body(stage).get("defaults", []) if isinstance(entry, dict) for key in entry]
    return [name for name in (key.partition("@")[0].strip("/") for key in chosen) if name in groups()]


def short_inputs(stage: str) -> list[str]:
    """Inputs of a stage that may be given without ``inputs.``: no other key and no group of it is called the same."""
    if stage in LINES:
        return []
    body = _body(stage)
    return [name for name in body.get("inputs", {}) if name not in body and name not in own_groups(stage)]


def first_line(*parts: str) -> str:
    """What a configuration file says it is: its first comment line that is not a directive."""
    lines = (ROOT.joinpath(*parts).with_suffix(".yaml")).read_text().splitlines()
    said = (line[1:].strip() for line in lines if line.startswith("#"))
    return next((line for line in said if line and not line.startswith("@")), "")


def _built_on(*parts: str) -> list[tuple[str, str, str]]:
    """(group, package, choice) of defaults such as ``/sensor@_here_: phone`` or ``/loss@loss.terms: [ce, dice]``."""
    text = ROOT.joinpath(*parts).with_suffix(".yaml").read_text()
    found = re.findall(r"^ *- /(\w+)@([\w.]+): \[?([\w, ]+)", text, re.MULTILINE)
    return [(group, package, name.strip()) for group, package, names in found for name in names.split(",")]


def _derived_from(*parts: str) -> list[str]:
    """Choices of the same group that a file begins with: ``defaults: [ce, dice, _self_]``."""
    found = re.search(r"^defaults: \[(.*)\]", ROOT.joinpath(*parts).with_suffix(".yaml").read_text(), re.MULTILINE)
    return [name.strip() for name in found[1].split(",") if name.strip() != "_self_"] if found else []


@cache
def group_at(key: str) -> str:
    """The group whose choices a key holds: that of its name, or as a file says (`cam` of ``method``); "" for none."""
    if key in groups():
        return key
    files = [path.relative_to(ROOT).with_suffix("").parts for path in sorted(ROOT.glob("*/*.yaml"))]
    held = (group for parts in files for group, package, _ in _built_on(*parts) if package.rpartition(".")[2] == key)
    return next(held, "")


@cache
def comments(*parts: str) -> dict[str, str]:
    """The comment behind each key of a configuration file, by dotted key; those of the files it builds on too."""
    found: dict[str, str] = {}
    for name in _derived_from(*parts):
        found |= comments(*parts[:-1], name)
    for group, package, choice in _built_on(*parts):
        inside = "" if package == "_here_" else f"{package}."
        found |= {inside + key: said for key, said in comments(group, choice).items()}
    above: list[str] = []
    for line in ROOT.joinpath(*parts).with_suffix(".yaml").read_text().splitlines():
        if match := COMMENTED.match(line):
            above = [*above[: len(match["indent"]) // 2], match["key"]]
            if match["comment"]:
                found[".".join(above)] = match["comment"]
    return found
