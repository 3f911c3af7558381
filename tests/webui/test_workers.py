"""Calls in processes that can be ended, and who has his turn when."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil
import pytest

from inpaint_core import InpaintError
from tests.waiting import until
from webui.workers.admission import Admission, Shares
from webui.workers.pool import Limits, Pool
from webui.workers.visitors import Gone, Visitor

ANNA, BERT = Visitor("10.0.0.1", "anna"), Visitor("10.0.0.2", "bert")
PATIENCE = 30.0  # seconds; the machine may be busy
PATIENT = Limits(PATIENCE)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    started = Pool(2, megabytes=1200)  # torch is in them where another test has started its pool before
    yield started
    started.close()


def _value(pool: Pool, function: Callable[..., Any], *arguments: Any, limits: Limits = PATIENT) -> Any:
    *_, value = pool.call(ANNA, limits, function, *arguments)
    return value


def _sleep_in_process(send: Callable[[int], None], seconds: float) -> None:
    """Says which process it is, then nothing more."""
    send(os.getpid())
    time.sleep(seconds)


def _count_for_ever(send: Callable[[int], None]) -> None:
    number = 0
    while True:
        send(number)
        number += 1
        time.sleep(0.01)


def _compute_for_ever() -> None:
    while True:
        pass


def _refuse(sentence: str) -> None:
    raise InpaintError(sentence)


def _take_memory(megabytes: int) -> None:
    taken = [np.ones(1 << 17) for _ in range(megabytes)]
    time.sleep(PATIENCE)
    del taken


class _OwnError(Exception):
    def __init__(self, one: int, two: int) -> None:  # cannot be made again from its message alone
        super().__init__("own words")


def _raise_own() -> None:
    raise _OwnError(1, 2)


def test_a_function_runs_in_another_process_and_returns_what_it_returned(pool: Pool) -> None:
    assert _value(pool, os.getpid) != os.getpid()
    image = np.arange(1_500_000, dtype=np.uint8).reshape(1000, 500, 3)
    assert np.array_equal(_value(pool, np.flip, image), np.flip(image))


def test_the_process_that_was_used_last_is_used_again(pool: Pool) -> None:
    first = _value(pool, os.getpid)
    assert [_value(pool, os.getpid) for _ in range(4)] == [first] * 4


def test_errors_come_back_as_they_were_raised(pool: Pool) -> None:
    with pytest.raises(InpaintError, match=r"^Paint something\.$"):
        _value(pool, _refuse, "Paint something.")
    with pytest.raises(ZeroDivisionError) as caught:
        _value(pool, divmod, 1, 0)
    assert "process.py" in str(caught.value.__cause__)
    with pytest.raises(RuntimeError, match="_OwnError: own words"):
        _value(pool, _raise_own)


def test_a_call_that_is_closed_ends_by_itself_and_its_process_goes_on(pool: Pool) -> None:
    other = pool.call(BERT, Limits(PATIENCE), _count_for_ever, streams=True)
    next(other)  # keeps one of the two processes busy
    counting = _value(pool, os.getpid)
    events = pool.call(ANNA, Limits(PATIENCE), _count_for_ever, streams=True)
    assert [each for each, _ in zip(events, range(3), strict=False)] == [0, 1, 2]
    events.close()  # type: ignore[attr-defined]
    until(lambda: len(pool._running) == 1, PATIENCE)
    assert _value(pool, os.getpid) == counting
    other.close()  # type: ignore[attr-defined]
    until(lambda: not pool._running, PATIENCE)


def test_a_call_that_does_not_listen_is_killed_and_its_place_is_taken_until_it_has_ended(pool: Pool) -> None:
    events = pool.call(ANNA, Limits(PATIENCE), _sleep_in_process, 600, streams=True)
    process = psutil.Process(next(events))
    events.close()  # type: ignore[attr-defined]
    until(lambda: bool(not pool._running), PATIENCE)
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert _value(pool, divmod, 7, 2) == (3, 1)


@pytest.mark.parametrize(
    ("function", "arguments", "limits", "words"),
    [
        (time.sleep, (600,), Limits(0.1), "more computing time than this server allows"),
        (_compute_for_ever, (), Limits(0.5), "more computing time than this server allows"),
        (_take_memory, (1600,), Limits(PATIENCE), "more memory than this server gives"),
        (os._exit, (9,), Limits(PATIENCE), "ended unexpectedly"),
    ],
)
def test_a_call_beyond_its_limits_is_one_sentence_and_the_next_one_is_served(
    pool: Pool, function: Callable[..., Any], arguments: tuple[Any, ...], limits: Limits, words: str
) -> None:
    with pytest.raises(InpaintError, match=words):
        _value(pool, function, *arguments, limits=limits)
    assert _value(pool, divmod, 7, 2) == (3, 1)


def test_an_address_that_sends_much_leaves_a_process_to_the_others(pool: Pool) -> None:
    started = threading.Event()

    def occupy() -> None:
        with contextlib.suppress(InpaintError):  # it takes too long, as it shall
            for _ in pool.call(ANNA, Limits(0.5), _sleep_in_process, 600, streams=True):
                started.set()

    threads = [threading.Thread(target=occupy) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert started.wait(PATIENCE)
    *_, value = pool.call(BERT, Limits(PATIENCE), divmod, 7, 2)
    assert value == (3, 1)
    assert sum(thread.is_alive() for thread in threads) >= 2  # Anna's calls run one after the other
    for thread in threads:
        thread.join(PATIENCE)


@dataclass
class _Caller:
    """A call in a thread of its own that holds its turn until it is released."""

    admission: Admission
    visitor: Visitor

    def __post_init__(self) -> None:
        self.has_turn, self.release, self.error = threading.Event(), threading.Event(), None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            with self.admission.turn(self.visitor):
                self.has_turn.set()
                self.release.wait(PATIENCE)
        except InpaintError as error:
            self.error = error


def test_a_visitor_has_one_turn_at_a_time_and_few_waiting() -> None:
    admission = Admission(Shares(waiting_of_session=2))
    callers = [_Caller(admission, ANNA) for _ in range(1)]
    assert callers[0].has_turn.wait(PATIENCE)
    callers += [_Caller(admission, ANNA) for _ in range(2)]
    until(lambda: len(admission._places) == 3, PATIENCE)
    with pytest.raises(InpaintError, match="2 calls of yours wait already"), admission.turn(ANNA):
        pass
    with admission.turn(BERT):  # is not held up by Anna's
        assert not callers[1].has_turn.is_set()
    callers[0].release.set()
    until(lambda: callers[1].has_turn.is_set() != callers[2].has_turn.is_set(), PATIENCE)
    for caller in callers:
        caller.release.set()
        caller.thread.join(PATIENCE)


def test_the_address_with_the_fewest_turns_is_next() -> None:
    admission = Admission(Shares(of_all=2, of_address=2))
    first = [_Caller(admission, Visitor("10.0.0.1", f"tab {number}")) for number in range(2)]
    until(lambda: all(caller.has_turn.is_set() for caller in first), PATIENCE)
    third = _Caller(admission, Visitor("10.0.0.1", "tab 3"))
    until(lambda: len(admission._places) == 3, PATIENCE)
    late = _Caller(admission, BERT)
    until(lambda: len(admission._places) == 4, PATIENCE)
    first[0].release.set()
    assert late.has_turn.wait(PATIENCE)
    assert not third.has_turn.is_set()
    for caller in (*first, third, late):
        caller.release.set()


class _LeavingVisitor(Visitor):
    def is_gone(self) -> bool:
        return True


def test_a_call_whose_sender_is_gone_leaves_the_queue_and_its_process(pool: Pool) -> None:
    admission = Admission(Shares(of_session=1))
    leaving = _LeavingVisitor("10.0.0.1", "anna")
    with admission.turn(ANNA), pytest.raises(Gone), admission.turn(leaving):
        pass
    with pytest.raises(Gone):
        list(pool.call(leaving, Limits(PATIENCE), time.sleep, 600))
    until(lambda: not pool._running, PATIENCE)
