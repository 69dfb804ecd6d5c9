"""``experiment=<file.yaml>``: an experiment of one's own, from anywhere, as if it lay among the factory's."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from factory.command import tree, yaml_files

KEY, WHAT = "experiment", "experiment file"
PACKAGE = "# @package _global_\n"


@contextmanager
def reachable(stage: str, words: list[str]) -> Iterator[list[str]]:
    """The words with every experiment's path replaced by a name that Hydra finds inside the block."""
    with tempfile.TemporaryDirectory() as folder:
        named = [_named(stage, word, Path(folder)) for word in words]
        yield named if named == words else [*named, f"hydra.searchpath=['file://{folder}']"]


def path_in(word: str) -> Path | None:
    """The file that a word such as ``experiment=mine/best.yaml`` names; None for the name of an experiment."""
    key, _, value = word.partition("=")
    return Path(value) if key.lstrip("+") == KEY and value.endswith((".yaml", ".yml")) else None


def _named(stage: str, word: str, folder: Path) -> str:
    key, _, value = word.partition("=")
    if key.lstrip("+") != KEY or not any(path_in(f"{KEY}={one}") for one in value.split(",")):
        return word
    names = [_placed(Path(one), folder) if path_in(f"{KEY}={one}") else one for one in value.split(",")]
    return f"{KEY if stage in tree.LINES else f'+{KEY}'}={','.join(names)}"


def _placed(path: Path, folder: Path) -> str:
    yaml_files.read(path, WHAT)
    text = path.read_text()
    (folder / KEY).mkdir(exist_ok=True)
    name = re.sub(r"\W", "_", f"{path.stem}_file{len(list((folder / KEY).iterdir())) or ''}")
    place = folder / KEY / f"{name}.yaml"
    place.write_text(text if "@package" in text else PACKAGE + text)
    return name
