"""A study on disk that any number of processes write in, and that loses nothing when one of them is killed.

    study.journal      every proposal, report and result, a line each (Optuna's journal storage)
    study.lock         held by whoever writes in it
    trials/<n>/        what trial n made; trials/<n>.lock is held by the process that is at it

The system releases a dead process's locks. So a trial that is begun, unfinished, and whose lock can be had, belonged to
a process that was killed: the next one to look takes it up, with its number, its settings, its folder and its reports.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from factory.core.artefact import Identity
from factory.core.errors import ArtefactError, ConfigError
from factory.tune.locks import grasp, holding
from factory.tune.proposals import propose
from factory.tune.pruners import Pruner
from factory.tune.samplers import Sampler
from factory.tune.space import Dimension

JOURNAL, LOCK, TRIALS = "study.journal", "study.lock", "trials"
STUDY, SETTINGS, REASON, SECONDS = "tune", "settings", "reason", "seconds"
KEEP = ("best", "all")
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


@dataclass(frozen=True)
class Claim:
    """A trial that this process alone is at."""

    trial: optuna.Trial
    words: dict[str, str]
    folder: Path
    lock: TextIOWrapper

    @property
    def number(self) -> int:
        """Counted from 0."""
        return self.trial.number


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The study in ``folder``. ``settings`` is all that makes two studies comparable: another's are refused."""

    folder: Path
    study: optuna.Study
    space: Mapping[str, Dimension]
    sampler: Sampler
    seed: int
    keep: str

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        settings: Identity,
        space: Mapping[str, Dimension],
        sampler: Sampler,
        pruner: Pruner,
        direction: str,
        keep: str,
    ) -> Ledger:
        """Begin a study, or take up the one that is there; `ArtefactError` if that one has other settings."""
        _check("direction", direction, ("maximize", "minimize"))
        _check("keep", keep, KEEP)
        if folder.is_dir() and any(folder.iterdir()) and not (folder / TRIALS).is_dir():
            raise ArtefactError("the folder holds something else", where=folder, todo="give another out=…")
        (folder / TRIALS).mkdir(parents=True, exist_ok=True)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with _writing(folder):
            study = _study(folder, settings, direction, pruner())
            _check_whole(folder, len(study.get_trials(deepcopy=False)))
            return cls(folder=folder, study=study, space=space, sampler=sampler, seed=settings.seed, keep=keep)

    def first(self, values: Mapping[str, Any]) -> None:
        """Let a study that has no trial yet begin with these."""
        with _writing(self.folder):
            if not self.trials():
                self.study.enqueue_trial(dict(values))

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """Trials in these states, or all of them, by number."""
        return self.study.get_trials(deepcopy=False, states=states or None)

    @property
    def unfinished(self) -> int:
        """How many trials some process is at, or was when it was killed."""
        return len(self.trials(TrialState.RUNNING))

    def finished(self) -> list[FrozenTrial]:
        """Trials that ended, however they did."""
        return self.trials(*FINISHED)

    def claim(self, trials: int) -> Claim | None:
        """A trial to work on: one whose process was killed, else a new one.

        None where ``trials`` are begun, or every combination is.
        """
        with _writing(self.folder):
            for left in self.trials(TrialState.RUNNING):
                if lock := grasp(self._lock(left.number)):
                    return self._claimed(optuna.Trial(self.study, left._trial_id), lock)
            if not self._waiting(trials):
                return None
            trial = self.study.ask()
            lock = grasp(self._lock(trial.number))
            assert lock is not None, "nobody else is at a trial that is not begun"
            return self._claimed(trial, lock)

    def _waiting(self, trials: int) -> bool:
        """Whether a trial waits to be begun, once it was proposed if there is room for another."""
        if self.trials(TrialState.WAITING):
            return True  # its process was killed between two lines of the journal
        room = len(self.trials()) < trials
        values = propose(self.study, self.space, self.sampler, self.seed) if room else None
        if values is not None:
            self.study.enqueue_trial(values)
        return values is not None

    def report(self, claim: Claim, step: int, value: float) -> bool:
        """Note how a trial goes; whether it is to be given up."""
        with _writing(self.folder):
            if step not in self.trials()[claim.number].intermediate_values:
                claim.trial.report(value, step)
            return claim.trial.should_prune()

    def settle(
        self, claim: Claim, state: TrialState, *, value: float | None = None, reason: str = "", seconds: float
    ) -> None:
        """Note how a trial ended, and clear away what is not kept."""
        with _writing(self.folder):
            claim.trial.set_user_attr(SECONDS, seconds)
            if reason:
                claim.trial.set_user_attr(REASON, reason)
            self.study.tell(claim.number, value, state)
            self._lock(claim.number).unlink()
            self._clear()

    def best(self) -> FrozenTrial | None:
        """The best of the trials that were carried through; the first of equal ones."""
        return next(iter(self.ranked()), None)

    def ranked(self) -> list[FrozenTrial]:
        """The trials that were carried through, the best first, equal ones in their order."""
        sign = -1.0 if self.study.direction == StudyDirection.MAXIMIZE else 1.0
        return sorted(self.trials(TrialState.COMPLETE), key=lambda trial: sign * (trial.value or 0.0))

    def words(self, trial: FrozenTrial) -> dict[str, str]:
        """What a trial set, by key, as on a command line."""
        return {key: dimension.word(trial.params[key]) for key, dimension in self.space.items() if key in trial.params}

    def folder_of(self, number: int) -> Path:
        """Where a trial's artefacts go."""
        return self.folder / TRIALS / str(number)

    def _claimed(self, trial: optuna.Trial, lock: TextIOWrapper) -> Claim:
        for key, dimension in self.space.items():
            dimension.suggest(trial, key)
        words = self.words(self.trials()[trial.number])
        return Claim(trial=trial, words=words, folder=self.folder_of(trial.number), lock=lock)

    def _lock(self, number: int) -> Path:
        return self.folder / TRIALS / f"{number}.lock"

    def _clear(self) -> None:
        """Remove the folders of finished trials that are not kept; also those that a killed process left."""
        best = self.best()
        for trial in self.finished():
            kept = trial.state == TrialState.COMPLETE if self.keep == "all" else best and trial.number == best.number
            if not kept:
                shutil.rmtree(self.folder_of(trial.number), ignore_errors=True)


