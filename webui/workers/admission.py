"""Who may start next: one call of a visitor at a time, a few of an address, and a refusal where too many wait.

A call that has its turn may read its photo; those that wait hold nothing but a thread.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from inpaint_core import InpaintError
from webui.workers.visitors import Gone, Visitor, current

POLL_SECONDS = 0.5  # a call that waits looks so often whether its sender still does


@dataclass(frozen=True)
class Shares:
    """How many calls are taken at once."""

    of_session: int = 1  # that have their turn
    of_address: int = 4  # the same; several people may share an address
    of_all: int = 12  # the same; each may hold a photo in memory
    waiting_of_session: int = 3
    waiting_of_address: int = 64
    waiting_of_all: int = 150  # each holds a thread


@dataclass(eq=False)
class _Place:
    visitor: Visitor
    has_turn: threading.Event = field(default_factory=threading.Event)

    @property
    def session(self) -> tuple[str, str]:
        return self.visitor.address, self.visitor.session


class Admission:
    """Gives out turns: to the address with the fewest, and there to who came first."""

    def __init__(self, shares: Shares = Shares()) -> None:
        self.shares = shares
        self._places: list[_Place] = []  # in the order of their arrival
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, visitor: Visitor) -> Iterator[None]:
        """Wait for a turn, and have it until the end of the `with`.

        Raises:
            InpaintError: too many calls of this visitor, its address or all together wait already.
            Gone: the sender has not waited so long.
        """
        place = _Place(visitor)
        with self._lock:
            self._refuse_if_full(place)
            self._places.append(place)
            self._give_turns()
        try:
            while not place.has_turn.wait(POLL_SECONDS):
                if visitor.is_gone():
                    raise Gone("This call was given up before its turn came.")
            yield
        finally:
            with self._lock:
                self._places.remove(place)
                self._give_turns()

    def _refuse_if_full(self, place: _Place) -> None:
        waiting = [each for each in self._places if not each.has_turn.is_set()]
        if sum(each.session == place.session for each in waiting) >= self.shares.waiting_of_session:
            raise InpaintError(
                f"{self.shares.waiting_of_session} calls of yours wait already; send the next when one is done."
            )
        of_address = sum(each.visitor.address == place.visitor.address for each in waiting)
        if of_address >= self.shares.waiting_of_address:
            raise InpaintError("Too many calls from your network address wait already; try again in a minute.")
        if len(waiting) >= self.shares.waiting_of_all:
            raise InpaintError("Too many calls wait already; try again in a minute.")

    def _give_turns(self) -> None:
        """Start every call that may start: as many as the shares allow."""
        active = [each for each in self._places if each.has_turn.is_set()]
        of_session = Counter(each.session for each in active)
        of_address = Counter(each.visitor.address for each in active)
        for _ in range(self.shares.of_all - len(active)):
            able = [
                each
                for each in self._places
                if not each.has_turn.is_set()
                and of_session[each.session] < self.shares.of_session
                and of_address[each.visitor.address] < self.shares.of_address
            ]
            if not able:
                return
            chosen = min(able, key=lambda each: of_address[each.visitor.address])
            of_session[chosen.session] += 1
            of_address[chosen.visitor.address] += 1
            chosen.has_turn.set()


FILLS = Admission()
"""Of all calls that run a method."""

READING = Admission()
"""Of those that read a file or find edges: a visitor may open a photo while a fill still runs on the one before."""

TAKES_TURNS: dict[str, Any] = {"concurrency_limit": None}
"""Settings of a listener whose function takes turns: Gradio's own queue must not hold it up."""


def takes_turns(function: Callable[..., Any], admission: Admission = FILLS) -> Callable[..., Any]:
    """The same handler or generator of the page or the API, which waits for its turn before it begins."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generator(*arguments: Any, **named: Any) -> Any:
            with admission.turn(current()):
                yield from function(*arguments, **named)

        return generator

    @functools.wraps(function)
    def plain(*arguments: Any, **named: Any) -> Any:
        with admission.turn(current()):
            return function(*arguments, **named)

    return plain


def takes_reading_turns(function: Callable[..., Any]) -> Callable[..., Any]:
    """`takes_turns` for a handler that only reads a file or finds edges."""
    return takes_turns(function, READING)
