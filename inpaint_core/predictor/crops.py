"""Which rectangles of a photo are filled, and how a rectangle is scaled and padded for a method and back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

MOST_CROPS = 64  # more holes than this are gathered into wider groups
GRID_SIDE = 1024  # holes are grouped on a grid of at most this many cells a side, whatever the size of the photo


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


def grown(box: Box, by: int, limit: Box) -> Box:
    """The rectangle wider by so many pixels on each side, but not beyond `limit`."""
    return Box(
        max(box.top - by, limit.top),
        max(box.left - by, limit.left),
        min(box.bottom + by, limit.bottom),
        min(box.right + by, limit.right),
    )


@dataclass(frozen=True)
class Crop:
    """One rectangle to fill: what the method sees, and the hole boxes inside it that are its to fill."""

    box: Box
    holes: tuple[Box, ...]


def _span(start: int, stop: int, margin: int, least: int, size: int) -> tuple[int, int]:
    """[start, stop) widened by margin on both sides and to at least `least`, moved to stay inside [0, size)."""
    length = max(stop - start + 2 * margin, least)
    start -= (length - (stop - start)) // 2
    stop = start + length
    if start < 0:
        start, stop = 0, min(size, stop - start)
    if stop > size:
        start, stop = max(0, start - (stop - size)), size
    return start, stop


def hole_boxes(mask: np.ndarray, near: int) -> list[Box]:
    """Bounding boxes of the groups of hole pixels; holes nearer to each other than about `near` pixels share one.

    Args:
        mask: bool H x W, True = hole, not empty.
        near: pixels.
    """
    height, width = mask.shape
    cell = max(1, math.ceil(max(height, width) / GRID_SIDE))
    rows, columns = math.ceil(height / cell), math.ceil(width / cell)
    if cell == 1:
        grid = mask.astype(np.uint8)
    else:
        by_row = np.logical_or.reduceat(mask, np.arange(0, height, cell), axis=0)
        grid = np.logical_or.reduceat(by_row, np.arange(0, width, cell), axis=1).astype(np.uint8)
    reach = max(1, round(near / cell / 2))
    while True:
        kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
        count, labels = cv2.connectedComponents(cv2.dilate(grid, kernel), connectivity=8)
        if count - 1 <= MOST_CROPS or reach >= max(rows, columns):
            break
        reach *= 2
    boxes = []
    labels = np.where(grid > 0, labels, 0)
    for label in range(1, count):
        cells = labels == label
        occupied_rows, occupied_columns = np.flatnonzero(cells.any(axis=1)), np.flatnonzero(cells.any(axis=0))
        top, left = occupied_rows[0] * cell, occupied_columns[0] * cell
        part = mask[top : (occupied_rows[-1] + 1) * cell, left : (occupied_columns[-1] + 1) * cell]
        part_rows, part_columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        boxes.append(
            Box(
                int(top + part_rows[0]),
                int(left + part_columns[0]),
                int(top + part_rows[-1] + 1),
                int(left + part_columns[-1] + 1),
            )
        )
    return boxes


def plan_crops(
    mask: np.ndarray, *, context: float, min_context: int, native_size: int | None = None, square: bool = False
) -> list[Crop]:
    """Rectangles that together hold every hole pixel with known pixels around, in the order they are to be filled.

    Args:
        mask: bool H x W, True = hole, not empty.
        context: width of the frame around a hole as a share of the hole's longer side.
        min_context: least width of the frame in pixels.
        native_size: least side of a crop in pixels, where the photo is that large.
        square: crops are as near to squares as the photo allows.
    """
    height, width = mask.shape
    crops: list[Crop] = []
    for hole in hole_boxes(mask, near=min_context):
        longest = max(hole.height, hole.width)
        margin = max(min_context, math.ceil(context * longest))
        least = max(native_size or 0, longest + 2 * margin if square else 0)
        top, bottom = _span(hole.top, hole.bottom, margin, least, height)
        left, right = _span(hole.left, hole.right, margin, least, width)
        crops.append(Crop(Box(top, left, bottom, right), (hole,)))
    return sorted(_merge(crops), key=lambda crop: crop.box.area)


def _merge(crops: list[Crop]) -> list[Crop]:
    """One crop in place of two where that is no more work, or where a box of holes would be filled twice."""
    merged: list[Crop] = []
    for crop in crops:
        index = 0
        while index < len(merged):
            other = merged[index]
            union = crop.box.union(other.box)
            tangled = any(hole.overlaps(its) for hole in crop.holes for its in other.holes)
            if tangled or union.area <= crop.box.area + other.box.area:
                crop = Crop(union, crop.holes + merged.pop(index).holes)
                index = 0  # the wider crop may now swallow one that was passed over
            else:
                index += 1
        merged.append(crop)
    return merged


def depth(mask: np.ndarray) -> float:
    """How far the hole pixel that is farthest from any known one is from it, in pixels; 1 for a thin line.

    Args:
        mask: bool H x W, True = hole; beyond the border nothing is known.
    """
    return float(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5).max())


def shrink(image: np.ndarray, mask: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Reduce an image with a hole by area averaging over its known pixels only.

    Args:
        image: float32 H x W x 3.
        mask: float32 H x W, 1 = hole.
        height, width: the new size, at most the old.

    Returns:
        The image, float32 height x width x 3, and the mask, float32: 1 where not one known pixel fell into the pixel.
    """
    known = 1.0 - mask
    weight = cv2.resize(known, (width, height), interpolation=cv2.INTER_AREA)
    total = cv2.resize(image * known[..., None], (width, height), interpolation=cv2.INTER_AREA)
    hole = weight < 1e-4
    return total / np.maximum(weight, 1e-4)[..., None], hole.astype(np.float32)


def of_known(image: np.ndarray, mask: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A photo with a hole at another size, made of its known pixels only: the hole's content must not run into them.

    Args:
        image: uint8 H x W x 3.
        mask: bool H x W, True = hole.
        height, width: the new size, both sides larger or both smaller, or the old one.

    Returns:
        The image, float32 height x width x 3 in [0, 1], and the mask, float32 height x width, 1 = hole; none is left
        where a smaller photo has a known part in every pixel.
    """
    if (height, width) == mask.shape:
        return image.astype(np.float32) / 255, mask.astype(np.float32)
    if height <= mask.shape[0] and width <= mask.shape[1]:
        return shrink(image.astype(np.float32) / 255, mask.astype(np.float32), height, width)
    known = 1 - mask.astype(np.float32)
    weight = cv2.resize(known, (width, height), interpolation=cv2.INTER_LINEAR)
    total = cv2.resize(image * (known / 255)[..., None], (width, height), interpolation=cv2.INTER_LINEAR)
    hole = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return (total / np.maximum(weight, 1e-4)[..., None]).clip(0, 1), hole.astype(np.float32)


def as_photo(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """float32 in [0, 1] at any size -> uint8 height x width x 3."""
    if image.shape[:2] != (height, width):
        shrinks = height < image.shape[0]
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.rint(image.clip(0, 1) * 255).astype(np.uint8)


def pad_to_multiple(array: np.ndarray, multiple: int, square_of: int | None = None) -> np.ndarray:
    """Mirror an H x W or H x W x C array at its bottom and right until both sides are multiples, or `square_of`."""
    height, width = array.shape[:2]
    bottom = (square_of or math.ceil(height / multiple) * multiple) - height
    right = (square_of or math.ceil(width / multiple) * multiple) - width
    if not bottom and not right:
        return array
    return cv2.copyMakeBorder(array, 0, bottom, 0, right, cv2.BORDER_REFLECT_101)
