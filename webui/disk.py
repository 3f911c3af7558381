"""What visitors may keep on the server's disk, and for how long.

Of the environment: INPAINT_DISK_MEGABYTES for all files of visitors together, INPAINT_VISITOR_MEGABYTES for the photo
and the fills of one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from inpaint_core import InpaintError
from inpaint_core.numeric import as_number
from webui import files

MEGABYTE = 1e6
ALL_BYTES = MEGABYTE * as_number(os.environ.get("INPAINT_DISK_MEGABYTES", "4000"), "INPAINT_DISK_MEGABYTES", 10, 1e9)
VISITOR_BYTES = MEGABYTE * as_number(
    os.environ.get("INPAINT_VISITOR_MEGABYTES", "500"), "INPAINT_VISITOR_MEGABYTES", 1, 1e9
)
HOUR = 3600.0
KEPT_SECONDS = HOUR  # of a file that no open page shows
SHOWN_SECONDS = 24 * HOUR  # of the photo and fills of an open page since the last of them
CROWDED = 0.8  # share of the disk from which on the oldest files go, however young, that no open page shows
SWEEP_SECONDS = 60.0
FULL = "This server's disk is full; try again in a few minutes."


def used(folder: Path) -> int:
    """Bytes of all files in a folder; 0 where it is not there."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(path, name)).st_size
            except FileNotFoundError:  # deleted meanwhile
                continue
    return total


class Disk:
    """The folder that holds all files of this server's visitors, and how full it was when last looked at.

    Args:
        folder: in it a folder for each visitor, for each short-lived file, and Gradio's cache.
        shown: the visitors' folders whose page is open.
    """

    def __init__(self, folder: Path, shown: Callable[[], set[Path]] = set) -> None:
        self.folder = folder
        self.shown = shown
        self.used = used(folder)

    def sweep(self) -> None:
        """Delete what is too old, and where the disk is crowded the oldest of what no open page shows."""
        now, shown = time.time(), self.shown()
        # Gradio gives each file a folder in its cache; a folder is as old as the newest file in it.
        cache = files.cache_folder()
        folders = [each for each in [*self.folder.iterdir(), *cache.glob("*")] if each.is_dir() and each != cache]
        ages = {each: now - each.stat().st_mtime for each in folders if each.exists()}
        for folder, age in list(ages.items()):
            if age > (SHOWN_SECONDS if folder in shown else KEPT_SECONDS):
                files.delete(folder)
                del ages[folder]
        self.used = used(self.folder)
        for folder in sorted(ages, key=lambda each: -ages[each]):
            if self.used <= CROWDED * ALL_BYTES:
                return
            if folder not in shown and ages[folder] > SWEEP_SECONDS:  # younger ones may be in use
                self.used -= used(folder)
                files.delete(folder)

    def keep_swept(self) -> None:
        """Sweep from now on, in a thread of its own."""

        def work() -> None:
            while True:
                time.sleep(SWEEP_SECONDS)
                self.sweep()

        threading.Thread(target=work, daemon=True, name="sweep").start()

    def check(self, added: int = 0) -> None:
        """Count `added` bytes that are to be written; `InpaintError` where there is no room for them."""
        if self.used + added > ALL_BYTES:
            raise InpaintError(FULL)
        self.used += added


def check_visitor(folder: Path) -> None:
    """`InpaintError` where a visitor's folder holds as much as one may keep."""
    if used(folder) > VISITOR_BYTES:
        raise InpaintError(
            f"Your fills of this photo take more than {VISITOR_BYTES / MEGABYTE:.0f} MB on this server; save what you "
            "need and open the photo again."
        )
