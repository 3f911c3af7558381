"""A photo, or a crop of it, with all that belongs to its pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inpaint_core.masks.boxes import Box


@dataclass(frozen=True)
class Planes:
    """What a method gets of a photo, or of a crop of it: arrays of one size."""

    image: np.ndarray  # uint8 H x W x 3
    mask: np.ndarray  # bool H x W, True = hole
    sketch: np.ndarray | None = None  # bool H x W, True = edge
    initial: np.ndarray | None = None  # uint8 H x W x 3, an earlier fill to be refined
    colours: np.ndarray | None = None  # uint8 H x W x 4, RGB wanted where the last is above 127

    def cut(self, box: Box) -> Planes:
        """The same of a rectangle."""
        planes = (self.image, self.mask, self.sketch, self.initial, self.colours)
        return Planes(*(None if plane is None else plane[box.slices] for plane in planes))  # type: ignore[arg-type]
