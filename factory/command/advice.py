"""What Hydra and OmegaConf say of a configuration that does not fit, in words that help whoever wrote it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import contextmanager

from hydra.errors import HydraException, OverrideParseException
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException

from factory.command import tree
from factory.core.errors import ConfigError, FactoryError

NO_CURE = re.compile(r" ?To append to your (config|default list) use \S+")
"""What Hydra advises for an unknown key or group: stages take none but their own."""

UNKNOWN_KEY = re.compile(
    r"Key '[^']*' is not in struct full_key: (\S+)|Could not override '(?:\w+@)?([^']+)'\. No match in the defaults"
)
UNKNOWN_CHOICE = re.compile(r"Could not find '(?:\w+/)*(\w+)/([^/']+)'")
DECIMAL_COMMA = re.compile(r"=-?\d+,\d+$")
FOR_PROGRAMMERS = re.compile(
    r" ?(full_key: \S+( object_type=\w+)?|Config search path:( provider=\S+ path=\S+)+|See https://\S+ for details)"
)
"""What Hydra and OmegaConf add to what they say."""

SEVERAL_GIVEN = re.compile(
    r"Ambiguous value for argument '(.*?)'\s+1\. To use|Sweep parameters '(.*?)' requires", re.DOTALL
)
SEVERAL = "several values for one key"


@contextmanager
def clear_errors(stage: str) -> Iterator[None]:
    """Turn what Hydra and OmegaConf raise inside the block into a `ConfigError` that says what to do."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, ValueError) as error:  # a number for a choice is a ValueError
        if isinstance(error.__cause__, FactoryError):
            raise error.__cause__ from error
        where = f"factory {stage}"
        if several := SEVERAL_GIVEN.search(str(error)):
            got = several[1] or several[2]
            decimal = "a decimal is written with a point; " if DECIMAL_COMMA.search(got) else ""
            todo = f"{decimal}-m makes each in turn; brackets make a list of them: key=[a,b]"
            raise ConfigError(SEVERAL, where=where, got=got, todo=todo) from error
        raise ConfigError(
            "the configuration does not fit",
            where=where,
            got=_said(error),
            expected=_choices_instead(error),
            todo=_advice(stage, error),
        ) from error


def _said(error: BaseException) -> str:
    """Hydra's words and their cause, on one line, without what is for programmers alone."""
    cause = f" ({error.__cause__})" if error.__cause__ else ""
    text = " ".join(f"{error}{cause}".split())
    if choice := UNKNOWN_CHOICE.search(text):
        return f"{choice[1]}={choice[2]}, which is no choice"
    if unknown := UNKNOWN_KEY.search(text):
        return f"'{unknown[1] or unknown[2]}', which is no key"
    return FOR_PROGRAMMERS.sub("", NO_CURE.sub("", text))


def _choices_instead(error: BaseException) -> str | None:
    """The choices of a group, where one was asked for that it does not have."""
    choice = UNKNOWN_CHOICE.search(" ".join(str(error).split()))
    return ", ".join(tree.choices(choice[1])) if choice else None


def _known_keys(stage: str) -> list[str]:
    """Keys of the stage, and of every choice of its groups."""
    parts = {
        f"{group}.{key}"
        for group in tree.own_groups(stage)
        for name in tree.choices(group)
        for key in tree.comments(group, name)
    }
    return sorted(parts | set(tree.comments(stage)) | set(tree.short_inputs(stage)))


def _alike(missed: str, known: list[str]) -> list[str]:
    """Up to three keys for one that is not there: those of the same name, if there are some within the same part those;
    if there are none, those alike.
    """
    others = [key for key in known if key != missed]
    namesakes = _of_name(missed.rpartition(".")[2], others)
    within = [key for key in namesakes if key.partition(".")[0] == missed.partition(".")[0]]
    return difflib.get_close_matches(missed, within or namesakes, 3, 0.0) or difflib.get_close_matches(missed, others)


