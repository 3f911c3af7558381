"""What one visitor works on: the original file on the server, the copy on the canvas, each fill as a step.

Nothing here is shared between visitors: a `Session` lives in a `gr.State`, its files in a folder of its own that goes
when the visitor does.
"""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from inpaint_core import InpaintError, photo
from inpaint_core.photo import Photo
from webui import limits, work
from webui.files import read_mask, read_rgb, remove_folder, save_png, visitor_folder

CANVAS_PIXELS = 2_000_000  # more makes the browser's canvas slow; the original is filled at its own size
CANVAS = "canvas.png"  # the copy on the canvas, in the visitor's folder


@dataclass(frozen=True)
class Session:
    """One photo in work, as paths and sizes: cheap to keep for thousands of visitors."""

    original: Path  # the file as it was uploaded: format, EXIF, profile and 16 bits come from here
    name: str  # the file's name on the visitor's side
    width: int
    height: int
    canvas: Path  # PNG, the photo in at most CANVAS_PIXELS
    canvas_size: tuple[int, int]  # height, width
    folder: Path  # of this visitor alone
    format: str  # of the original, such as JPEG
    notes: tuple[str, ...] = ()  # sentences about the file
    transparent: bool = False
    base: Path | None = None  # PNG of the result the visitor continues from; None: the photo as uploaded
    base_changed: Path | None = None  # PNG mask of what earlier fills have changed
    step: str = ""  # id of the step whose result `base` is
    steps: dict[str, Step] = field(default_factory=dict, repr=False, compare=False)  # all fills by id; only added to

    @property
    def key(self) -> str:
        """Names this photo in work; the browser drops what belongs to another."""
        return self.folder.name

    def at(self, step: str) -> Session:
        """The session whose photo is the result of a step; "" is the photo as uploaded.

        Raises:
            InpaintError: there is no such step of this photo.
        """
        if not step:
            return replace(self, base=None, base_changed=None, step="", canvas=self.folder / CANVAS)
        if step not in self.steps:
            raise InpaintError("That fill is no longer on the server; open the photo again.")
        return self.steps[step].continued()

    def new_path(self, suffix: str) -> Path:
        """A name in the visitor's folder that was never used before, so that no browser shows a stale file."""
        return self.folder / f"{uuid.uuid4().hex[:12]}{suffix}"

    def download_path(self, ending: str) -> Path:
        """A path in a folder of its own, so that the download is named after the photo: NAME_`ending`."""
        return self.new_path("") / f"{Path(self.name).stem}_{ending}"

    def photo(self) -> Photo:
        """The original file, read anew; `InpaintError` where it is no longer there."""
        if not self.original.is_file():
            raise InpaintError("The photo is no longer on the server; open it again.")
        return work.run(photo.read, self.original)

    def pixels(self, original: Photo | None = None) -> np.ndarray:
        """What is to be filled, uint8 H x W x 3: the original (read already or not), or a result continued from."""
        if self.base is not None:
            return read_rgb(self.base)
        return (original or self.photo()).pixels


@dataclass(frozen=True)
class Step:
    """One fill: what is shown, downloaded and continued from."""

    session: Session  # the photo it was made of
    id: str
    title: str  # of the method, with what sets this fill apart
    seconds: float  # of the fill
    image: Path  # PNG, full size
    after: Path  # PNG, the size of the canvas
    mask: Path  # PNG, full size: what this fill was to change
    changed: Path  # PNG, full size: what this fill and those before it have changed
    sketch: Path | None = None  # PNG, full size: the lines that were drawn
    colours: Path | None = None  # PNG with transparency, full size: the dabs of colour

    def continued(self) -> Session:
        """The session whose photo is this step's result."""
        return replace(self.session, base=self.image, base_changed=self.changed, canvas=self.after, step=self.id)


def open_photo(path: str | Path) -> Session:
    """A new session on a photo file; the file is copied, so that it stays while the visitor works.

    Raises:
        InpaintError: the file is not a photo, is broken or too large.
    """
    folder = visitor_folder()
    try:
        return work.run(open_in, folder, Path(path))
    except BaseException:
        remove_folder(folder)
        raise


def open_in(folder: Path, path: Path) -> Session:
    """The same with its files in this folder, in the process that calls it."""
    picture = limits.read_photo(path)
    original = folder / f"original{path.suffix}"
    shutil.copyfile(path, original)
    copy = photo.thumbnail(picture, CANVAS_PIXELS)
    return Session(
        original=original,
        name=path.name,
        width=picture.width,
        height=picture.height,
        canvas=save_png(copy, folder / CANVAS),
        canvas_size=copy.shape[:2],
        folder=folder,
        format=picture.format,
        notes=picture.notes,
        transparent=picture.alpha is not None and bool((picture.alpha < 255).any()),
    )


def save_step(step: Step, suffix: str | None = None) -> str:
    """Write a step's result, for download; `suffix` chooses the format, None keeps the photo's. Returns the path."""
    original = step.session.photo()
    path = step.session.download_path(f"filled{suffix or photo.FORMATS[original.format][0]}")
    path.parent.mkdir()
    return str(photo.write(original, read_rgb(step.image), path, mask=read_mask(step.changed)))


def require(session: Session | None) -> Session:
    """The session, or an `InpaintError` where no photo is open."""
    if session is None:
        raise InpaintError("Open a photo first, or pick one of the examples.")
    return session


def close(session: Session | None) -> None:
    """Delete a visitor's files; gradio calls it an hour after the page was left."""
    if session is not None:
        remove_folder(session.folder)
