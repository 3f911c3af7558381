"""Runs a compiled loop over many items in threads, a range of them at a time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache

import torch

RANGE = 4096  # items; its size, not the number of threads, decides what a range sees of the others


@lru_cache(maxsize=1)
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, "ranges")


def run(
    loop: Callable[..., None],
    count: int,
    *arguments: object,
    size: int = RANGE,
    done: Callable[[int], None] | None = None,
) -> None:
    """Call `loop(first, last, *arguments)` for all ranges of [0, count), in as many threads as torch uses.

    Args:
        loop: a compiled one.
        count: of the items.
        arguments: of the loop.
        size: items of a range.
        done: called in this thread with the items of each range that is done; what it raises ends the work.
    """
    ranges = [(start, min(start + size, count)) for start in range(0, count, size)]
    if len(ranges) <= 1 or torch.get_num_threads() == 1:
        for first, last in ranges:
            loop(first, last, *arguments)
            if done is not None:
                done(last - first)
        return
    futures = [_pool(torch.get_num_threads()).submit(loop, *each, *arguments) for each in ranges]
    try:
        for future, (first, last) in zip(futures, ranges, strict=True):
            future.result()
            if done is not None:
                done(last - first)
    finally:  # no loop may still write where the caller thinks that all is over
        for future in futures:
            future.cancel()
        wait(futures)
