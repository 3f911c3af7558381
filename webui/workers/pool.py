"""A few long-lived processes that run calls within limits of time and memory, and are ended where a call exceeds them.

Each process has a thread here that hands it one call after the other, passes on what comes back, and watches it. A
call is over when its process is free again or has ended, and only then does the next one start.
"""

from __future__ import annotations

import logging
import multiprocessing
import queue
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any

from inpaint_core import InpaintError
from webui.workers import process as worker
from webui.workers.child import ChildProcess, worker_traceback
from webui.workers.visitors import Gone, Visitor

POLL_SECONDS = 0.1  # between two looks at the memory of a process and at whether anybody waits for its call
LATEST = 5.0  # times those seconds a call may take by the clock, for it may wait for something that never comes
GRACE_SECONDS = 1.0  # that a cancelled call has to end by itself; then its process is ended
IDLE_SECONDS = 1.0  # a process that has had nothing to do for so long does what its first call would wait for
WARM_UP_SECONDS = 600.0  # compiling for the first time on a machine takes long
RECYCLED_AT = 0.6  # share of the memory limit that an idle process may keep; then a new one takes its place
CLOSING_SECONDS = 3.0
MEGABYTE = 1 << 20

TOO_LONG = (
    "This took more computing time than this server allows ({seconds:.0f} s); choose a quicker method, a smaller hole "
    "or a smaller photo."
)
TOO_LARGE = (
    "This needs more memory than this server gives one call; choose a smaller photo, a smaller hole or another method."
)
DIED = "The process that did this ended unexpectedly, maybe for want of memory; try again, or with a smaller photo."


@dataclass(frozen=True)
class Limits:
    """What one call may take."""

    seconds: float  # of computing time, of all threads together; how busy the machine is makes no difference
    slow: bool = False  # it leaves one process to the others


@dataclass(eq=False)
class Job:
    """A call that waits for a process, or runs in one."""

    call: worker.Call
    limits: Limits
    visitor: Visitor
    news: queue.SimpleQueue[worker.Event | worker.Done | worker.Failed] = field(default_factory=queue.SimpleQueue)
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Waits:
    """A call has no process yet."""

    before: int  # so many others wait for one and came earlier