def _study(folder: Path, settings: Identity, direction: str, pruner: optuna.pruners.BasePruner) -> optuna.Study:
    try:
        storage = JournalStorage(JournalFileBackend(str(folder / JOURNAL)))
        if STUDY not in optuna.get_all_study_names(storage):
            optuna.create_study(study_name=STUDY, storage=storage, direction=StudyDirection[direction.upper()])
        idle = optuna.samplers.RandomSampler()  # proposals are made elsewhere
        study = optuna.load_study(study_name=STUDY, storage=storage, pruner=pruner, sampler=idle)
        stated: dict[str, Any] | None = study.user_attrs.get(SETTINGS)
        there = Identity(**stated) if stated else None
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        todo = "give another out=…, or delete the folder"
        raise ArtefactError.of(error, what="unreadable study", where=folder / JOURNAL, todo=todo) from error
    if there is None:
        study.set_user_attr(SETTINGS, vars(settings))
    elif differing := settings.differences(there):
        raise ArtefactError(
            "another study is in the way, of other settings",
            where=folder,
            got="\n".join(differing[:12]),
            todo="give another out=…, or delete the folder to begin anew",
        )
    return study


def _check_whole(folder: Path, known: int) -> None:
    """`ArtefactError` where trials lie that the journal says nothing of: it would begin anew, over what they made."""
    numbers = [int(place.name) for place in (folder / TRIALS).iterdir() if place.is_dir() and place.name.isdigit()]
    if lost := sorted(number for number in numbers if number >= known):
        raise ArtefactError(
            "the study's journal was cut short",
            where=folder / JOURNAL,
            got=f"{known} trials, and the artefacts of trial {', '.join(map(str, lost))}",
            todo="bring the journal back, give another out=…, or delete the folder to begin anew",
        )


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Alone with the journal. What a killed writer left, a lock of Optuna's or half a line, goes first."""
    with holding(folder / LOCK):
        journal = folder / JOURNAL
        journal.with_name(f"{JOURNAL}.lock").unlink(missing_ok=True)
        if journal.is_file():
            _drop_half_a_line(journal)
        try:
            yield
        except OSError as error:
            error.filename = error.filename or str(journal)
            raise


def _drop_half_a_line(journal: Path) -> None:
    with journal.open("rb+") as stream:
        size = stream.seek(0, os.SEEK_END)
        if size and not _ends_whole(stream.fileno(), size):
            stream.seek(0)
            stream.truncate(stream.read().rfind(b"\n") + 1)


def _ends_whole(descriptor: int, size: int) -> bool:
    return os.pread(descriptor, 1, size - 1) == b"\n"


def _check(key: str, got: str, choices: tuple[str, ...]) -> None:
    if got not in choices:
        raise ConfigError(f"unknown {key}", where=key, got=got, expected=", ".join(choices))
