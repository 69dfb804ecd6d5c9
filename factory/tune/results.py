"""What a study found: its trials best first, which keys mattered, and both as JSON that equal studies share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from factory.core import digests
from factory.tune.ledger import REASON, SECONDS, Ledger

STATES = {
    TrialState.COMPLETE: "done",
    TrialState.PRUNED: "given up",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}
NEEDED = 4
"""Trials carried through below which nothing can be said of what mattered."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One trial, as people read it. ``seconds`` are those of the process that finished it."""

    number: int
    state: str
    value: float | None
    words: dict[str, str]
    reports: dict[int, float]
    reason: str
    seconds: float | None


def rows(ledger: Ledger) -> list[Row]:
    """Every trial: those carried through best first, then those given up by their last figure, then the rest."""
    order = list(STATES)
    sign = -1.0 if ledger.study.direction == optuna.study.StudyDirection.MAXIMIZE else 1.0

    def rank(trial: FrozenTrial) -> tuple[int, float, int]:
        return order.index(trial.state), sign * (trial.value or 0.0), trial.number

    return [_row(ledger, trial) for trial in sorted(ledger.trials(), key=rank)]


def best(found: list[Row]) -> Row | None:
    """The best trial that was carried through: rows come best first."""
    return found[0] if found and found[0].state == STATES[TrialState.COMPLETE] else None


def _row(ledger: Ledger, trial: FrozenTrial) -> Row:
    return Row(
        number=trial.number,
        state=STATES[trial.state],
        value=trial.value,
        words=ledger.words(trial),
        reports=dict(sorted(trial.intermediate_values.items())),
        reason=trial.user_attrs.get(REASON, ""),
        seconds=trial.user_attrs.get(SECONDS),
    )


def importances(ledger: Ledger) -> dict[str, float]:
    """Each key's share in what made trials good, largest first, by PED-ANOVA (Watanabe et al. 2023).

    Empty where too few trials were carried through, or all ended alike.
    """
    values = {trial.value for trial in ledger.trials(TrialState.COMPLETE)}
    if len(ledger.trials(TrialState.COMPLETE)) < NEEDED or len(values) < 2:
        return {}
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    return dict(optuna.importance.get_param_importances(ledger.study, evaluator=evaluator))


def history(ledger: Ledger) -> bytes:
    """Trials by number with settings, reports and results: no time, so that equal searches give equal bytes."""
    found: list[dict[str, Any]] = [
        {
            "trial": row.number,
            "state": row.state,
            "value": row.value,
            "settings": row.words,
            "reports": {str(step): value for step, value in row.reports.items()},
            "reason": row.reason,
        }
        for row in sorted(rows(ledger), key=lambda row: row.number)
    ]
    return digests.canonical(found)