class Pool:
    """Processes for calls.

    Of an address at most all but one run at once, and of slow calls too, so that a visitor with a quick call finds a
    process free whatever one other has sent. Among those that wait, the address with the fewest running is next.

    Args:
        size: number of processes, at least 1.
        megabytes: of memory that each may use.
        warm_up: called in each new process when it has nothing to do for a while, in one at a time.
        preload: modules that are imported once, for all processes together; their memory is shared.
    """

    def __init__(
        self,
        size: int,
        megabytes: int,
        warm_up: Callable[[], None] | None = None,
        preload: tuple[str, ...] = (),
    ) -> None:
        self.size = size
        self.bytes = megabytes * MEGABYTE
        self._warm_up = warm_up
        self._warming = worker.Call(warm_up or _nothing, (), streams=False)
        self._context = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
        if sys.platform == "linux" and preload:
            self._context.set_forkserver_preload(list(preload))
        self._waiting: list[Job] = []
        self._running: list[Job] = []
        self._idle: list[ChildProcess] = []  # used last at the end
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [threading.Thread(target=self._serve, daemon=True, name=f"worker {i}") for i in range(size)]
        for thread in self._threads:
            thread.start()

    def call(
        self, visitor: Visitor, limits: Limits, function: Callable[..., Any], *arguments: Any, streams: bool = False
    ) -> Iterator[Any]:
        """Run a function in a process: yields `Waits` while it has none, then its events, at last what it returned.

        When the iterator is closed, the call is cancelled; its process is free once it has really ended.

        Args:
            visitor: who waits for it.
            limits: what it may take.
            function: of a module that a process can import; it and what goes in and out must be picklable.
            arguments: of the function.
            streams: the function's first argument shall be one to call with each event.

        Raises:
            InpaintError: the call took too long, too much memory or its process died; or it has raised this itself.
            Gone: nobody waits for it any more.
        """
        job = Job(worker.Call(function, arguments, streams), limits, visitor)
        with self._changed:
            if self._closed:
                raise InpaintError("The server is ending; try again in a minute.")
            self._waiting.append(job)
            self._changed.notify_all()
        try:
            before = None
            while True:
                try:
                    news = job.news.get(timeout=POLL_SECONDS)
                except queue.Empty:
                    if visitor.is_gone():
                        raise Gone("This call was given up.") from None
                    if before != (before := self._before(job)) and before is not None:
                        yield Waits(before)
                    continue
                if isinstance(news, worker.Failed):
                    raise news.error from (worker_traceback(news.where) if news.where else None)
                yield news.value
                if isinstance(news, worker.Done):
                    return
        finally:
            job.cancelled.set()
            with self._changed:
                if job in self._waiting:
                    self._waiting.remove(job)

    def _before(self, job: Job) -> int | None:
        """How many wait longer than this one; None if it has a process."""
        with self._changed:
            return self._waiting.index(job) if job in self._waiting else None

    def close(self) -> None:
        """End every process, in the midst of a call too."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        end = time.monotonic() + CLOSING_SECONDS  # one that still starts its process ends with the server
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _serve(self) -> None:
        """Hand one call after the other to a process, a new one where the one before has ended."""
        process: ChildProcess | None = None
        try:
            while True:
                if process is None:
                    process = ChildProcess(self._context)
                job = self._next(process)
                if job is None:
                    return
                try:
                    if not process.is_alive():  # such as one that the system chose to end for want of memory
                        process.end()
                        process = ChildProcess(self._context)
                    news, is_usable = self._run(process, job)
                except Exception:
                    logging.getLogger(__name__).exception("A worker process failed")
                    news, is_usable = _failed(DIED), False
                if not is_usable:
                    process.end()
                    process = None
                is_large = process is not None and process.memory() > RECYCLED_AT * self.bytes
                with self._changed:
                    self._running.remove(job)
                    if process is not None and not is_large:
                        self._idle.append(process)
                    self._changed.notify_all()
                job.news.put(news)
                if process is not None and is_large:
                    process.trim(CLOSING_SECONDS)
                    if process.memory() > RECYCLED_AT * self.bytes:
                        process.end()
                        process = None
        finally:
            if process is not None:
                process.end()

    def _next(self, process: ChildProcess) -> Job | None:
        """Wait for the call that is to run next in a process; None when the pool is closed."""
        with self._changed:
            if process not in self._idle:
                self._idle.insert(0, process)
            warms_up_at = time.monotonic() + IDLE_SECONDS
            while not self._closed:
                # The process that was used last has the most of what a call needs at hand.
                job = self._choose() if process is max(reversed(self._idle), key=_is_warm) else None
                if job is not None:
                    self._waiting.remove(job)
                    self._changed.notify_all()  # another process is the next one now
                elif not self._may_warm_up(process):
                    self._changed.wait()
                elif (left := warms_up_at - time.monotonic()) > 0:
                    self._changed.wait(left)
                else:
                    process.is_warm = True
                    job = Job(self._warming, Limits(WARM_UP_SECONDS, slow=True), Visitor())
                if job is not None:
                    self._idle.remove(process)
                    self._running.append(job)
                    return job
            return None

    def _may_warm_up(self, process: ChildProcess) -> bool:
        return (
            self._warm_up is not None
            and not process.is_warm
            and all(job.call is not self._warming for job in self._running)
        )

    def _choose(self) -> Job | None:
        share = max(1, self.size - 1)
        running = Counter(job.visitor.address for job in self._running)
        slow = sum(job.limits.slow for job in self._running)
        able = [
            job
            for job in self._waiting
            if running[job.visitor.address] < share and not (job.limits.slow and slow >= share)
        ]
        return min(able, key=lambda job: running[job.visitor.address], default=None)

    def _run(self, process: ChildProcess, job: Job) -> tuple[worker.Done | worker.Failed, bool]:
        """Run a call to its end; what it ended with, and whether its process is of further use."""
        process.send(job.call)
        deadline = time.monotonic() + LATEST * job.limits.seconds
        computed = process.computed() + job.limits.seconds
        asked_to_end = False
        while True:
            ready = wait([process.connection, process.sentinel], POLL_SECONDS)
            if process.connection in ready:
                try:
                    news = process.receive()
                except (EOFError, OSError):
                    return _failed(DIED), False
                if not isinstance(news, worker.Event):
                    return news, True
                job.news.put(news)
            elif process.sentinel in ready:
                return _failed(DIED), False
            if process.memory() > self.bytes:
                return _failed(TOO_LARGE), False
            if time.monotonic() > deadline or process.computed() > computed:
                return _failed(TOO_LONG.format(seconds=job.limits.seconds)), False
            if (job.cancelled.is_set() or self._closed) and not asked_to_end:
                asked_to_end = True
                process.send(worker.CANCEL)
                deadline = min(deadline, time.monotonic() + (0 if self._closed else GRACE_SECONDS))


def _failed(sentence: str) -> worker.Failed:
    """The end of a call, with a sentence for the visitor."""
    return worker.Failed(InpaintError(sentence), "")


def _is_warm(process: ChildProcess) -> bool:
    return process.is_warm


def _nothing() -> None:
    pass
