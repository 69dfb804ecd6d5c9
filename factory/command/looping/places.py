"""Where the steps of several loops go: what is made in the same way is made once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from factory.command.bind import replaced
from factory.command.perform import aside, essence
from factory.core import digests

Config = dict[str, Any]


def apart(configs: Sequence[Config], settings: Sequence[Mapping[str, str]]) -> list[Config]:
    """The configurations of lines with folders such that equal steps share one, and others have one of their own.

    ``settings`` are the swept values of each line, by key. A step's folder is named after those on which all lines
    that make it in the same way agree, and others do not.
    """
    varied = [key for key in settings[0] if len({setting[key] for setting in settings}) > 1]
    alike: dict[tuple[str, str], list[int]] = defaultdict(list)
    made = [_fingerprints(config) for config in configs]
    for number, prints in enumerate(made):
        for name, fingerprint in prints.items():
            alike[name, fingerprint].append(number)
    found = []
    for config, prints in zip(configs, made, strict=True):
        places = {
            config[name]["out"]: aside(config[name]["out"], words)
            for name, fingerprint in prints.items()
            if (words := _words(alike[name, fingerprint], settings, varied))
        }
        found.append(config | {name: replaced(config[name], places) for name in config["line"]})
    return found


def _words(members: Sequence[int], settings: Sequence[Mapping[str, str]], varied: Sequence[str]) -> list[str]:
    """The varied settings on which the lines agree; none if they are all there are."""
    common = [key for key in varied if len({settings[number][key] for number in members}) == 1]
    return [f"{key}={settings[members[0]][key]}" for key in common]


def _fingerprints(config: Config) -> dict[str, str]:
    """For each step what decides its content, by its own configuration and that of all it reads within the line."""
    found: dict[str, str] = {}
    for name in config["line"]:
        mine = essence(config, name)
        inputs = {key: found.get(str(value), value) for key, value in mine["inputs"].items()}
        found[name] = digests.of_bytes(digests.canonical(mine | {"inputs": inputs}))
    return found
