"""Files of the page: a folder for each visitor, all gone when the server ends, and pictures in them as quick PNGs."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

_PARENT = Path(tempfile.gettempdir()) / f"inpainting-studio-{os.getpid()}"  # of this server alone
_SHORT_LIVED, _HOUR = "short-lived-", 3600


def visitor_folder() -> Path:
    """An empty folder that no other call gets; it stays until `remove_folder`."""
    _PARENT.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=_PARENT))


def short_lived_folder() -> Path:
    """An empty folder that no other call gets, for files handed over at once; it is deleted an hour later."""
    _PARENT.mkdir(parents=True, exist_ok=True)
    for old in _PARENT.glob(f"{_SHORT_LIVED}*"):
        if time.time() - old.stat().st_mtime > _HOUR:
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=_PARENT, prefix=_SHORT_LIVED))


def remove_folder(folder: Path) -> None:
    """Delete a folder that one of the two functions above made; any other stays."""
    if folder.parent == _PARENT:
        shutil.rmtree(folder, ignore_errors=True)


@atexit.register
def remove_all() -> None:
    """Delete every visitor's files."""
    shutil.rmtree(_PARENT, ignore_errors=True)


def remove_leftovers() -> None:
    """Delete the files of servers that were killed before they could do it themselves."""
    for folder in _PARENT.parent.glob("inpainting-studio-*"):
        number = folder.name.rpartition("-")[2]
        if os.name == "posix" and number.isdecimal() and not _is_running(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)  # signal 0 checks without doing anything
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as another user
    return True


def save_png(image: np.ndarray, path: Path) -> Path:
    """Write a picture without loss; quick rather than small, as it stays inside the machine.

    Args:
        image: uint8 H x W x 3 RGB, uint8 H x W, or a mask, bool H x W, which becomes white on black.
        path: of the file; its folder is made where it is missing.

    Returns:
        The path.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = image.astype(np.uint8) * 255 if image.dtype == bool else image
    pixels = levels if levels.ndim == 2 else cv2.cvtColor(levels, cv2.COLOR_RGB2BGR)
    if not cv2.imwrite(str(path), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1]):
        raise OSError(f"could not write {path}")
    return path


def read_rgb(path: Path) -> np.ndarray:
    """A PNG of `save_png`, uint8 H x W x 3."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def read_mask(path: Path) -> np.ndarray:
    """A PNG mask of `save_png`, bool H x W."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L")) > 127
