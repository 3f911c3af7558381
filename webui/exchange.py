"""What programs send, read, and what they get, written: by worker processes, for both may take long."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inpaint_core import InpaintError, masks
from inpaint_core import photo as photos
from inpaint_core import sketch as sketches
from inpaint_core.arguments import as_colours
from webui import limits
from webui.files import save_png


@dataclass(frozen=True)
class Sent:
    """A photo and what is to be done with it."""

    picture: photos.Photo
    hole: np.ndarray  # bool H x W
    sketch: np.ndarray | None  # bool H x W
    colours: np.ndarray | None  # uint8 H x W x 4


@dataclass(frozen=True)
class MaskRepairs:
    """How a mask is repaired, see `inpaint_core.masks.repair`."""

    dilate: float = 0
    invert: bool = False
    close_loops: bool = False
    remove_specks: int = 0

    def of(self, mask: np.ndarray) -> np.ndarray:
        """The repaired mask, bool H x W."""
        return masks.repair(
            mask,
            invert=self.invert,
            close_loops=self.close_loops,
            remove_specks=self.remove_specks,
            dilate=self.dilate,
        )


def read(photo: str | None, mask: str | None, sketch: str | None, colours: str | None, repairs: MaskRepairs) -> Sent:
    """Read a photo, its mask and, where there are any, its sketch and dabs of colour, all paths.

    Raises:
        InpaintError: what is missing, broken, too large or of another size.
    """
    if not photo:
        raise InpaintError("Send a photo's file as `photo`.")
    if not mask:
        raise InpaintError("Send a mask's file as `mask`; white is what is to be filled.")
    picture = limits.read_photo(photo)
    hole = masks.from_file(limits.read_mask(mask))
    if hole.shape == picture.pixels.shape[:2]:  # growing a mask of another size would hide the better message
        hole = repairs.of(hole)
    hole = masks.check(hole, picture.height, picture.width)
    return Sent(
        picture,
        hole,
        None if not sketch else sketches.repair(limits.read_mask(sketch)),
        None if not colours else as_colours(limits.read_mask(colours), hole.shape),
    )


def write(sent: Sent, image: np.ndarray, path: Path) -> str:
    """Write a completed photo in the format of the path's suffix; returns the path."""
    return str(photos.write(sent.picture, image, path, mask=sent.hole))


def draw_mask(
    photo: str | None,
    mask: str | None,
    kind: str,
    seed: int,
    size: tuple[object, object],
    repairs: MaskRepairs,
    path: Path,
) -> str:
    """Repair the mask of a file, or draw one at random, of a photo's size or of this one; returns the path.

    Raises:
        InpaintError: the mask or photo cannot be read, or the size (width, height) is not allowed.
    """
    if mask is not None:
        hole = masks.from_file(limits.read_mask(mask))
    elif photo is not None:
        picture = limits.read_photo(photo)
        hole = masks.generate(kind, picture.height, picture.width, seed=seed)
    else:
        columns, rows = limits.check_size(*size)
        hole = masks.generate(kind, rows, columns, seed=seed)
    return str(save_png(repairs.of(hole), path))
