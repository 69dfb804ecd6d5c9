"""YAML files that users hand in on the command line."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from factory.core.errors import InputError
from factory.core.given import instead_of


def read(path: Path, what: str) -> DictConfig:
    """The mapping in a file, interpolations as written; `InputError` naming the kind of file where it is none."""
    try:
        content = OmegaConf.load(path)
    except (OSError, YAMLError, OmegaConfBaseException, UnicodeDecodeError) as error:
        todo = "check the path and the file" if path.exists() else instead_of(path)
        raise InputError.of(error, what=f"unreadable {what}", where=path, todo=todo) from error
    if not isinstance(content, DictConfig) or not content:
        raise InputError(f"an empty {what}", where=path, got="no keys", expected="a YAML mapping of keys to values")
    return content
