"""Runs a compiled loop over many items in threads, a range of them at a time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import torch

RANGE = 4096  # items; its size, not the number of threads, decides what a range sees of the others


@lru_cache(maxsize=1)
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, "patchmatch")


def run(loop: Callable[..., None], count: int, *arguments: object) -> None:
    """Call `loop(first, last, *arguments)` for all ranges of [0, count), in as many threads as torch uses."""
    starts = range(0, count, RANGE)
    if len(starts) <= 1 or torch.get_num_threads() == 1:
        for start in starts:
            loop(start, min(start + RANGE, count), *arguments)
        return
    pool = _pool(torch.get_num_threads())
    for future in [pool.submit(loop, start, min(start + RANGE, count), *arguments) for start in starts]:
        future.result()