def _of_name(name: str, known: list[str]) -> list[str]:
    """Keys of that name in whatever part; if there are none, those of which it is a word (``lr``: ``encoder_lr``)."""
    named = [(key, key.rpartition(".")[2]) for key in known]
    return [key for key, own in named if own == name] or [key for key, own in named if name in own.split("_")]


def _advice(stage: str, error: BaseException) -> str:
    text = f"{error} {error.__cause__ or ''}"
    if isinstance(error, OverrideParseException):
        return """quotes help where a value holds brackets, quotes or commas: 'images="…"'"""
    if isinstance(error, InterpolationResolutionError):
        return "what ${…} names has to be there: set it, or give the value itself"
    if "does not support sweep type" in text:
        return "give the values one by one, as key=a,b,c, or as key=range(first,end,step)"
    if "Could not override 'experiment'" in text:
        return "factory run and factory loop have experiments; a stage by itself takes a file: experiment=<file.yaml>"
    given = re.search(rf"Could not override '{stage}\.([\w.]+)'", text)
    if given and given[1] in _known_keys(stage):
        return f"leave out the {stage}. before it: {given[1]}=…"
    if meant := _places_like(text):
        return f"name its step: {' or '.join(f'{place}=…' for place in meant)}"
    missed = re.search(r"full_key: ([\w.]+)", text)
    if missed and stage in tree.LINES and (advice := _of_a_step(missed[1])):
        return advice
    close = _alike(missed[1], _known_keys(stage)) if missed else _names_like(stage, text)
    guess = f"did you mean {' or '.join(close)}? " if close else ""
    return f"{guess}factory {stage} --help lists every key{'' if close else ' and its choices'}"


def _places_like(text: str) -> list[str]:
    """Of the places of a group that Hydra lists for one that is not there, those that look like it, or all."""
    before, _, listed = text.partition("Did you mean to override")
    asked = re.findall(r"\w+@([\w.]+)", before)
    there = [place for place in dict.fromkeys(re.findall(r"\w+@([\w.]+)", listed)) if place not in asked]
    return difflib.get_close_matches(asked[0], there, 1, 0.7) or there if asked else there


def _of_a_step(missed: str) -> str:
    """What to do about a key that is not there in a line, whose keys begin with their step; empty for no idea."""
    head, _, key = missed.partition(".")
    if not key:
        return _before_a_step(head)
    stage = next((name for name in tree.stages() if head == name or head.startswith(f"{name}_")), None)
    if stage is None:
        return ""
    close = [f"inputs.{key}"] if key in tree.short_inputs(stage) else _alike(key, _known_keys(stage))
    guess = f"did you mean {' or '.join(f'{head}.{name}' for name in close)}? " if close else ""
    return f"{guess}factory {stage} --help lists every key of {head}"


def _before_a_step(word: str) -> str:
    """The same for a key that names no step: where it belongs, or the step that was meant."""
    owners = [name for name in tree.steps() if word in {*tree.comments(name), *tree.short_inputs(name)}]
    places = [f"{name}.{'inputs.' * (word in tree.short_inputs(name))}{word}=…" for name in owners]
    inner = [f"{name}.{key}=…" for name in tree.steps() for key in _of_name(word, _known_keys(name))]
    if places := places or sorted(inner, key=lambda place: place.count("."))[:3]:
        return f"name its step: {' or '.join(places)}"
    meant = difflib.get_close_matches(word, tree.steps(), 1)
    return f"did you mean {meant[0]}?" if meant else ""


def _names_like(stage: str, text: str) -> list[str]:
    """Keys, groups and choices that look like one that is quoted and not there."""
    quoted = [word.strip("'\".,:") for word in text.split() if word.startswith("'")]
    choices = {name for group in tree.groups() for name in tree.choices(group)}
    known = sorted({*tree.groups(), *tree.comments(stage), *choices})
    for word in filter(stage.__ne__, quoted):
        group = word.rpartition("/")[0].rpartition("/")[2]
        fitting = tree.choices(group) if group in tree.groups() else known
        for part in (word.rpartition("/")[2], word.rpartition(".")[2]):
            close = difflib.get_close_matches(part, fitting, 3, 0.6)
            if close and part not in fitting:
                return close
    return []
