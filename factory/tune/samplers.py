"""Who proposes what to try next: Optuna's samplers, made afresh for every trial.

A sampler made with a seed of the trial's own draws the same whether the process before it was killed or not, and never
the same for two trials; all else it needs, it reads from the study.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import optuna

from factory.core.errors import ConfigError


class Sampler(Protocol):
    """Makes the sampler of one trial."""

    def __call__(self, seed: int) -> optuna.samplers.BaseSampler:
        """A sampler that draws by ``seed``, below 2 to the 32nd."""


@dataclass(frozen=True, kw_only=True)
class Tpe:
    """Tree-structured Parzen estimator (Bergstra et al. 2011), all keys together (Falkner et al. 2018).

    The first ``startup`` trials are drawn evenly. Trials that other processes are at count as poor ones, so that no
    two look at the same place.
    """

    startup: int = 10

    def __post_init__(self) -> None:
        _check_startup(self.startup)

    def __call__(self, seed: int) -> optuna.samplers.BaseSampler:
        """See `Sampler`."""
        return optuna.samplers.TPESampler(n_startup_trials=self.startup, constant_liar=True, seed=seed)


@dataclass(frozen=True, kw_only=True)
class Gp:
    """Bayesian optimisation with a Gaussian process: few trials, few keys. The first ``startup`` are drawn evenly."""

    startup: int = 10

    def __post_init__(self) -> None:
        _check_startup(self.startup)

    def __call__(self, seed: int) -> optuna.samplers.BaseSampler:
        """See `Sampler`."""
        return optuna.samplers.GPSampler(n_startup_trials=self.startup, seed=seed)


@dataclass(frozen=True, kw_only=True)
class Random:
    """Every trial drawn evenly, whatever was measured: the one to beat (Bergstra & Bengio 2012)."""

    def __call__(self, seed: int) -> optuna.samplers.BaseSampler:
        """See `Sampler`."""
        return optuna.samplers.RandomSampler(seed=seed)


def _check_startup(startup: int) -> None:
    if startup < 1:
        raise ConfigError("sampler.startup is too small", got=startup, expected="1 or more")
