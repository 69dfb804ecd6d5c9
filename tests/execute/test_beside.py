"""What goes on beside the caller comes in order, stays within its room, and fails aloud."""

import threading
import time
from functools import partial

import pytest

from factory.core.errors import InputError
from factory.execute.beside import AHEAD, ahead, behind


def test_what_is_read_ahead_comes_in_order_and_only_a_few_pieces_early() -> None:
    """Any number of pieces takes the memory of a few."""
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        return number * number

    results = ahead(work, range(50))
    assert next(results) == 0
    time.sleep(0.1)
    assert len(begun) <= AHEAD + 1
    assert list(results) == [number * number for number in range(1, 50)]
    assert list(ahead(work, [])) == []


def test_a_failure_ahead_arrives_where_its_result_would_stand() -> None:
    """What came before it is delivered."""

    def work(number: int) -> int:
        if number == 2:
            raise InputError("unreadable")
        return number

    results = ahead(work, range(5))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(InputError, match="unreadable"):
        next(results)


def test_all_that_is_left_behind_is_done_when_the_block_ends() -> None:
    """Of whatever size."""
    found: list[int] = []
    with behind(10) as do:
        for number in range(20):
            do(number, partial(found.append, number))
    assert sorted(found) == list(range(20))


def test_no_more_waits_than_there_is_room_for_but_always_one_piece() -> None:
    """The caller is held up until there is room."""
    gate, begun = threading.Event(), []
    caller_is_on = threading.Event()

    def calls() -> None:
        with behind(10) as do:
            for size in (6, 4, 100):
                begun.append(size)
                do(size, partial(gate.wait, 10))
            caller_is_on.set()

    caller = threading.Thread(target=calls)
    caller.start()
    assert not caller_is_on.wait(0.3)
    assert begun == [6, 4, 100]
    gate.set()
    assert caller_is_on.wait(10)
    caller.join()


def test_a_failure_behind_is_raised_when_the_block_ends_and_the_rest_is_done() -> None:
    """It costs nothing that was given before."""
    found: list[int] = []

    def fail() -> None:
        raise InputError("no room")

    def write() -> None:
        with behind(10) as do:
            for work in (partial(found.append, 1), fail, partial(found.append, 2)):
                do(5, work)

    with pytest.raises(InputError, match="no room"):
        write()
    assert 1 in found
