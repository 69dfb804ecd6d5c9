"""Which settings a calibration may vary, and the search for the best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from factory.calibrate.audit import miou
from factory.calibrate.judge import Judge
from factory.core import parts
from factory.core.artefact import Identity
from factory.core.errors import ConfigError
from factory.core.ranges import ranges
from factory.core.sample import Sample
from factory.execute.reporting import Listener
from factory.label import Labeler, Learner
from factory.label.committee import Committee
from factory.label.mixed import Mixed
from factory.refine import Refiner
from factory.tune.ledger import Claim, Ledger
from factory.tune.pruners import Never
from factory.tune.samplers import Sampler
from factory.tune.search import Figures, search
from factory.tune.space import FORMS, Choices, Dimension, numbers, word_of

Space = dict[str, Dimension]


def space_of(stated: Mapping[str, Any] | None, labeler: Labeler, refiner: Refiner) -> Space:
    """What may vary: what is stated, else the ranges that the parts themselves recommend (their ``RANGES``).

    `ConfigError` for a key that is no setting, or one whose change would need a learning labeler to learn again.
    """
    both = {"labeler": labeler, "refiner": refiner}
    recommended = dict(ranges(both, closed=_is_closed))
    space = {key: _dimension(key, value) for key, value in (_flat("", stated) if stated else recommended.items())}
    if not space:
        todo = "give space.<key>=log:1:10 and its like"
        raise ConfigError("nothing may vary", where="space", got="parts that recommend no ranges", todo=todo)
    for key, dimension in space.items():
        for word in dimension.corners:
            parts.changed(both, key, value_of(word))
        if key not in recommended and _is_learnt(both, key):
            expected = ", ".join(name for name in recommended if name.startswith("labeler.")) or "none of its keys"
            raise ConfigError("the labeler would have to learn again", where=f"space.{key}", expected=expected)
    return space


def best_settings(
    judge: Judge,
    rows: Sequence[Sample],
    space: Space,
    *,
    sampler: Sampler,
    trials: int,
    most: int,
    identity: Identity,
    folder: Path,
) -> tuple[list[dict[str, Any]], Ledger]:
    """The up to ``most`` different settings of best mean IoU on some pictures, the best first, and the study.

    Settings are worth what they come to with the refiner or, where that makes masks worse, without: it will be refused.
    A killed search goes on where it was. Trial 0 is what the parts were given, where that lies in the space: nothing
    worse there ever comes first.
    """
    ledger = Ledger.open(
        folder, settings=identity, space=space, sampler=sampler, pruner=Never(), direction="maximize", keep="best"
    )
    given = {key: parts.setting({"labeler": judge.labeler, "refiner": judge.refiner}, key) for key in space}
    if all(dimension.holds(given[key]) for key, dimension in space.items()):
        ledger.first({key: dimension.parameter(given[key]) for key, dimension in space.items()})

    def carry_out(claim: Claim, listener: Listener) -> Figures:
        del listener
        settings = {key: value_of(word) for key, word in claim.words.items()}
        outcomes = judge([settings], rows, title=f"trial {claim.number + 1} of {trials}")
        with_refiner, without = (outcome.refined_kk for outcome in outcomes), (outcome.plain_kk for outcome in outcomes)
        return {"miou": max(miou(with_refiner), miou(without))}

    for _ in search(ledger, trials=trials, figure="miou", carry_out=carry_out):
        pass
    found: list[dict[str, Any]] = []
    for trial in ledger.ranked():
        settings = {key: value_of(word) for key, word in ledger.words(trial).items()}
        found += [settings] if settings not in found else []
    return found[:most] or [given], ledger


def value_of(word: str) -> Any:
    """A setting from its word on the command line; 1e-5 is a number here, which YAML's own rules do not see."""
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return yaml.safe_load(word)


def _is_closed(part: Any) -> bool:
    """Whether settings within a part are none to vary: those it is trained with, or draws for its members."""
    return _learns(part) or isinstance(part, Committee)


def _learns(part: Any) -> bool:
    """Whether a part is trained with its settings; a mixture only hands on what its members learn."""
    return isinstance(part, Learner) and not isinstance(part, Mixed)


def _is_learnt(both: Mapping[str, Any], key: str) -> bool:
    """Whether a setting lies in a part that is trained with it."""
    names = key.split(".")[:-1]
    return any(_learns(parts.setting(both, ".".join(names[: end + 1]))) for end in range(len(names)))


def _flat(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, child in value.items():
            yield from _flat(f"{key}.{name}".lstrip("."), child)
    else:
        yield key, value


def _dimension(key: str, value: Any) -> Dimension:
    """A range such as ``log:1:10``, or a list of choices."""
    try:
        if isinstance(value, list):
            return Choices(words=tuple(word_of(one) for one in value))
        if isinstance(value, str) and (found := numbers(value)):
            return found
    except ConfigError as error:
        error.where = f"space.{key}"
        raise
    raise ConfigError(
        "neither a range nor a list of choices",
        where=f"space.{key}",
        got=value,
        expected=f"{', '.join(FORMS[:-1])}, [a,b]",
    )
