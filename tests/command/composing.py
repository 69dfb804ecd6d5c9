"""Composed configurations for tests."""

from __future__ import annotations

import re
from typing import Any

from factory.command import compose


def composed(stage: str, *words: str, sweep: bool = False) -> list[tuple[dict[str, Any], list[str]]]:
    """The configuration of every job the words ask for, required inputs set to a path."""
    required = [f"inputs.{name}=there" for name in _required(stage, words)]
    jobs: list[tuple[dict[str, Any], list[str]]] = []

    def failed(error: Exception) -> None:
        raise error

    def job(config: dict[str, Any], swept: list[str]) -> None:
        jobs.append((config, swept))

    compose.run(stage, [*required, *words], sweep=sweep, job=job, failed=failed)
    return jobs


def _required(stage: str, words: tuple[str, ...]) -> list[str]:
    inputs = compose.compose(stage, [word for word in words if "," not in re.sub(r"\[.*\]", "", word)])[0].get(
        "inputs", {}
    )
    given = {word.partition("=")[0] for word in words}
    return [name for name, path in inputs.items() if path == "???" and f"inputs.{name}" not in given]
