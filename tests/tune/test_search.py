"""The study on disk: nothing is lost or done twice, whoever is killed and however many work on it."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
import torch
from optuna.trial import TrialState

from factory.command import compose, tree
from factory.command.bind import make_part
from factory.core.errors import ArtefactError, ConfigError, FactoryError, MachineError, TrainingError
from factory.execute.reporting import Listener
from factory.tune import results
from factory.tune.ledger import Claim, Ledger
from factory.tune.locks import grasp, holding
from factory.tune.proposals import propose
from factory.tune.pruners import Hyperband, Median
from factory.tune.samplers import Gp, Random, Sampler
from factory.tune.search import CarryOut, Figures, search
from factory.tune.space import Choices, Numbers
from tests.full_disk import cut_at
from tests.tune.searching import climb, done, height, opened


def program(folder: Path, trials: int) -> subprocess.Popen[str]:
    """The same search as a process of its own."""
    command = [sys.executable, "-m", "tests.tune.searching", str(folder), str(trials)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def searched(ledger: Ledger, carry_out: CarryOut, trials: int = 4) -> list[TrialState]:
    """How each trial ended."""
    ended = search(ledger, trials=trials, figure="height", carry_out=carry_out)
    return [trial.state for trial in ended]


def reasons(ledger: Ledger) -> list[str]:
    """Why trials failed, best first."""
    return [row.reason for row in results.rows(ledger) if row.reason]


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """What eight trials of one unbroken process come to."""
    ledger = opened(tmp_path / "whole")
    done(ledger, 8)
    return results.history(ledger)


def test_killed_at_any_instant_the_study_ends_as_if_nothing_had_happened(whole: bytes, tmp_path: Path) -> None:
    """Real SIGKILLs: the same trials with the same settings, each counted once, and the one in hand done again."""
    folder = tmp_path / "killed"
    log = folder / "begun.txt"
    for wait in (0.0, 0.05, 0.11):
        before = log.stat().st_size if log.exists() else 0
        process = program(folder, 8)
        while process.poll() is None and not (log.exists() and log.stat().st_size > before):
            time.sleep(0.005)
        time.sleep(wait)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    left = opened(folder).unfinished
    printed, errors = program(folder, 8).communicate(timeout=60)
    ledger = opened(folder)
    assert left == 1
    assert errors == ""
    assert results.history(ledger) == whole
    begun = log.read_text().splitlines()
    assert len(begun) > len(set(begun)) == 8
    assert int(printed.split()[-1]) == 7


def test_processes_share_a_study_and_its_trials_are_as_many_as_asked_for(tmp_path: Path) -> None:
    """Three at once: each trial is one's alone, none is repeated; all stay until the last is done."""
    processes = [program(tmp_path, 12) for _ in range(3)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [errors for _, errors in outputs] == ["", "", ""]
    numbers = sorted(int(number) for printed, _ in outputs for number in printed.split())
    assert numbers == list(range(12))
    ledger = opened(tmp_path)
    assert [trial.state for trial in ledger.trials()] == [TrialState.COMPLETE] * 12
    assert len({str(ledger.words(trial)) for trial in ledger.trials()}) == 12


def test_a_living_process_takes_over_the_trial_of_a_killed_one(tmp_path: Path) -> None:
    """Without being started again."""
    other = program(tmp_path, 2)
    while not (tmp_path / "begun.txt").exists():
        time.sleep(0.005)
    os.kill(other.pid, signal.SIGSTOP)
    ours = program(tmp_path, 2)
    waited = 0
    while len((tmp_path / "begun.txt").read_text().splitlines()) < 2:
        time.sleep(0.005)
        waited += 1
        if waited % 1000 == 0:  # it was stopped while it wrote to the study, which all others wait for
            os.kill(other.pid, signal.SIGCONT)
            time.sleep(0.005)
            os.kill(other.pid, signal.SIGSTOP)
    os.kill(other.pid, signal.SIGKILL)
    other.communicate()
    printed, errors = ours.communicate(timeout=60)
    assert (sorted(printed.split()), errors) == (["0", "1"], "")


def test_more_trials_may_be_asked_for_later(tmp_path: Path) -> None:
    """And fewer: then there is nothing to do."""
    assert done(opened(tmp_path), 3) == [0, 1, 2]
    assert done(opened(tmp_path), 2) == []
    assert done(opened(tmp_path), 4) == [3]


@pytest.mark.parametrize("choice", tree.choices("sampler"))
def test_trials_differ_and_depend_on_seed_and_number_alone(choice: str, tmp_path: Path) -> None:
    """In one process or one process a trial; equal searches give equal bytes."""
    sampler: Sampler = make_part("sampler", compose.resolved(tree.TUNE, [f"sampler={choice}"])["sampler"])
    if hasattr(sampler, "startup"):
        sampler = replace(sampler, startup=4)
    done(opened(tmp_path / "once", sampler=sampler), 6)
    for trials in range(1, 7):
        done(opened(tmp_path / "again", sampler=sampler), trials)
    once, again = (opened(tmp_path / name, sampler=sampler) for name in ("once", "again"))
    assert results.history(once) == results.history(again)
    assert len({once.words(trial)["lr"] for trial in once.trials()}) == 6


def test_no_settings_are_tried_twice_and_a_small_space_ends_early(tmp_path: Path) -> None:
    """Equal settings give equal figures: each combination once, then there is nothing to do."""
    space = {"lr": Numbers(low=0.5, high=1.0, step=0.25), "kind": Choices(words=("a", "b"))}
    ledger = opened(tmp_path, space=space)
    assert done(ledger, 20) == list(range(6))
    assert {(row.words["lr"], row.words["kind"]) for row in results.rows(ledger)} == {
        (lr, kind) for lr in ("0.5", "0.75", "1.0") for kind in "ab"
    }


def test_a_sampler_that_asks_for_one_end_of_a_range_for_ever_is_not_followed() -> None:
    """As a Gaussian process does where the figure rises towards it."""
    study, space = optuna.create_study(direction="maximize"), {"lr": Numbers(low=0.0, high=1.0)}
    for _ in range(12):
        values = propose(study, space, Gp(startup=3), 0)
        assert values is not None
        distributions = {"lr": optuna.distributions.FloatDistribution(0.0, 1.0)}
        study.add_trial(optuna.create_trial(params=values, distributions=distributions, value=values["lr"]))
    assert len({space["lr"].word(trial.params["lr"]) for trial in study.trials}) == 12


def test_a_trial_proposed_by_a_process_that_was_killed_before_it_began_is_begun_first(tmp_path: Path) -> None:
    """Nothing is proposed in its place."""
    ledger = opened(tmp_path)
    ledger.study.enqueue_trial({"lr": 0.01, "kind": "a"})
    assert done(ledger, 2) == [0, 1]
    assert ledger.words(ledger.trials()[0])["lr"] == "0.01"


def test_a_kill_in_the_middle_of_a_write_is_mended(whole: bytes, tmp_path: Path) -> None:
    """Half a line, and the lock that Optuna's journal leaves behind."""
    folder = tmp_path / "torn"
    done(opened(folder), 4)
    with (folder / "study.journal").open("a") as journal:
        journal.write('{"op_code":4,"worker')
    (folder / "study.journal.lock").symlink_to("study.journal")
    began = time.monotonic()
    ledger = opened(folder)
    done(ledger, 8)
    assert time.monotonic() - began < 10
    assert results.history(ledger) == whole


def test_a_journal_of_something_else_is_one_message(tmp_path: Path) -> None:
    """No traceback."""
    done(opened(tmp_path), 1)
    (tmp_path / "study.journal").write_text("not a journal\n{}\n")
    with pytest.raises(ArtefactError, match="unreadable study"):
        opened(tmp_path)


@pytest.mark.parametrize("left", [0, 300])
def test_a_journal_that_lost_its_trials_is_not_begun_anew_over_them(left: int, tmp_path: Path) -> None:
    """What they made would be replaced, without a word."""
    ledger = opened(tmp_path / "tune")
    list(search(ledger, trials=2, figure="height", carry_out=climb))
    (kept,) = [place for place in (tmp_path / "tune" / "trials").iterdir() if place.is_dir()]
    journal = tmp_path / "tune" / "study.journal"
    journal.write_bytes(journal.read_bytes()[:left])
    with pytest.raises(ArtefactError, match="cut short"):
        opened(tmp_path / "tune")
    assert kept.is_dir()


def test_another_study_and_another_folder_are_refused(tmp_path: Path) -> None:
    """Naming what differs."""
    opened(tmp_path / "study", steps=20)
    with pytest.raises(ArtefactError, match=r"config.steps: 20 there, 30 asked"):
        opened(tmp_path / "study", steps=30)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    with pytest.raises(ArtefactError, match="holds something else"):
        opened(tmp_path / "full")


@pytest.mark.parametrize(("key", "value"), [("keep", "some"), ("direction", "up")])
def test_unknown_options_are_refused(key: str, value: str, tmp_path: Path) -> None:
    """By name."""
    with pytest.raises(ConfigError, match=f"unknown {key}"):
        opened(tmp_path, **{key: value})


def test_only_the_best_trials_folder_stays_unless_all_are_asked_for(tmp_path: Path) -> None:
    """A folder that a killed process could not remove goes with the next trial."""
    ledger = opened(tmp_path / "best")
    done(ledger, 4)
    ledger.folder_of(3).mkdir(exist_ok=True)
    done(ledger, 5)
    best = ledger.best()
    assert best is not None
    assert [path.name for path in (tmp_path / "best" / "trials").iterdir()] == [str(best.number)]
    done(opened(tmp_path / "all", keep="all"), 4)
    assert sorted(path.name for path in (tmp_path / "all" / "trials").iterdir()) == list("0123")


def test_the_best_is_the_largest_or_the_smallest(tmp_path: Path) -> None:
    """As the direction says; rows come in that order."""
    for direction, best in (("maximize", max), ("minimize", min)):
        ledger = opened(tmp_path / direction, direction=direction)
        done(ledger, 5)
        values = [row.value for row in results.rows(ledger) if row.value is not None]
        assert values[0] == best(values)
        assert values == sorted(values, reverse=direction == "maximize")
        leader = results.best(results.rows(ledger))
        assert leader is not None
        assert leader.value == height(leader.words)


def test_what_promises_too_little_is_given_up_and_cleared_away(tmp_path: Path) -> None:
    """The median pruner needs two trials to compare with."""
    ledger = opened(tmp_path, sampler=Random(), pruner=Median(startup=2))
    states = searched(ledger, climb, 12)
    assert states[:2] == [TrialState.COMPLETE] * 2
    assert TrialState.PRUNED in states
    given_up = [row for row in results.rows(ledger) if row.state == "given up"]
    assert all(len(row.reports) < 5 for row in given_up)
    assert not any(ledger.folder_of(row.number).exists() for row in given_up)


def test_hyperband_lets_few_go_on(tmp_path: Path) -> None:
    """The first trial says how many steps there are."""
    states = searched(opened(tmp_path, sampler=Random(), pruner=Hyperband(least=1, reduction=2)), climb, 12)
    assert states[0] == TrialState.COMPLETE
    assert TrialState.PRUNED in states


def test_a_report_made_again_after_a_kill_counts_once(tmp_path: Path) -> None:
    """And is judged again."""
    ledger = opened(tmp_path)
    claim = ledger.claim(1)
    assert claim is not None
    with claim.lock:
        assert not ledger.report(claim, 10, 0.5)
        assert not ledger.report(claim, 10, 0.5)
    assert ledger.trials()[0].intermediate_values == {10: 0.5}


def test_trials_that_fail_are_noted_with_their_reason_and_the_study_goes_on(tmp_path: Path) -> None:
    """A bad setting, too little memory of the machine's or of the GPU's."""
    errors = {
        1: FactoryError("a bad setting", where="here"),
        2: MemoryError(),
        3: torch.OutOfMemoryError("CUDA out of memory"),
        4: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9000000000000 bytes."),
    }

    def carry_out(claim: Claim, listener: Listener) -> Figures:
        if error := errors.get(claim.number):
            claim.folder.mkdir(parents=True)
            raise error
        return climb(claim, listener)

    ledger = opened(tmp_path)
    assert searched(ledger, carry_out, 6) == [TrialState.COMPLETE, *[TrialState.FAIL] * 4, TrialState.COMPLETE]
    assert reasons(ledger)[0] == "a bad setting; where: here"
    assert all("out of memory" in reason for reason in reasons(ledger)[1:])
    assert not ledger.folder_of(1).exists()


def test_three_failures_first_stop_the_search_with_their_reason(tmp_path: Path) -> None:
    """Now and when it is started again."""

    def carry_out(claim: Claim, _: Listener) -> Figures:
        raise FactoryError("nothing works")

    for _ in range(2):
        with pytest.raises(TrainingError, match=r"(?s)first 3 trials all failed.*nothing works"):
            searched(opened(tmp_path), carry_out, 9)
        assert len(opened(tmp_path).trials()) == 3


@pytest.mark.parametrize(
    ("figures", "said"),
    [({}, "no figure height"), ({"height": None, "width": 2.0}, "height None"), ({"height": True}, "height True")],
)
def test_without_its_figure_a_search_stops_at_once_and_loses_nothing(figures: Figures, said: str, tmp_path) -> None:
    """No other settings would help; the trial stays to be taken up."""
    with pytest.raises(ConfigError, match=f"(?s)nothing to judge trials by.*{said}"):
        searched(opened(tmp_path), lambda *_: figures)
    assert opened(tmp_path).unfinished == 1


@pytest.mark.parametrize("fault", [OSError("no space left"), MachineError("weights cannot be had from the model hub")])
def test_a_fault_that_is_no_settings_fault_stops_and_the_trial_is_taken_up_again(fault, tmp_path: Path) -> None:
    """Such as a full disk, or no network."""

    def carry_out(claim: Claim, listener: Listener) -> Figures:
        raise fault

    with pytest.raises(type(fault), match=r"no space|model hub"):
        searched(opened(tmp_path), carry_out)
    words = opened(tmp_path).words(opened(tmp_path).trials()[0])
    ledger = opened(tmp_path)
    assert searched(ledger, climb, 1) == [TrialState.COMPLETE]
    assert ledger.words(ledger.trials()[0]) == words


def test_a_journal_that_a_full_disk_cuts_short_is_named_and_goes_on(whole: bytes, tmp_path: Path) -> None:
    """The half line is dropped, and the same is proposed as if there had been room."""
    ledger, journal = opened(tmp_path / "full"), tmp_path / "full" / "study.journal"
    with cut_at(journal.stat().st_size + 9), pytest.raises(OSError, match="large") as error:
        ledger.claim(1)
    assert error.value.filename == str(journal)
    ledger = opened(tmp_path / "full")
    done(ledger, 8)
    assert results.history(ledger) == whole


def test_what_mattered_is_said_once_there_is_enough_to_say(tmp_path: Path) -> None:
    """Shares that add up to one."""
    ledger = opened(tmp_path, sampler=Random())
    done(ledger, 2)
    assert results.importances(ledger) == {}
    done(ledger, 20)
    shares = results.importances(ledger)
    assert set(shares) == {"lr", "kind"}
    assert sum(shares.values()) == pytest.approx(1)


def test_a_lock_is_one_holders_and_who_waits_says_so(tmp_path: Path) -> None:
    """Until it is closed."""
    held = grasp(tmp_path / "lock")
    assert held is not None
    assert grasp(tmp_path / "lock") is None
    said: list[str] = []

    def waits() -> None:
        said.append("waiting")
        held.close()

    with holding(tmp_path / "lock", waits=waits):
        assert said == ["waiting"]
