"""The page served from this process, for the tests of the API and of the browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served(cache: Path, workers: int = 0) -> Iterator[str]:
    """The address of a page that runs until the end of the `with`; its files go into `cache`.

    With `workers` it has so many worker processes, as a real server; else all runs in this one.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    folder_before = os.environ.get("GRADIO_TEMP_DIR", "")  # of a server that goes on
    os.environ["GRADIO_TEMP_DIR"] = str(cache)
    from webui import limits, page, work

    before, limits.WORKERS = limits.WORKERS, workers
    demo = page.build()
    _, address, _ = page.launch(demo, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    try:
        yield address
    finally:
        demo.close(verbose=False)
        if workers:
            work.pool().close()
            work.pool.cache_clear()
        limits.WORKERS = before
        os.environ["GRADIO_TEMP_DIR"] = folder_before
