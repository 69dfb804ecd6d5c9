"""What to try next: drawn by a sampler, and never what was tried before, as equal settings give equal figures."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import optuna

from factory.core.seeds import derive
from factory.tune.samplers import Sampler
from factory.tune.space import Dimension

DRAWS = 8
"""Draws that may repeat a trial before the settings left are gone through instead, or drawn at random."""

RANDOM_DRAWS = 100
"""Draws at random where settings are without number: a sampler may ask for the same end of a range for ever."""

Words = tuple[str, ...]


def propose(study: optuna.Study, space: Mapping[str, Dimension], sampler: Sampler, seed: int) -> dict[str, Any] | None:
    """Values by key for the study's next trial; None where every combination was tried.

    A function of the study, the seed and the number of the trial: it does not matter which process asks.
    """
    trials = study.get_trials(deepcopy=False)
    tried = {_words(space, trial.params) for trial in trials if trial.params.keys() == space.keys()}
    endless = not all(dimension.values for dimension in space.values())
    values: dict[str, Any] = {}
    for draw in range(DRAWS + RANDOM_DRAWS * endless):
        choose = sampler if draw < DRAWS else optuna.samplers.RandomSampler
        values = _drawn(study, space, choose(derive(seed, "trial", len(trials), draw) % 2**32))
        if _words(space, values) not in tried:
            return values
    return values if endless else _left(space, tried)


def _drawn(study: optuna.Study, space: Mapping[str, Dimension], sampler: optuna.samplers.BaseSampler) -> dict[str, Any]:
    """What the sampler would try next, asked of a copy in memory: nothing is written yet."""
    copy = optuna.create_study(
        study_name=study.study_name, directions=study.directions, sampler=sampler, pruner=study.pruner
    )
    copy.add_trials(study.get_trials(deepcopy=False))
    trial = copy.ask()
    for key, dimension in space.items():
        dimension.suggest(trial, key)
    return dict(trial.params)


def _left(space: Mapping[str, Dimension], tried: set[Words]) -> dict[str, Any] | None:
    combinations = itertools.product(*(dimension.values or () for dimension in space.values()))
    candidates = (dict(zip(space, values, strict=True)) for values in combinations)
    return next((values for values in candidates if _words(space, values) not in tried), None)


def _words(space: Mapping[str, Dimension], values: Mapping[str, Any]) -> Words:
    return tuple(dimension.word(values[key]) for key, dimension in space.items())
