"""Executors give every result once, in order, whatever happens to their workers."""

import functools
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from factory.core.errors import ConfigError, InputError, WorkerError
from factory.execute.process import AHEAD, Process
from factory.execute.serial import Serial


def square(number: int) -> int:
    """A piece of work."""
    return number * number


def refuse(number: int) -> int:
    """A piece of work that fails for the user's reasons."""
    if number == 2:
        raise InputError("unreadable", where=f"file {number}")
    return number


def die_once(marker: str) -> str:
    """Kill the own process the first time."""
    path = Path(marker)
    if path.name.startswith("bad") and not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return path.name


def wait_or_refuse(place: str) -> None:
    """Wait to be told to stop, or fail as soon as somebody waits."""
    folder, name = Path(place).parent, Path(place).name
    if name == "refuses":
        while not (folder / "waiting").exists():
            time.sleep(0.01)
        raise InputError("unreadable")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    (folder / "waiting").touch()
    try:
        time.sleep(60)
        (folder / "waited").touch()
    finally:
        (folder / "state").touch()


def leave(place: str) -> None:
    """A piece of work that can be counted."""
    Path(place).touch()


def die(_: int) -> None:
    """Kill the own process every time."""
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Opener:
    """Work that opens something first, and says so in a file."""

    log: str

    @functools.cached_property
    def opened(self) -> int:
        """Costly."""
        with Path(self.log).open("a") as stream:
            stream.write("opened\n")
        return 1

    def __call__(self, number: int) -> int:
        """Needs what is opened."""
        return number + self.opened


class Unreadable:
    """Work that does not arrive."""

    def __call__(self, number: int) -> int:
        """Never."""
        return number

    def __setstate__(self, state: object) -> None:
        raise InputError("unreadable there")

    def __getstate__(self) -> object:
        return {"some": "thing"}


def test_what_work_opens_is_opened_once_a_worker(tmp_path: Path) -> None:
    """Not once a piece: it may be a model."""
    found = list(Process(count=2).map(Opener(str(tmp_path / "log")), range(20), title="pieces"))
    assert found == list(range(1, 21))
    assert 1 <= len((tmp_path / "log").read_text().splitlines()) <= 2


def test_workers_go_only_a_few_pieces_ahead(tmp_path: Path) -> None:
    """What came back and nobody asked for yet takes memory."""
    results = Process(count=2).map(leave, [str(tmp_path / str(number)) for number in range(100)], title="pieces")
    next(results)
    time.sleep(1)
    assert 1 <= len(list(tmp_path.iterdir())) <= 2 * AHEAD + 1
    assert len(list(results)) == 99


def test_work_that_does_not_arrive_is_a_failure_of_its_first_piece() -> None:
    """Not of the workers."""
    with pytest.raises(InputError, match="unreadable there"):
        list(Process(count=2).map(Unreadable(), [1, 2], title="pieces"))


@pytest.mark.parametrize("executor", [Serial(), Process(count=1), Process(count=3)])
def test_results_come_in_the_order_of_the_items(executor) -> None:
    """With any number of workers."""
    assert list(executor.map(square, list(range(7)), title="squares")) == [n * n for n in range(7)]
    assert list(executor.map(square, [], title="nothing")) == []


@pytest.mark.parametrize("executor", [Serial(), Process(count=2)])
def test_a_failure_of_the_work_arrives_with_its_message(executor) -> None:
    """What came before it is delivered."""
    results = executor.map(refuse, [0, 1, 2, 3], title="work")
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(InputError, match="unreadable") as caught:
        next(results)
    assert caught.value.where == "file 2"


def test_the_work_of_a_killed_worker_is_done_again(tmp_path: Path) -> None:
    """Out of memory or killed by hand: nothing is lost or doubled."""
    items = [str(tmp_path / name) for name in ("a", "bad1", "b", "bad2", "c")]
    assert list(Process(count=2).map(die_once, items, title="work")) == ["a", "bad1", "b", "bad2", "c"]


def test_when_one_piece_fails_the_others_are_told_to_stop(tmp_path: Path) -> None:
    """Long work is not waited for; it can save its state."""
    items = [str(tmp_path / name) for name in ("refuses", "waits")]
    with pytest.raises(InputError, match="unreadable"):
        list(Process(count=2).map(wait_or_refuse, items, title="work"))
    assert (tmp_path / "state").exists()
    assert not (tmp_path / "waited").exists()


def test_work_that_always_kills_its_worker_ends_in_one_message() -> None:
    """Instead of trying for ever."""
    with pytest.raises(WorkerError, match="died 3 times"):
        list(Process(count=1).map(die, [1], title="deadly work"))


def test_a_negative_number_of_workers_is_refused() -> None:
    """Before anything starts."""
    with pytest.raises(ConfigError, match="count"):
        Process(count=-1)


def orphan(place: str) -> None:
    """Say which process this is, then work for long."""
    (Path(place) / str(os.getpid())).touch()
    time.sleep(60)


def runs(number: int) -> bool:
    """Whether the process is there, and not just waiting to be buried."""
    try:
        state = Path(f"/proc/{number}/stat").read_text()
    except FileNotFoundError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    """Killed without a chance to tell them, it leaves no process behind."""
    words = "from tests.execute.test_executors import *; list(Process(count=2).map(orphan, sys.argv[1:] * 2, title=''))"
    parent = subprocess.Popen([sys.executable, "-c", words, str(tmp_path)], start_new_session=True)
    while len(list(tmp_path.iterdir())) < 2:
        assert parent.poll() is None
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    left = {int(path.name) for path in tmp_path.iterdir()}
    for _ in range(200):
        left = {number for number in left if runs(number)}
        if not left:
            return
        time.sleep(0.05)
    raise AssertionError(f"still there: {left}")
