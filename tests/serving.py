"""The page served from this process, for the tests of the API and of the browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served(cache: Path) -> Iterator[str]:
    """The address of a page that runs until the end of the `with`; its files go into `cache`."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(cache)
    from webui import page

    demo = page.build()
    _, address, _ = page.launch(demo, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    try:
        yield address
    finally:
        demo.close(verbose=False)
