"""The mosaic: a hole that is not empty but shows the hidden pixels in coarse blocks, as censored pictures do."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from inpaint_core.errors import InpaintError


def mosaic(image: Tensor, mask: Tensor, block: int = 16) -> Tensor:
    """Pixelate an image inside its hole: the input of DeepFill v1 trained to restore instead of to invent.

    >>> censored = mosaic(image, mask, block=16)

    Args:
        image: float, N x C x H x W.
        mask: float, N x 1 x H x W, 1 = hole, 0 = known.
        block: side of the blocks in pixels; they start at the top left corner, and those at the right and lower border
            may be smaller.

    Returns:
        As `image`: the mean of each block inside the hole, the image itself elsewhere.

    Raises:
        InpaintError: for a block under one pixel or a mask of another size.
    """
    if block < 1:
        raise InpaintError(f"A mosaic needs blocks of at least one pixel, not {block}.")
    if image.shape[-2:] != mask.shape[-2:]:
        raise InpaintError(
            f"The mask is {tuple(mask.shape[-2:])} but the image {tuple(image.shape[-2:])}; give them one size."
        )
    height, width = image.shape[-2:]
    means = F.avg_pool2d(image, block, ceil_mode=True, count_include_pad=False)
    coarse = means.repeat_interleave(block, dim=-2).repeat_interleave(block, dim=-1)[..., :height, :width]
    return image.where(mask < 0.5, coarse)
