"""The callbacks of a running fill: how far it is, and what the photo looks like so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

Progress = Callable[[float, str], None]
"""Called with the share done in [0, 1] and a short text."""

Preview = Callable[[np.ndarray], None]
"""Called with the photo as far as it is filled, uint8 H x W x 3."""

PREVIEW_SECONDS = 0.25  # between two previews, at least

T = TypeVar("T")


def part_of(progress: Progress | None, low: float, high: float) -> Progress | None:
    """The same callback for a part of the work that spans [low, high] of the whole."""
    return None if progress is None else lambda share, text: progress(low + share * (high - low), text)


def throttled(show: Callable[[T], None]) -> Callable[[T], None]:
    """The same function, but calls that follow one within `PREVIEW_SECONDS` do nothing."""
    due = 0.0

    def show_if_due(output: T) -> None:
        nonlocal due
        if time.perf_counter() >= due:
            show(output)
            due = time.perf_counter() + PREVIEW_SECONDS

    return show_if_due
