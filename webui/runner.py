"""Runs the core for the page: one queue for all fills, news while they run, a GPU where ZeroGPU lends one."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np

import inpaint_core
from inpaint_core import InpaintError, Result, catalogue

QUEUE = "fill"
AT_ONCE = 2  # fills at the same time; the others wait in the queue and see their place in it
DEVICE = os.environ.get("INPAINT_DEVICE", "auto")
SLOW = 1.2  # seconds at 512 x 512 on a CPU: a method that costs more runs in a comparison only if it was chosen
LENT_SECONDS = (15, 60)  # of a GPU, for a quick and a slow method; a visitor with less left in the quota is refused

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Order:
    """What is to be filled and how; plain data, as it may travel to the process that has the GPU."""

    image: np.ndarray  # uint8 H x W x 3
    mask: np.ndarray  # bool H x W
    method: str = ""
    sketch: np.ndarray | None = None  # bool H x W
    seed: int = 0
    refine: str | None = None
    blend: str | None = None  # "poisson", "mixed"
    explain: bool = False


@dataclass(frozen=True)
class Progress:
    """How far a fill is."""

    share: float  # in [0, 1]
    text: str


@dataclass(frozen=True)
class Unfinished:
    """The photo with what is filled so far, uint8 H x W x 3; only methods that fill pixel by pixel show it."""

    image: np.ndarray


News = Progress | Unfinished | Result
"""What a running fill tells; the `Result` comes last."""


class _Left(Exception):
    """Ends a fill for which nobody waits any more."""


def zero_gpu() -> bool:
    """True on a Hugging Face Space whose GPU is lent for one call at a time."""
    return os.environ.get("SPACES_ZERO_GPU", "").strip().lower() in ("1", "true", "t", "yes", "on")


def on_lent_gpu(function: Function) -> Function:
    """The function, run where ZeroGPU lends a GPU; anywhere else the function itself.

    The package `spaces` is part of such a Space and of no requirement of ours.
    """
    if not zero_gpu():
        return function
    import spaces

    return spaces.GPU(duration=_seconds_lent)(function)


def device_here() -> str:
    """The device for what runs in this process: with ZeroGPU the GPU is lent to another one."""
    return "cpu" if zero_gpu() else DEVICE


def _seconds_lent(order: Order) -> int:
    return LENT_SECONDS[is_slow(order.method)]


def is_slow(name: str) -> bool:
    """True for a method that takes so long that a comparison leaves it out unless asked."""
    return catalogue.get(name).cost > SLOW


def _run(order: Order) -> Iterator[News]:
    """Fill in a thread of its own and pass on what it tells; what the user can mend is a result's `error`."""
    news: queue.SimpleQueue[News | BaseException] = queue.SimpleQueue()
    device = DEVICE if catalogue.get(order.method).needs_weights else device_here()
    left = threading.Event()

    def tell(share: float, text: str) -> None:
        if left.is_set():
            raise _Left
        news.put(Progress(share, text))

    def work() -> None:
        settings = {field.name: getattr(order, field.name) for field in fields(order)}
        try:
            news.put(
                inpaint_core.inpaint(
                    **settings, device=device, progress=tell, preview=lambda image: news.put(Unfinished(image))
                )
            )
        except InpaintError as error:
            news.put(Result(order.method, None, 0.0, error=str(error)))
        except BaseException as error:  # told to the one who waits
            news.put(error)

    threading.Thread(target=work, daemon=True, name="fill").start()
    try:
        while True:
            told = news.get()
            if isinstance(told, BaseException):
                raise told
            if isinstance(told, Result) and zero_gpu():
                told.details = _portable(told.details)
            yield told
            if isinstance(told, Result):
                return
    finally:
        left.set()


_run_lent = on_lent_gpu(_run)


def steps(order: Order) -> Iterator[News]:
    """Fill, and tell how it goes: progress, unfinished photos, at last the result.

    Raises:
        InpaintError: as `inpaint_core.inpaint`.
    """
    # Methods without a network stay off the GPU, so that a visitor without any quota can use them.
    for news in (_run_lent if catalogue.get(order.method).needs_weights else _run)(order):
        if isinstance(news, Result) and news.error is not None:
            raise InpaintError(news.error)
        yield news


def fill(order: Order) -> Result:
    """Fill, and wait for the result; errors as in `steps`."""
    for news in steps(order):
        if isinstance(news, Result):
            return news
    raise AssertionError("a fill ended without a result")


def compare(order: Order, names: list[str]) -> Iterator[News]:
    """Fill with each of the methods, those of little cost first; a method that fails yields a result with its error.

    The next method starts when the one before has been taken, so that their times can be compared.

    Raises:
        InpaintError: no method was chosen, or one that is not known or has no weights.
    """
    records = sorted((catalogue.require_ready(name) for name in dict.fromkeys(names)), key=lambda record: record.cost)
    if not records:
        raise InpaintError("No method was chosen; choose at least one.")
    for index, record in enumerate(records):
        try:
            for news in steps(replace(order, method=record.name)):
                if isinstance(news, Progress):
                    share = (index + news.share) / len(records)
                    text = news.text if record.title in news.text else f"{record.title}: {news.text}"
                    news = Progress(share, text)
                yield news
        except InpaintError as error:
            yield Result(record.name, None, 0.0, error=str(error))


def _portable(value: Any) -> Any:
    """The same details with every tensor as a NumPy array: they leave the process that has the GPU."""
    if hasattr(value, "detach"):
        return value.detach().float().cpu().numpy()
    if isinstance(value, dict):
        return {name: _portable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_portable(each) for each in value]
    return value


def warm_up() -> None:
    """Load what the first fill needs, so that the first visitor does not wait for it."""
    from inpaint_core import metrics  # imports torch, which the page does without until now

    tiny = np.zeros((16, 16, 3), np.uint8)
    hole = np.zeros((16, 16), bool)
    hole[6:9, 6:9] = True
    inpaint_core.inpaint(tiny, hole, "telea", device=device_here())
    if not zero_gpu() and any(method.needs_weights and method.ready for method in inpaint_core.methods()):
        inpaint_core.warm_up(DEVICE)  # with ZeroGPU there is no GPU outside of a call
    metrics.lpips_unavailable_reason()  # loads LPIPS, or remembers why it cannot
