"""Settings of parts by their keys, as on the command line: `refiner.bilateral_sxy`, `labeler.members.boxes.weight`."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any

from factory.core.errors import ConfigError


def changed(part: Any, key: str, value: Any) -> Any:
    """A copy of a part with one setting changed, however deep it lies; the part checks it as when it was made.

    `ConfigError` for a key that there is not.
    """
    return _changed(part, key.split("."), value, key)


def setting(part: Any, key: str) -> Any:
    """The value of one setting; `ConfigError` for a key that there is not."""
    for name in key.split("."):
        part = _inner(part, name, key)
    return part


def _changed(part: Any, names: list[str], value: Any, key: str) -> Any:
    first, *rest = names
    inner = _inner(part, first, key)
    new = _changed(inner, rest, value, key) if rest else _typed(inner, value, key)
    return {**part, first: new} if isinstance(part, Mapping) else dataclasses.replace(part, **{first: new})


def _inner(part: Any, name: str, key: str) -> Any:
    if isinstance(part, Mapping):
        there = [str(child) for child in part]
    else:
        there = [field.name for field in dataclasses.fields(part)] if dataclasses.is_dataclass(part) else []
    if name not in there:
        close = difflib.get_close_matches(name, there, 1)
        todo = f"did you mean {close[0]}?" if close else None
        raise ConfigError("no such setting", where=key, got=name, expected=", ".join(there) or "none", todo=todo)
    return part[name] if isinstance(part, Mapping) else getattr(part, name)


def _typed(old: Any, new: Any, key: str) -> Any:
    """A whole number where a fraction stood is one; anything else keeps its kind."""
    if isinstance(old, float) and isinstance(new, int) and not isinstance(new, bool):
        return float(new)
    if old is not None and new is not None and type(old) is not type(new):
        raise ConfigError("a value of the wrong type", where=key, got=repr(new), expected=type(old).__name__)
    return new
