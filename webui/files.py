"""Files of the page: a folder for each visitor, all gone when the server ends, and pictures in them as quick PNGs."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np
from filelock import FileLock, Timeout
from PIL import Image

from inpaint_core import InpaintError

_PREFIX, _SHORT_LIVED = "inpainting-studio-", "short-lived-"
_LOCK = "running.lock"  # in a server's folder, held as long as the server runs


@functools.cache
def _parent() -> Path:
    """The folder of this server alone, made at the first call; containers repeat process numbers, so it has none."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = FileLock(folder / _LOCK)
    lock.acquire()
    atexit.register(_remove_all, folder, lock)
    return folder


def visitor_folder() -> Path:
    """An empty folder that no other call gets; it stays until `remove_folder`."""
    return Path(tempfile.mkdtemp(dir=_parent()))


def short_lived_folder() -> Path:
    """An empty folder that no other call gets, for files handed over at once; it is deleted an hour later."""
    return Path(tempfile.mkdtemp(dir=_parent(), prefix=_SHORT_LIVED))


def all_visitors_folder() -> Path:
    """The folder that holds the files of all visitors of this server."""
    return _parent()


def cache_folder() -> Path:
    """The folder for what Gradio takes in and hands out; it goes with the others."""
    return _parent() / "gradio"


def delete(folder: Path) -> None:
    """Delete a folder with all that is in it; what cannot be deleted stays."""
    shutil.rmtree(folder, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Delete a folder that one of the two functions above made; any other stays."""
    if folder.parent == _parent():
        shutil.rmtree(folder, ignore_errors=True)


def _remove_all(folder: Path, lock: FileLock) -> None:
    """Delete every visitor's files."""
    lock.release()
    shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers() -> None:
    """Delete the files of servers that were killed before they could do it themselves."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            with FileLock(folder / _LOCK, blocking=False):
                pass
        except (Timeout, OSError):  # that server runs, or it is another user's
            continue
        shutil.rmtree(folder, ignore_errors=True)


def save_png(image: np.ndarray, path: Path) -> Path:
    """Write a picture without loss; quick rather than small, as it stays inside the machine.

    Args:
        image: uint8 H x W x 3 RGB or H x W x 4 RGBA, uint8 H x W, or a mask, bool H x W, which becomes white on black.
        path: of the file; its folder is made where it is missing.

    Returns:
        The path.

    Raises:
        InpaintError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = image.astype(np.uint8) * 255 if image.dtype == bool else image
    order = cv2.COLOR_RGBA2BGRA if levels.shape[-1] == 4 else cv2.COLOR_RGB2BGR
    pixels = levels if levels.ndim == 2 else cv2.cvtColor(levels, order)
    if not cv2.imwrite(str(path), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1]):
        raise InpaintError("The server could not keep a picture: its disk may be full; try again in a few minutes.")
    return path


def read_rgb(path: Path) -> np.ndarray:
    """A PNG of `save_png`, uint8 H x W x 3."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def read_rgba(path: Path) -> np.ndarray:
    """A PNG with transparency, uint8 H x W x 4."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGBA"))


def read_mask(path: Path) -> np.ndarray:
    """A PNG mask of `save_png`, bool H x W."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L")) > 127
