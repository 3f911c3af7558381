"""The contact sheet of a comparison: the region around the hole as each method filled it, with its numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from inpaint_core import catalogue
from inpaint_core.masks.boxes import bounding_box

if TYPE_CHECKING:
    from inpaint_core.predictor import Result

TILE, GAP, LINE = 384, 16, 22  # pixels: longer side of a picture, space around it, height of a line of text
LEAST = 96  # pixels: the least width of the region shown
PAPER, INK, FAINT, HOLE = (250, 250, 248), (28, 28, 30), (110, 110, 115), (255, 45, 85)


def draw(image: np.ndarray, mask: np.ndarray, results: list[Result], reference: np.ndarray | None) -> np.ndarray:
    """The sheet.

    Args:
        image: the photo, uint8 H x W x 3.
        mask: bool H x W, True = hole.
        results: of `inpaint_core.compare`.
        reference: the photo with the hidden pixels known, or None.

    Returns:
        uint8 RGB: the whole photo with the hole marked, then the region around the hole: the truth if known, and a
        tile for each method with its time, and its numbers in the hole where there are any.
    """
    window = window_around(mask)
    marked = image.copy()
    marked[mask] = (0.4 * marked[mask] + 0.6 * np.array(HOLE)).astype(np.uint8)
    tiles = [(_tile(_framed(marked, window)), "Photo and mask", f"{mask.mean():.1%} to fill")]
    if reference is not None:
        tiles.append((_tile(reference[window]), "Truth", "what the mask hides"))
    for result in results:
        title = catalogue.get(result.method).title
        if result.image is None:
            tiles.append((_tile(marked[window]), title, "failed"))
        else:
            tiles.append((_tile(result.image[window]), title, _numbers(result)))
    columns = min(len(tiles), 4 if len(tiles) > 6 else 2 if len(tiles) == 4 else 3)
    rows = math.ceil(len(tiles) / columns)
    cell_height = max(tile.height for tile, _, _ in tiles) + 2 * LINE + GAP
    sheet = Image.new("RGB", (columns * (TILE + GAP) + GAP, rows * cell_height + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    title_font, text_font = ImageFont.load_default(17), ImageFont.load_default(14)
    for index, (tile, title, text) in enumerate(tiles):
        left, top = GAP + index % columns * (TILE + GAP), GAP + index // columns * cell_height
        sheet.paste(tile, (left, top))
        below = top + tile.height + 4
        pen.text((left, below), title, INK, title_font)
        pen.text((left, below + LINE), text, FAINT, text_font)
    return np.asarray(sheet)


def _numbers(result: Result) -> str:
    parts = [f"{result.seconds:.2f} s"]
    for name, digits in (("l1", 3), ("psnr", 1), ("ssim", 2), ("lpips", 3)):
        if f"hole_{name}" in result.metrics:
            parts.append(f"{name.upper()} {result.metrics[f'hole_{name}']:.{digits}f}")
    return "  ".join(parts)


def window_around(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns around all holes, half as much again of the photo at each side, in the photo's proportions."""
    height, width = mask.shape
    hole = bounding_box(mask)
    tall = max(2 * hole.height, 2 * hole.width * height / width, LEAST * height / width)
    scale = min(1.0, tall / height)
    slices = []
    for first, last, side in ((hole.top, hole.bottom, height), (hole.left, hole.right, width)):
        extent = max(1, math.ceil(side * scale))
        first = min(max(0, (first + last - extent) // 2), side - extent)
        slices.append(slice(first, first + extent))
    return slices[0], slices[1]


def _framed(image: np.ndarray, window: tuple[slice, slice]) -> np.ndarray:
    """A copy of the photo with the window's frame drawn in, if the window is but a part of it."""
    framed = image.copy()
    (top, bottom), (left, right) = ((each.start, each.stop) for each in window)
    if (bottom - top, right - left) != image.shape[:2]:
        thickness = max(1, round(max(image.shape[:2]) / TILE * 2))
        cv2.rectangle(framed, (left, top), (right - 1, bottom - 1), HOLE, thickness)
    return framed


def _tile(image: np.ndarray) -> Image.Image:
    """The picture with its longer side at TILE pixels; small ones are enlarged so that their pixels can be seen."""
    scale = TILE / max(image.shape[:2])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return Image.fromarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST))
