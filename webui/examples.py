"""The free photos that the page offers, with masks and sketches; `examples/LICENCES.md` says where they come from."""

from __future__ import annotations

import functools
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from inpaint_core import masks, photo
from webui.canvas import MASK_PAINT, SKETCH_PAINT, new_scene, scene
from webui.files import read_rgb, remove_folder, visitor_folder
from webui.session import CANVAS, Session, open_in

FOLDER = Path(__file__).resolve().parents[1] / "examples"
THUMBNAIL_WIDTH = 460  # pixels
THUMBNAIL_SHAPE = 2.2  # width over height


@dataclass(frozen=True)
class Example:
    """A photo of `examples/`, what is erased there and, where an edit has one, the lines that the fill shall follow."""

    name: str  # of the photo
    caption: str
    edit: str = ""  # in the names of its files, where the photo has several

    @property
    def photo(self) -> Path:
        """The file of the photo."""
        return FOLDER / f"{self.name}.jpg"

    def mask(self) -> np.ndarray:
        """What is filled: bool H x W of the photo's size."""
        return masks.from_file(photo.read_mask(self._drawn("mask")))

    def sketch(self) -> np.ndarray | None:
        """The lines, bool H x W of the photo's size, or None."""
        path = self._drawn("sketch")
        return masks.from_file(photo.read_mask(path)) if path.is_file() else None

    def thumbnail(self) -> Image.Image:
        """The hole and its surroundings: what is erased in red, the lines dark on light."""
        shown, mask, sketch = read_rgb(self.photo).copy(), self.mask(), self.sketch()
        shown[mask] = (0.5 * shown[mask] + 0.5 * np.array(MASK_PAINT)).astype(np.uint8)
        part = _middle(mask)
        scale = THUMBNAIL_WIDTH / shown[part].shape[1]
        size = (THUMBNAIL_WIDTH, round(shown[part].shape[0] * scale))
        picture = cv2.resize(shown[part], size, interpolation=cv2.INTER_AREA).astype(np.float32)
        if sketch is not None:
            lines = cv2.GaussianBlur(cv2.resize(sketch[part].astype(np.float32), size), (0, 0), scale) > 0.35
            distance = cv2.distanceTransform((~lines).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
            grown = max(0.0, 2 - scale)  # so that lines look alike on every thumbnail
            for colour, reach in (((255, 255, 255), grown + 2), (SKETCH_PAINT, grown)):
                opacity = np.clip(reach + 1 - distance, 0, 1)[..., None]
                picture += opacity * (np.array(colour, np.float32) - picture)
        return Image.fromarray(np.rint(picture).astype(np.uint8))

    def _drawn(self, kind: str) -> Path:
        return FOLDER / "_".join(filter(None, (self.name, self.edit, f"{kind}.png")))


EXAMPLES = (
    Example("launch", "Clear the sky"),
    Example("astronaut", "Remove the badge"),
    Example("coffee", "Remove the spoon"),
    Example("scratched_cat", "Repair scratches"),
)
"""What is removed or repaired."""

SKETCH_EXAMPLES = (
    Example("coffee", "Continue the table's edge", edit="table"),
    Example("coffee", "Continue the saucer's rim", edit="saucer"),
    Example("coffee", "Remove the spoon, continue the cup", edit="cup"),
)
"""Where a sketch helps: a straight edge and a curved one go on as drawn, and what an object hid."""


def open_example(example: Example) -> tuple[Session, dict[str, Any]]:
    """A new session on an example, and what the canvas shows: both made once, for every visitor begins with one."""
    session, canvas, shown = _opened(example)
    folder = visitor_folder()
    shutil.copyfile(example.photo, folder / session.original.name)
    (folder / CANVAS).write_bytes(canvas)
    session = replace(session, original=folder / session.original.name, canvas=folder / CANVAS, folder=folder, steps={})
    return session, {**shown, **new_scene(), "session": session.key}


@functools.cache
def _opened(example: Example) -> tuple[Session, bytes, dict[str, Any]]:
    """A session on an example, the file of its canvas, and what the canvas shows; its folder is gone."""
    session = open_in(visitor_folder(), example.photo)  # a file of ours, which needs no limits
    try:
        return session, session.canvas.read_bytes(), scene(session, example.mask(), example.sketch())
    finally:
        remove_folder(session.folder)


def _middle(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns around the hole, which fills the middle of the height: the strip cuts to flat pictures."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height = min(mask.shape[0], round(1.25 * max(np.ptp(rows), np.ptp(columns) / THUMBNAIL_SHAPE)))
    width = min(mask.shape[1], round(height * THUMBNAIL_SHAPE))
    top = int(np.clip(rows.mean() - height / 2, 0, mask.shape[0] - height))
    left = int(np.clip(columns.mean() - width / 2, 0, mask.shape[1] - width))
    return slice(top, top + height), slice(left, left + width)
