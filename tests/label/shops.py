"""Where labelers learn in tests."""

from __future__ import annotations

from pathlib import Path

from factory.core.artefact import Model
from factory.core.cache import Cache
from factory.execute import Executor
from factory.execute.serial import Serial
from factory.label import Tell, Workshop


def unexpected(where: object, reason: str) -> None:
    """Nothing is worth telling."""
    raise AssertionError(f"{where}: {reason}")


def shop(
    folder: Path, *, executor: Executor | None = None, tell: Tell = unexpected, model: Model | Path | None = None
) -> Workshop:
    """In a folder of its own, cache included; one after the other."""
    cache = Cache(folder=folder / "cache")
    return Workshop(scratch=folder / "scratch", cache=cache, tell=tell, executor=executor or Serial(), model=model)
