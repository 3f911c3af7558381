"""SIGTERM and Ctrl+C as a request to finish, instead of an end in the middle."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def on_signals(request: Callable[[int], None]) -> Iterator[None]:
    """Within it, SIGTERM and SIGINT call `request` with their number; the handlers of before return afterwards."""

    def handle(number: int, frame: Any) -> None:
        request(number)

    previous = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
