"""A line of steps drawn out into rounds: each asks, merges what comes back, and makes anew what hangs on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from factory.command import tree
from factory.command.bind import check_value
from factory.command.perform import reached, require_makers
from factory.core.errors import ConfigError
from factory.core.seeds import derive

Config = dict[str, Any]
ASKING = ("select", "review", "answer", "merge")
"""Stages that ask and take answers in; a line may name them, a loop places them itself."""
SIMULATED = {"scope": "regions", "unstated": "void", "unchanged": "confirm"}
"""What a simulated person's masks mean: every region was looked at, and what has no class in it has none."""


@dataclass(frozen=True, kw_only=True)
class Loop:
    """Steps under names of their own: ``config`` holds their configurations, and all names in order as its ``line``.

    ``first`` are the steps before anybody is asked; each of ``rounds`` begins with its queue and ends with what
    is made anew. ``judged`` is the name, without its round, of the step that measures.
    """

    config: Config
    first: Sequence[str]
    rounds: Sequence[Sequence[str]]
    judged: str
    oracle: bool


def named(step: str, number: int) -> str:
    """A step's name in a round."""
    return f"{step}-{number}"


def drawn_out(config: Config) -> Loop:
    """The loop that the configuration of a line asks for; `ConfigError` for what cannot go round."""
    _check(config)
    first = _first(config)
    asked = config["select"]["inputs"]["source"]
    again = _again(config, first, asked)
    judged = _judged(config, first, again)
    require_makers(config, [*first, "select", *([] if config["oracle"] else ["review"])])
    steps: Config = {name: config[name] for name in first}
    latest: dict[str, str] = {}
    rounds = []
    for number in range(1, config["rounds"] + 1):
        made = _round(config, number, again, latest, asked)
        steps |= made
        rounds.append(list(made))
    line = [*first, *(name for names in rounds for name in names)]
    return Loop(config=steps | {"line": line}, first=first, rounds=rounds, judged=judged, oracle=config["oracle"])


def _check(config: Config) -> None:
    for key, kind in (("rounds", int), ("oracle", bool), ("budget", float | None), ("least_precision", float)):
        check_value(key, config[key], kind)
    if config["rounds"] < 1:
        raise ConfigError("a loop has 1 round or more", where="rounds", got=config["rounds"])
    if config["budget"] is not None and config["budget"] < 0:
        raise ConfigError("a budget is in seconds, 0 or more", where="budget", got=config["budget"])
    if not 0 <= config["least_precision"] <= 1:
        raise ConfigError("a share lies between 0 and 1", where="least_precision", got=config["least_precision"])
    if config["oracle"] and config["answer"]["inputs"]["truth"] is None:
        todo = "give answer.inputs.truth=<data set with true masks>, or leave out oracle=true"
        raise ConfigError("a simulated person needs the truth", where="answer.inputs.truth", got="nothing", todo=todo)
    if config["least_precision"] and not config["oracle"] and config["merge"]["rules"]["unchanged"] == "skip":
        got, todo = "skip", "merge.rules.unchanged=image, if people look at all regions of the images they change"
        raise ConfigError(
            "least_precision needs to know what was found right", where="merge.rules.unchanged", got=got, todo=todo
        )
    if absent := [name for name in config["line"] if not isinstance(config.get(name), dict)]:
        raise ConfigError("the line names steps that have no configuration", where="line", got=absent)


def _first(config: Config) -> list[str]:
    """The line's steps but those that ask; whoever makes the truth goes before them if the line leaves it out."""
    first = [name for name in config["line"] if _stage(config, name) not in ASKING]
    if not config["oracle"]:
        return first
    truth = config["answer"]["inputs"]["truth"]
    makers = [
        name for name in config if name not in first and _stage(config, name) and config[name].get("out") == truth
    ]
    return [*makers[:1], *first]


def _again(config: Config, first: list[str], asked: str) -> list[str]:
    """The steps that each round makes anew: those that read, directly or not, the data set that people are asked about.

    A step that labels is among them: it makes that data set of hints and answers.
    """
    makers = [name for name in first if config[name]["out"] == asked]
    readers = [name for name in first if asked in config[name]["inputs"].values()]
    found = reached(config | {"line": first}, {*makers, *readers})
    return [name for name in first if name in found and (name not in makers or _stage(config, name) == "label")]


def _judged(config: Config, first: list[str], again: list[str]) -> str:
    model = config["select"]["inputs"]["model"]
    if not any(config[name]["out"] == model for name in again):
        todo = "have select ask the model that the line trains, and the line train on what select asks about"
        got, expected = ", ".join(first), f"a step that makes {model} anew from {config['select']['inputs']['source']}"
        raise ConfigError("no model learns from the answers", where="line", got=got, expected=expected, todo=todo)
    measuring = [name for name in again if _stage(config, name) == "evaluate" and model in _read(config, name)]
    return (measuring or [name for name in again if config[name]["out"] == model])[-1]


def _round(config: Config, number: int, again: list[str], latest: dict[str, str], asked: str) -> Config:
    """The steps of a round; ``latest`` says where the newest version of what a step makes lies, and is kept so."""
    made: Config = {}
    for name in ("select", "answer" if config["oracle"] else "review", "merge", *again):
        step = config[name]
        inputs = {key: latest.get(path, path) for key, path in step["inputs"].items()}
        if name == "select" and config["oracle"] and number > 1:
            inputs["log"] = latest[config["answer"]["out"]]
        if step["out"] == asked:
            inputs["source"] = latest[config["merge"]["out"]]
        latest[step["out"]] = f"{config['root']}/round-{number}/{name}"
        if name == "merge":
            latest[asked] = latest[step["out"]]
        made[named(name, number)] = _settled(config, name, number) | {"inputs": inputs, "out": latest[step["out"]]}
    return made


def _settled(config: Config, name: str, number: int) -> Config:
    """A step's settings in a round: draws of its own for the queue, and what answers mean."""
    step: Config = config[name]
    if name == "merge" and config["oracle"]:
        return step | {"rules": step["rules"] | SIMULATED}
    if name != "select":
        return step
    acquisition = step["acquisition"]
    if "round" in acquisition:
        acquisition = acquisition | {"round": number - 1}
    return step | {"seed": derive(step["seed"], "round", number) % 2**31, "acquisition": acquisition}


def _stage(config: Config, name: str) -> str:
    step = config.get(name)
    return tree.stage_of(step) if isinstance(step, dict) and "_target_" in step else ""


def _read(config: Config, name: str) -> list[str]:
    return list(config[name]["inputs"].values())
