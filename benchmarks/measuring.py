"""The instruments: best time of several runs, peak of memory, a process of its own, and the photo all are run on."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

Measured = TypeVar("Measured")


def best_time(run: Callable[[], object], repeats: int) -> float:
    """The least seconds of several calls, after one that warms up: on a shared machine the one disturbed least."""
    run()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def in_a_fresh_process(function: Callable[..., Measured], *arguments: object) -> Measured:
    """Call a function of a module in a new interpreter, so that memory and caches are its own; returns its result."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def reset_peak() -> float:
    """Start to measure the peak of memory anew where the system can (Linux); returns the megabytes in use now."""
    if not Path("/proc/self/status").exists():
        return peak()
    with contextlib.suppress(OSError):  # some containers forbid it; then the peak of the imports is in the number too
        Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM; proc(5)
    return _status_megabytes("VmRSS")


def peak() -> float:
    """The peak of memory in megabytes, since `reset_peak` or the start of the process."""
    # not ru_maxrss on Linux: there a process inherits it from the one that starts it
    if Path("/proc/self/status").exists():
        return _status_megabytes("VmHWM")
    import resource  # Unix only

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def photo(height: int, width: int) -> np.ndarray:
    """A real photo of any size, uint8 height x width x 3 (the astronaut of scikit-image, public domain)."""
    from skimage import data

    return cv2.resize(data.astronaut(), (width, height), interpolation=cv2.INTER_CUBIC)


def _status_megabytes(key: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"/proc/self/status has no {key}")
