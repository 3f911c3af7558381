"""The page: `python app.py`, then open the address it prints. A Hugging Face Space starts this file too."""

import os
import signal
import threading

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Gradio computes statistics of all calls whenever one fails; nobody sees them, and a flood of bad calls is costly.
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000000")
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "1")
# Threads that wait must sleep, not spin: on a machine shared with other programs spinning costs twenty times the time.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is loaded


def stop(number: int, frame: object) -> None:
    """End as Ctrl+C does: process 1 of a container gets SIGTERM only where it asks for it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # nothing shall keep it from deleting the visitors' files
    raise KeyboardInterrupt


def main() -> None:
    """Build the page and serve it; imported here, as worker processes import this file as well."""
    from inpaint_core.weights.public import fetch
    from webui import files

    # Read when Gradio is imported: what visitors upload goes where all their files are swept and counted.
    os.environ.setdefault("GRADIO_TEMP_DIR", str(files.cache_folder()))
    from webui import page

    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=fetch.fetch_at_start, daemon=True).start()  # what INPAINT_FETCH names
    page.launch(page.build())


if __name__ == "__main__":
    main()
