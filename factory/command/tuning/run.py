"""``factory tune`` from its words to ``best.yaml``."""

from __future__ import annotations

import sys
from pathlib import Path

from optuna.trial import FrozenTrial

from factory.command import show as steps_shown
from factory.command.bind import Step, bind
from factory.command.perform import perform
from factory.command.tuning import best, show
from factory.command.tuning.plan import Plan, plan
from factory.command.tuning.words import Asked, read
from factory.core import digests
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError, TrainingError
from factory.execute.ranks import rank
from factory.execute.reporting import Listener, listening
from factory.tune import results
from factory.tune.ledger import Claim, Ledger
from factory.tune.locks import holding
from factory.tune.search import Figures, search

SHARED_LOCK, HISTORY = "shared.lock", "history.json"


def tune(words: list[str]) -> None:
    """Search until the study has its trials; print them; leave `best.yaml` and `history.json` beside the study.

    Nothing is created before every key of the space has been tried at its ends.
    """
    if rank():
        todo = (
            "start the same command several times without torchrun or srun -n: the study is shared through its folder"
        )
        raise ConfigError("the processes of one job cannot share a search", got=f"process {rank()}", todo=todo)
    asked = read(words)
    planned = plan(asked)
    _require_validation(planned)
    ledger = Ledger.open(
        asked.out,
        settings=planned.identity(asked),
        space=asked.space,
        sampler=asked.sampler,
        pruner=asked.pruner,
        direction=asked.direction,
        keep=asked.keep,
    )
    _make_shared(planned, asked.out)
    _require_validation(planned)

    def carry_out(claim: Claim, listener: Listener) -> Figures:
        show.trial_began(claim.number, claim.words, asked.trials)
        return _carry_out(planned, claim, listener)

    for trial in search(ledger, trials=asked.trials, figure=planned.figure, carry_out=carry_out):
        _note(trial, asked, planned, ledger)
    _conclude(asked, planned, ledger)


def _require_validation(planned: Plan) -> None:
    """`FactoryError` where trials would have nothing to be judged by, once what that hangs on is there."""
    step = bind(planned.judged, planned.base[planned.judged])
    if step.stage == "evaluate":
        _require_masks(step)
    if planned.figure != "val_miou" or not all(path.exists() for path in step.inputs.values() if path):
        return
    from factory.segment.data import validation_rows  # it loads torch, which what is wrong in words can do without

    read_by = step.open_inputs()
    given = [read_by[name] for name in ("validation", "real", "synthetic")]
    if any(given) and not validation_rows(*given):
        raise ConfigError(
            "nothing to judge trials by: no val rows with masks to trust",
            where=f"{planned.judged}.inputs",
            todo="give validation=… (a data set with masks), or search a line that ends with evaluate",
        )


def _require_masks(step: Step) -> None:
    """`ArtefactError` where the data set to measure on is there, and has no masks of its split."""
    if (source := step.inputs["source"]) and source.exists():
        from factory.stages.evaluate import rows_of  # it loads torch, too

        rows_of(Dataset.open(source), step.parts["split"])


def _make_shared(planned: Plan, out: Path) -> None:
    def waits() -> None:
        print("waiting for another process to make what trials share …", file=sys.stderr, flush=True)

    with holding(out / SHARED_LOCK, waits=waits):
        for step in planned.shared():
            steps_shown.began(step.name)
            perform(step)


def _carry_out(planned: Plan, claim: Claim, listener: Listener) -> Figures:
    figures: Figures = {}
    for step in planned.trial(claim.words, claim.folder):
        heard = listener if step.name == planned.listened else _deaf
        with listening(heard):
            figures = perform(step).header.figures
    return figures


def _deaf(step: int, value: float) -> None:
    """What steps report that are not judged."""


def _note(trial: FrozenTrial, asked: Asked, planned: Plan, ledger: Ledger) -> None:
    """Say how a trial ended, and bring the files of the study up to date: a kill later loses nothing."""
    found = results.rows(ledger)
    leader = results.best(found)
    show.trial_ended(next(row for row in found if row.number == trial.number), planned.figure, leader)
    _write(asked, planned, ledger, leader)


def _write(asked: Asked, planned: Plan, ledger: Ledger, leader: results.Row | None) -> None:
    digests.write_atomically(asked.out / HISTORY, results.history(ledger))
    if leader:
        said = (
            f"tuned: {planned.judged}.{planned.figure} {leader.value:.4g}, the best of {len(ledger.finished())} trials "
            f"(trial {leader.number}, seed {asked.seed})"
        )
        text = best.experiment(asked.stage, asked.fixed, leader.words, said=said)
        digests.write_atomically(asked.out / best.NAME, text.encode())


def _conclude(asked: Asked, planned: Plan, ledger: Ledger) -> None:
    found = results.rows(ledger)
    leader = results.best(found)
    show.table(found, planned.figure, results.importances(ledger))
    if len(found) < asked.trials:
        print(f"that is every combination there is: {len(found)} of {asked.trials} trials")
    if leader is None:
        reasons = dict.fromkeys(row.reason for row in found if row.reason)
        raise TrainingError("no trial was carried through", where=asked.out, got="\n".join(reasons) or None)
    _write(asked, planned, ledger, leader)
    show.found(leader, planned.figure, ledger.folder_of(leader.number), asked.stage, asked.out / best.NAME)
