"""Coarser copies of an image with a hole, made of its known pixels only."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

SMOOTHING_STEPS = 20


def halve(image: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    """Shrink to half the size, each pixel the mean of the known ones below it.

    Args:
        image: float H x W x 3.
        hole: bool H x W.

    Returns:
        The image, float ceil(H / 2) x ceil(W / 2) x 3, and the share of known pixels below each of its pixels, float.
    """
    known = (~hole).float()[None, None]
    total = F.avg_pool2d(_planes(image) * known, 2, ceil_mode=True, count_include_pad=False)
    share = F.avg_pool2d(known, 2, ceil_mode=True, count_include_pad=False)
    return _pixels(total / share.clamp_min(1e-6)), share[0, 0]


def double(image: Tensor, height: int, width: int) -> Tensor:
    """Enlarge what `halve` made back to height x width, linearly."""
    size = (2 * image.shape[0], 2 * image.shape[1])
    large = F.interpolate(_planes(image), size=size, mode="bilinear", align_corners=False)
    return _pixels(large[:, :, :height, :width])


def smooth_fill(image: Tensor, hole: Tensor) -> Tensor:
    """Fill the hole with a smooth membrane: float H x W x 3, bool H x W -> float H x W x 3.

    The mean of what is known is pulled up a pyramid until nothing is unknown and pushed down again, each level
    relaxed by a few Jacobi steps. Needs at least one known pixel.
    """
    if not bool(hole.any()):
        return image
    small, share = halve(image, hole)
    filled = double(smooth_fill(small, share == 0), *hole.shape)
    planes, known = _planes(torch.where(hole[..., None], filled, image)), _planes(image)
    for _ in range(SMOOTHING_STEPS):
        mean = F.avg_pool2d(F.pad(planes, (1, 1, 1, 1), mode="replicate"), 3, 1)
        planes = torch.where(hole, mean, known)
    return _pixels(planes)


def hole_depth(hole: Tensor, limit: int) -> Tensor:
    """Steps (of 8 directions) from each pixel to the nearest known one: bool H x W -> float H x W, at most `limit`."""
    left = hole.float()[None, None]
    depth = left.clone()
    for _ in range(limit - 1):
        left = -F.max_pool2d(-left, 3, 1, 1)
        depth += left
    return depth[0, 0]


def _planes(image: Tensor) -> Tensor:
    return image.permute(2, 0, 1)[None]


def _pixels(planes: Tensor) -> Tensor:
    return planes[0].permute(1, 2, 0).contiguous()
