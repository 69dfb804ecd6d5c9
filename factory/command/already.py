"""What is there already, told from headers alone: nothing is loaded of what would make it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from factory.command import tree
from factory.command.bind import UNIMPORTANT
from factory.command.perform import Outcome
from factory.core import digests, given
from factory.core.artefact import HEADER, Artefact, Identity, read_header
from factory.core.errors import FactoryError
from factory.core.version import code_version
from factory.core.writer import is_sealed

Config = dict[str, Any]


def beginning(line: Config) -> list[Outcome]:
    """The outcomes of a line's first steps, up to the first that is not there: what follows that one may change."""
    outcomes: list[Outcome] = []
    for name in line["line"]:
        outcome = step_there(name, line[name])
        if outcome is None:
            break
        outcomes.append(outcome)
    return outcomes


def step_there(name: str, config: Config) -> Outcome | None:
    """The outcome of a step whose artefact is there; None if it is not, or that takes more to tell.

    What a header states was bound and checked once, by this very code: what equals it needs no second look. Where
    something differs or cannot be read, `factory.command.perform` says what.
    """
    began = time.monotonic()
    try:
        out = Path(str(config.get("out")))
        if not (out / HEADER).is_file():
            return None
        header = read_header(out)
        identity = _asked(config, header.identity)
        if header.identity.differences(identity):
            return None
        is_sealed(out, identity)  # tidies what a kill may have left beside it
    except (FactoryError, OSError):
        return None
    return Outcome(name, out, header, time.monotonic() - began, skipped=True)


def _asked(config: Config, stated: Identity) -> Identity:
    """What a step's configuration asks for, in the words of what is there."""
    deciding = {key: value for key, value in config.items() if key not in UNIMPORTANT}
    inputs = {name: path for name, path in (config.get("inputs") or {}).items() if path is not None}
    return Identity(
        stage=tree.stage_of(config),
        config=_as_stated(deciding, stated.config),
        seed=config.get("seed", 0),
        inputs={name: digest_of(Path(str(path))) for name, path in inputs.items()},
        code=code_version(),
    )


def _as_stated(asked: Any, stated: Any) -> Any:
    """What is asked, with the folders and files that are stated by their content taken by theirs."""
    if isinstance(asked, str) and isinstance(stated, Mapping) and set(stated) == {"content"}:
        return {"content": digests.of_path(Path(asked))}
    if isinstance(asked, dict) and isinstance(stated, dict):
        return {key: _as_stated(value, stated.get(key)) for key, value in asked.items()}
    if isinstance(asked, list) and isinstance(stated, list) and len(asked) == len(stated):
        return [_as_stated(one, other) for one, other in zip(asked, stated, strict=True)]
    return asked


def digest_of(path: Path) -> str:
    """Of an input, as a stage takes it: an artefact's own, or what is in a user's file or folder."""
    return Artefact.open(path).digest if (path / HEADER).is_file() else digests.of_path(path, given.files_in)
