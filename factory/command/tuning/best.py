"""What a search found as an experiment file: ``factory run experiment=<out>/best.yaml`` does it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from factory.command import compose, experiment_files, tree, yaml_files
from factory.command.tuning.words import PLACES

NAME = "best.yaml"


def experiment(stage: str, fixed: list[str], words: Mapping[str, str], *, said: str) -> str:
    """The text of an experiment that sets all of the words, found and given, but not where artefacts go.

    It begins with the line ``said``, and builds on the experiment that was tuned, if any.
    """
    given = [*fixed, *(f"{key}={word}" for key, word in words.items())]
    defaults, values = _built_on(stage, given)
    for word in compose.in_hydras_words(stage, given):
        key, value = _parsed(word)
        if key in (*PLACES, experiment_files.KEY):
            continue
        if key.partition("@")[0] in tree.groups() and not isinstance(value, dict):
            defaults = [entry for entry in defaults if f"override /{key}" not in entry]
            defaults.append({f"override /{key}": value})
        else:
            OmegaConf.update(values, key, value, force_add=True)
    body = OmegaConf.merge({"defaults": [*defaults, "_self_"]}, values)
    return f"{experiment_files.PACKAGE}# {said}\n{OmegaConf.to_yaml(body)}"


def _parsed(word: str) -> tuple[str, Any]:
    """Key and value of a word of Hydra's; choosing nothing from a group is null."""
    key, _, _ = word.partition("=")
    value = None if word.startswith("~") else OverridesParser.create().parse_override(word).value()
    return key.lstrip("+~"), value


def _built_on(stage: str, given: list[str]) -> tuple[list[Any], DictConfig]:
    """Defaults and values to begin with: a reference to the factory's own experiment, or the content of a file."""
    if path := next((path for word in reversed(given) if (path := experiment_files.path_in(word))), None):
        values = yaml_files.read(path, experiment_files.WHAT)
        defaults = OmegaConf.to_container(values.pop("defaults", OmegaConf.create([])), resolve=False)
        assert isinstance(defaults, list)
        return [entry for entry in defaults if entry != "_self_"], values
    named = compose.compose(stage, given)[1].get(experiment_files.KEY) if stage == tree.LINE else None
    return ([f"/{experiment_files.KEY}/{named}"] if named else []), OmegaConf.create({})
