"""What one visitor works on: the original file on the server, the copy on the canvas, the last result.

Nothing here is shared between visitors: a `Session` lives in a `gr.State`, its files in a folder of its own that goes
when the visitor does.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from inpaint_core import InpaintError, photo
from inpaint_core.photo import Photo

CANVAS_PIXELS = 2_000_000  # more makes the browser's canvas slow; the original is filled at its own size
_PARENT = Path(tempfile.gettempdir()) / f"inpainting-studio-{os.getpid()}"  # of this server alone
_PASSING, _HOUR = "passing-", 3600


@dataclass(frozen=True)
class Session:
    """One photo in work, as paths and sizes: cheap to keep for thousands of visitors."""

    original: Path  # the file as it was uploaded: format, EXIF, profile and 16 bits come from here
    name: str  # what the visitor called it
    width: int
    height: int
    canvas: Path  # PNG, the photo in at most CANVAS_PIXELS
    canvas_size: tuple[int, int]  # height, width
    folder: Path  # of this visitor alone
    notes: tuple[str, ...] = ()  # sentences about the file
    base: Path | None = None  # PNG of the result the visitor continues from; None: the photo as uploaded
    first_canvas: Path | None = None  # PNG of the photo as uploaded, where `canvas` shows a result
    base_hole: Path | None = None  # PNG, what earlier fills have changed

    def new_path(self, suffix: str) -> Path:
        """A name in the visitor's folder that was never used before, so that no browser shows a stale file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"{uuid.uuid4().hex[:12]}{suffix}"

    def photo(self) -> Photo:
        """The original file, read anew; `InpaintError` where it is no longer there."""
        if not self.original.is_file():
            raise InpaintError("The photo is no longer on the server; open it again.")
        return photo.read(self.original)

    def pixels(self, original: Photo | None = None) -> np.ndarray:
        """What is to be filled, uint8 H x W x 3: the original (read already or not), or a result continued from."""
        if self.base is not None:
            return read_rgb(self.base)
        return (original or self.photo()).pixels


@dataclass(frozen=True)
class Outcome:
    """A fill: what to download and to continue from."""

    session: Session  # the photo it was made of
    image: Path  # PNG, full size
    hole: Path  # PNG, full size: what this fill and those before it have changed
    before: Path  # PNG of at most CANVAS_PIXELS, to look at
    after: Path


def open_photo(path: str | Path, name: str | None = None) -> Session:
    """A new session on a photo file; the file is copied, so that it stays while the visitor works.

    Raises:
        InpaintError: the file is not a photo, is broken or too large, in one sentence.
    """
    path = Path(path)
    picture = photo.read(path)
    folder = new_folder(sweep=False)
    original = folder / f"original{path.suffix}"
    shutil.copyfile(path, original)
    copy = photo.thumbnail(picture, CANVAS_PIXELS)
    session = Session(
        original=original,
        name=name or path.name,
        width=picture.width,
        height=picture.height,
        canvas=folder / "canvas.png",
        canvas_size=copy.shape[:2],
        folder=folder,
        notes=picture.notes,
    )
    save_png(copy, session.canvas)
    return session


def need(session: Session | None) -> Session:
    """The session, or an `InpaintError` where no photo is open."""
    if session is None:
        raise InpaintError("Open a photo first, or pick one of the examples.")
    return session


def new_folder(sweep: bool = True) -> Path:
    """An empty folder that no other call gets; with `sweep` for files handed over at once, gone an hour later."""
    _PARENT.mkdir(parents=True, exist_ok=True)
    if not sweep:
        return Path(tempfile.mkdtemp(dir=_PARENT))
    for old in _PARENT.glob(f"{_PASSING}*"):
        if time.time() - old.stat().st_mtime > _HOUR:
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=_PARENT, prefix=_PASSING))


def close(session: Session | None) -> None:
    """Delete a visitor's files; gradio calls it an hour after the page was left."""
    if session is not None and session.folder.parent == _PARENT:
        shutil.rmtree(session.folder, ignore_errors=True)


def close_all() -> None:
    """Delete every visitor's files when the server ends."""
    shutil.rmtree(_PARENT, ignore_errors=True)


atexit.register(close_all)


def remove_leftovers() -> None:
    """Delete the files of servers that were killed and could not do it themselves."""
    for folder in _PARENT.parent.glob("inpainting-studio-*"):
        number = folder.name.rpartition("-")[2]
        if os.name == "posix" and number.isdecimal() and not _runs(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)  # signal 0 asks without doing anything
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as another user
    return True


def save_png(image: np.ndarray, path: Path) -> Path:
    """Write uint8 H x W, or RGB H x W x 3, without loss; quick rather than small, as it stays inside the machine."""
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    if not cv2.imwrite(str(path), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1]):
        raise OSError(f"could not write {path}")
    return path


def read_rgb(path: Path) -> np.ndarray:
    """A PNG of `save_png`, uint8 H x W x 3."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def read_hole(path: Path) -> np.ndarray:
    """A PNG mask of `save_png`, bool H x W."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L")) > 127


def shrink(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint8 H x W x 3 brought down to (height, width) for looking at; the image itself where it has that size."""
    if image.shape[:2] == size:
        return image
    return cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
