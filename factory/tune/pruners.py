"""Who gives a trial up early: Optuna's pruners, judging by what training reports at each validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import optuna

from factory.core.errors import ConfigError


class Pruner(Protocol):
    """Makes the pruner of a study."""

    def __call__(self) -> optuna.pruners.BasePruner:
        """A pruner; steps are training steps."""


@dataclass(frozen=True, kw_only=True)
class Median:
    """Gives up what stays below the median of the trials before it at the same step (Golovin et al. 2017).

    ``startup`` trials are carried through first; no trial is given up before ``warmup`` training steps.
    """

    startup: int = 5
    warmup: int = 0

    def __post_init__(self) -> None:
        _check(startup=(self.startup, 1), warmup=(self.warmup, 0))

    def __call__(self) -> optuna.pruners.BasePruner:
        """See `Pruner`."""
        return optuna.pruners.MedianPruner(n_startup_trials=self.startup, n_warmup_steps=self.warmup)


@dataclass(frozen=True, kw_only=True)
class Hyperband:
    """Only one in ``reduction`` goes on from each rung, of ladders that begin at different steps (Li et al. 2018).

    The lowest rung lies at ``least`` training steps. The first trial is carried through: it says how many there are.
    """

    least: int = 100
    reduction: int = 3

    def __post_init__(self) -> None:
        _check(least=(self.least, 1), reduction=(self.reduction, 2))

    def __call__(self) -> optuna.pruners.BasePruner:
        """See `Pruner`."""
        return optuna.pruners.HyperbandPruner(min_resource=self.least, reduction_factor=self.reduction)


@dataclass(frozen=True, kw_only=True)
class Never:
    """Carries every trial through."""

    def __call__(self) -> optuna.pruners.BasePruner:
        """See `Pruner`."""
        return optuna.pruners.NopPruner()


def _check(**given: tuple[int, int]) -> None:
    for name, (value, least) in given.items():
        if value < least:
            raise ConfigError(f"pruner.{name} is too small", got=value, expected=f"{least} or more")
