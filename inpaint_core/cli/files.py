"""The files of a call as arrays: masks as the user meant them, sketches, and what is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inpaint_core import masks, photo
from inpaint_core.arguments import as_colours
from inpaint_core.errors import InpaintError
from inpaint_core.sketch import repair


def load_mask(path: Path, size: tuple[int, int], invert: bool, dilate: int) -> tuple[np.ndarray, list[str]]:
    """The mask of a photo.

    Args:
        path: a picture, white (or painted, where it is transparent elsewhere) = hole.
        size: height and width of the photo.
        invert: black is the hole.
        dilate: pixels to widen the hole by.

    Returns:
        bool H x W, True = hole, and sentences for the user.

    Raises:
        InpaintError: a file that is no picture, of another size, or with nothing or everything masked.
    """
    hole = masks.from_file(photo.read_mask(path))
    notes = []
    if not invert and masks.diagnose(hole).looks_inverted:
        notes.append(f"{path.name} hides {hole.mean():.0%} of the photo; add --invert if black marks the hole in it.")
    if invert or dilate:
        hole = masks.repair(hole, invert=invert, dilate=dilate)
    return masks.check(hole, *size), notes


def load_sketch(path: Path, size: tuple[int, int]) -> np.ndarray:
    """A drawing as thin lines, bool H x W of the photo's size, else an `InpaintError`."""
    edges = repair(photo.read_mask(path))
    if edges.shape != size:
        raise InpaintError(
            f"The sketch {path.name} is {edges.shape[1]} x {edges.shape[0]} and the photo {size[1]} x {size[0]} "
            "pixels; give a sketch of the photo's size."
        )
    return edges


def load_colours(path: Path, size: tuple[int, int]) -> np.ndarray:
    """Dabs of colour, uint8 H x W x 4 of the photo's size, else an `InpaintError`."""
    return as_colours(photo.read_mask(path), size)


def make_folder(path: Path) -> None:
    """Make sure that the folder exists; `InpaintError` where it cannot."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InpaintError(f"The folder {path} cannot be made ({reason}); name another one after -o.") from error


def write_grey(levels: np.ndarray, path: Path, what: str, exact: bool = True) -> Path:
    """Write a mask or a sketch, uint8 H x W, over whatever is there; returns the path.

    Raises:
        InpaintError: a format that is not known, or with `exact` one that loses pixels; `what` names what would.
    """
    format = photo.picture.format_named(path.suffix or "png")
    picture = photo.Photo(np.repeat(levels[..., None], 3, axis=2), format=format, grey=True)
    if exact and not photo.is_exact(picture, format):
        raise InpaintError(f"{what} saved as {format} would blur; name the file {path.stem}.png.")
    make_folder(path.parent)
    return photo.write(picture, picture.pixels, path, overwrite=True)
