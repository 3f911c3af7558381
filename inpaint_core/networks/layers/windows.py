"""The part of a feature map from which a hole is decoded: nothing else needs to be computed for a fill."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

Window = tuple[int, int, int, int]
"""First and last (exclusive) row, first and last column of a map at a fraction of the size."""


def hole_window(mask: Tensor, margin: int, stride: int = 4) -> Window | None:
    """The bounding box of all samples' holes in a map of one place for `stride` pixels, and `margin` places around it.

    None where no sample has a hole. N x 1 x H x W, H and W multiples of `stride`.
    """
    hole = F.max_pool2d(mask.float(), stride).amax((0, 1)) > 0  # (H / stride, W / stride)
    box: list[int] = []
    for line in (hole.any(1), hole.any(0)):
        places = line.nonzero().flatten().tolist()
        if not places:
            return None
        box += [max(places[0] - margin, 0), min(places[-1] + 1 + margin, line.shape[0])]
    return box[0], box[1], box[2], box[3]


def cut(features: Tensor, window: Window | None, times: int = 1) -> Tensor:
    """The window's part of a map that is `times` as large as the window's; all of it for None."""
    if window is None:
        return features
    top, bottom, left, right = (times * side for side in window)
    return features[:, :, top:bottom, left:right]


def paste(image: Tensor, part: Tensor, window: Window | None, stride: int = 4) -> Tensor:
    """N x C x H x W with `part`, `stride` times as large as the window, in its place; just the part for None."""
    if window is None:
        return part
    top, bottom, left, right = (stride * side for side in window)
    pasted = image.clone()
    pasted[:, :, top:bottom, left:right] = part
    return pasted
