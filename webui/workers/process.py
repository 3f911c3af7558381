"""What runs in a worker process: one call after the other, each ended by its own process only."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from webui.workers.messages import Packed, pack, receive, send, unpack

IDLE_SECONDS = 0.2  # a process that has had nothing to do for so long tidies up; the next call must not wait for that
M_ARENA_MAX, ARENAS = -8, 2  # of glibc's mallopt: without it each thread keeps memory of its own that never shrinks


@dataclass(frozen=True)
class Call:
    """What a process is to do."""

    function: Callable[..., Any]  # of a module; where `streams`, its first argument is called with each event
    arguments: tuple[Any, ...]
    streams: bool


@dataclass(frozen=True)
class Event:
    """Something of a call that still runs."""

    value: Any


@dataclass(frozen=True)
class Done:
    """What a call returned."""

    value: Any


@dataclass(frozen=True)
class Failed:
    """What a call raised."""

    error: BaseException
    where: str  # the traceback, as text


class Cancelled(BaseException):
    """Ends a call from inside, at its next event; no `except Exception` holds it up."""


CANCEL = "cancel"  # sent to a process in place of a call
TRIM = "trim"  # the same; it gives freed memory back at once and answers with a `Done`


def serve(connection: Connection) -> None:
    """Run the calls that come through the connection until it is closed.

    Args:
        connection: brings each `Call`, or `CANCEL` for the one that runs, or `TRIM`; takes the `Event`s of a call, then
            its `Done` or `Failed`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C goes to the whole group; the server ends its processes itself
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    limit_arenas()
    gc.freeze()  # what was imported is never looked at again: its memory stays shared between the processes
    try:
        while True:
            if not connection.poll(IDLE_SECONDS):
                trim()
            call = receive(connection)
            if call == TRIM:
                trim()
                send(connection, pack(Done(None)))
            elif call != CANCEL:  # one that came too late for the call before
                send(connection, _answer(connection, call))
            del call
    except (EOFError, OSError):  # the server has closed the connection
        return


def _answer(connection: Connection, call: Call) -> Packed:
    """Run a call; its `Done` or `Failed`."""

    def report(event: Any) -> None:
        if connection.poll():
            receive(connection)
            raise Cancelled
        send(connection, pack(Event(event)))

    try:
        value = call.function(report, *call.arguments) if call.streams else call.function(*call.arguments)
        return pack(Done(value))
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        where = traceback.format_exc()
        with contextlib.suppress(Exception):
            answer = pack(Failed(error.with_traceback(None), where))
            unpack(answer)  # some exceptions cannot be made again from what they were pickled to
            return answer
        return pack(Failed(RuntimeError(f"{type(error).__name__}: {error}"), where))


def _end_with_the_server() -> None:
    """End at once when the server has gone, in the midst of a call too."""
    server = multiprocessing.parent_process()
    assert server is not None
    wait([server.sentinel])
    os._exit(1)


def limit_arenas() -> None:
    """Let freed memory go back to the system instead of staying with each thread; only glibc has that habit."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


def trim() -> None:
    """Give freed memory back to the system.

    What is alive while nothing runs, such as networks, stays: it is not looked at again, which would take 60 ms a time.
    """
    gc.collect()
    gc.freeze()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
