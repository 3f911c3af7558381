"""What a method that restores sees of a hole: the photo pixelated into coarse blocks, and nothing finer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from inpaint_core.masks.pixelate import Grid

BLOCK_SHARE = 1 / 16  # side of a block as a share of the crop's longer side
MIN_BLOCK, MAX_BLOCK = 6, 16  # and its limits in pixels, at the method's scale


def pixelated(
    image: np.ndarray, mask: np.ndarray, small: np.ndarray, hole: np.ndarray, scale: float
) -> tuple[np.ndarray, str]:
    """A crop at the method's scale with a mosaic in its hole.

    A mosaic that the photo already carries stays as it is, unless its blocks are finer than what the method may see.

    Args:
        image, mask: uint8 H x W x 3 and bool H x W, the crop at its own size.
        small: float32 H' x W' x 3 in [0, 1], the crop at the method's scale; what it holds in the hole is not used.
        hole: float32 H' x W', 1 = hole.
        scale: H' / H.

    Returns:
        As `small`, and a sentence for the user on the size of the blocks.
    """
    from inpaint_core.masks.pixelate import Grid, find_grid

    height, width = hole.shape
    content = image.astype(np.float32) / 255
    grid = find_grid(image, mask)
    if grid is not None and grid.block * scale >= MIN_BLOCK:
        content, block = _mosaic(content, mask.astype(np.float32), grid), grid.block
        note = f"keeps the photo's own mosaic, blocks of {block} pixels"
    else:
        grid, block = None, min(max(round(max(height, width) * BLOCK_SHARE), MIN_BLOCK), MAX_BLOCK)
        note = f"sees the hidden part pixelated, in blocks of {max(1, round(block / scale))} pixels"
    if scale != 1:
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        content = cv2.resize(content, (width, height), interpolation=interpolation).clip(0, 1)
    content = np.where(hole[..., None] > 0, content, small)
    return content if grid is not None else _mosaic(content, hole, Grid(block)), f"Restoration: the network {note}."


def _mosaic(image: np.ndarray, mask: np.ndarray, grid: Grid) -> np.ndarray:
    """float32 H x W x 3 and H x W -> the image with a mosaic on this grid inside the hole."""
    import torch

    from inpaint_core.masks.pixelate import mosaic

    planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
    shown = mosaic(planes, torch.from_numpy(mask)[None, None], grid.block, grid.top, grid.left)
    return np.ascontiguousarray(shown[0].permute(1, 2, 0).numpy())
