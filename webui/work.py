"""Runs what costs time or memory in worker processes, or, with INPAINT_WORKERS=0, in the server's own."""

from __future__ import annotations

import atexit
import functools
import multiprocessing
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

import inpaint_core
from inpaint_core import predictor
from inpaint_core.predictor import FillOptions
from webui import gpu, limits
from webui.workers.pool import Limits, Pool
from webui.workers.process import Cancelled, Done, Event, Failed
from webui.workers.visitors import current

CHEAP = Limits(seconds=30)
"""For reading and writing a photo, drawing a mask, finding edges, measuring."""

# What every worker needs, imported once for all of them.
PRELOAD = (
    "torch",
    "inpaint_core.predictor",
    "inpaint_core.methods.feed_forward",
    "inpaint_core.methods.opencv",
    "inpaint_core.methods.patchmatch",
    "inpaint_core.sketch.detection",
    "webui.exchange",
    "webui.runner",
    "webui.session",
)

T = TypeVar("T")


@functools.cache
def pool() -> Pool:
    """The processes, started at the first call."""
    started = Pool(limits.WORKERS, limits.WORKER_MEGABYTES, warm_up, PRELOAD)
    atexit.register(started.close)
    return started


def run(function: Callable[..., T], *arguments: Any, allowed: Limits = CHEAP) -> T:
    """What a function of a module returns, run in a worker process for the visitor whose call this is.

    Raises:
        InpaintError: as the function does, or it took more than `allowed`.
    """
    if not limits.WORKERS or multiprocessing.parent_process() is not None:  # a worker does it itself
        return function(*arguments)
    *_, value = pool().call(current(), allowed, function, *arguments)
    return value


def stream(allowed: Limits, function: Callable[..., Any], *arguments: Any) -> Iterator[Any]:
    """The events of a function of a module, which calls its first argument with each; what it returns comes last.

    Before the first, a `Waits` whenever the number of those changes who are to be served before this visitor.

    Raises:
        InpaintError: as the function does, or it took more than `allowed`.
    """
    if not limits.WORKERS:
        return in_thread(function, *arguments)
    return pool().call(current(), allowed, function, *arguments, streams=True)


def in_thread(function: Callable[..., Any], *arguments: Any) -> Iterator[Any]:
    """`stream` in a thread of this process, without limits; when the iterator is closed, the next event ends it."""
    events: queue.SimpleQueue[Event | Done | Failed] = queue.SimpleQueue()
    closed = threading.Event()

    def send(event: Any) -> None:
        if closed.is_set():
            raise Cancelled
        events.put(Event(event))

    def work() -> None:
        try:
            events.put(Done(function(send, *arguments)))
        except BaseException as error:  # raised below, in the thread that waits
            events.put(Failed(error, ""))

    threading.Thread(target=work, daemon=True, name="work").start()
    try:
        while True:
            news = events.get()
            if isinstance(news, Failed):
                raise news.error
            yield news.value
            if isinstance(news, Done):
                return
    finally:
        closed.set()


def warm_up() -> None:
    """Load what the first fill needs, so that the first visitor does not wait for it."""
    image, mask = np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), bool)
    mask[6:9, 6:9] = True
    predictor.fill(image, mask, "telea", FillOptions(device=gpu.local_device()))
    if any(method.needs_weights and method.ready for method in inpaint_core.methods()):
        predictor.warm_up(gpu.local_device())
