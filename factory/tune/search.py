"""The loop of a search: take a trial, carry it out, note how it ended, until the study has as many as asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from factory.core.errors import ConfigError, FactoryError, MachineError, TrainingError
from factory.execute.memory import is_out_of_memory
from factory.execute.reporting import Listener, Pruned
from factory.tune.ledger import REASON, Claim, Ledger

HOPELESS = 3
"""So many failures before anything else, and the rest would fail too."""
LOOK_EVERY_SECONDS = 0.5

Figures = Mapping[str, Any]
CarryOut = Callable[[Claim, Listener], Figures]


def search(ledger: Ledger, *, trials: int, figure: str, carry_out: CarryOut) -> Iterator[FrozenTrial]:
    """Carry out trials until ``trials`` of the study are finished; yields each that this process finished.

    ``carry_out(claim, listener)`` makes a trial's artefacts and returns the figures, among them ``figure``. A trial
    that fails with a `FactoryError`, or for lack of memory, is noted with its reason; anything else that the machine
    lacks (`MachineError`: a network, a GPU) stops the search, which then takes the trial up again. Trials that other
    processes are at are waited for, and taken over if their process dies. `TrainingError` where the first three all
    fail.
    """
    while True:
        _stop_if_hopeless(ledger)
        if claim := ledger.claim(trials):
            with claim.lock:
                _try(ledger, claim, figure, carry_out)
            yield ledger.trials()[claim.number]
        elif ledger.unfinished:
            time.sleep(LOOK_EVERY_SECONDS)
        else:
            return


def _try(ledger: Ledger, claim: Claim, figure: str, carry_out: CarryOut) -> None:
    began = time.monotonic()

    def listen(step: int, value: float) -> None:
        if ledger.report(claim, step, value):
            raise Pruned

    def settle(state: TrialState, value: float | None = None, reason: str = "") -> None:
        ledger.settle(claim, state, value=value, reason=reason, seconds=time.monotonic() - began)

    try:
        figures = carry_out(claim, listen)
    except Pruned:
        settle(TrialState.PRUNED)
    except (FactoryError, MemoryError, RuntimeError) as error:
        if not (reason := _reason(error)):
            raise
        settle(TrialState.FAIL, reason=reason)
    else:
        settle(TrialState.COMPLETE, _value(figures, figure, claim))


def _reason(error: Exception) -> str:
    """Why settings failed; empty for what is not theirs to answer for."""
    if isinstance(error, MachineError) and not is_out_of_memory(error):
        return ""
    if isinstance(error, TrainingError):
        error.todo = None  # it speaks of weights in the folder of a trial that is not kept
    if isinstance(error, FactoryError):
        return error.one_line()
    return "out of memory: these settings need more than there is" if is_out_of_memory(error) else ""


def _value(figures: Figures, figure: str, claim: Claim) -> float:
    """The figure judged by; `ConfigError` where there is none, which no other trial could cure."""
    value = figures.get(figure)
    if isinstance(value, bool) or not isinstance(value, int | float):
        plain = [name for name, other in figures.items() if isinstance(other, int | float)]
        raise ConfigError(
            "nothing to judge trials by",
            where=f"objective, {claim.folder}",
            got=f"{figure} {value}" if figure in figures else f"no figure {figure}",
            expected=", ".join(plain) or "a stage that measures something",
            todo="choose another objective=…, and another out=…; or give validation rows with masks",
        )
    return float(value)


def _stop_if_hopeless(ledger: Ledger) -> None:
    first = ledger.trials()[:HOPELESS]
    if len(first) == HOPELESS and all(trial.state == TrialState.FAIL for trial in first):
        reasons = dict.fromkeys(str(trial.user_attrs.get(REASON)) for trial in first)
        raise TrainingError(
            f"the first {HOPELESS} trials all failed",
            where=ledger.folder,
            got="\n".join(reasons),
            todo="cure that, and begin anew: another out=…, or delete the folder",
        )
