"""Composed configurations for tests."""

from __future__ import annotations

import functools
import re
from typing import Any

from factory.command import compose
from factory.core.errors import ConfigError


def composed(stage: str, *words: str, sweep: bool = False) -> list[tuple[dict[str, Any], list[str]]]:
    """The configuration of every job the words ask for, required inputs set to a path.

    Choices hardly ever bring inputs of their own, so the stage's are tried first: a composition takes its time.
    """
    try:
        return _jobs(stage, words, _required(stage), sweep=sweep)
    except ConfigError:
        plain = tuple(word for word in words if "," not in re.sub(r"\[.*\]", "", word))
        return _jobs(stage, words, _required(stage, *plain), sweep=sweep)


def _jobs(
    stage: str, words: tuple[str, ...], required: list[str], *, sweep: bool
) -> list[tuple[dict[str, Any], list[str]]]:
    given = {word.partition("=")[0] for word in words}
    there = [f"inputs.{name}=there" for name in required if not {name, f"inputs.{name}"} & given]
    jobs: list[tuple[dict[str, Any], list[str]]] = []

    def failed(error: Exception) -> None:
        raise error

    def job(config: dict[str, Any], swept: list[str]) -> None:
        jobs.append((config, swept))

    compose.run(stage, [*there, *words], sweep=sweep, job=job, failed=failed)
    return jobs


@functools.cache
def _required(stage: str, *words: str) -> list[str]:
    inputs = compose.compose(stage, list(words))[0].get("inputs", {})
    return [name for name, path in inputs.items() if path == "???"]
