"""Rectangles of pixels, and the one that bounds a hole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; `bottom` and `right` are exclusive."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def area(self) -> int:
        return self.height * self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the rectangle in an H x W array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def moved(self, down: int, right: int) -> Box:
        """The rectangle moved down and to the right by this many pixels."""
        return Box(self.top + down, self.left + right, self.bottom + down, self.right + right)

    def grown(self, by: int, limit: Box) -> Box:
        """The rectangle grown by this many pixels on each side, but not beyond `limit`."""
        return Box(
            max(self.top - by, limit.top),
            max(self.left - by, limit.left),
            min(self.bottom + by, limit.bottom),
            min(self.right + by, limit.right),
        )

    def overlaps(self, other: Box) -> bool:
        """True if they share a pixel."""
        return max(self.top, other.top) < min(self.bottom, other.bottom) and max(self.left, other.left) < min(
            self.right, other.right
        )

    def union(self, other: Box) -> Box:
        """The smallest rectangle that holds both."""
        return Box(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )


def bounding_box(mask: np.ndarray) -> Box:
    """The smallest rectangle that holds every True pixel of a mask.

    Args:
        mask: bool H x W.

    Raises:
        ValueError: the mask is empty, so nothing bounds it.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        raise ValueError("an empty mask has no bounding box")
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
