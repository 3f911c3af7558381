"""The part of a feature map from which a hole is decoded: nothing else needs to be computed for a fill."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

Window = tuple[int, int, int, int]
"""First and last (exclusive) row, first and last column of a map at a quarter of the size."""


def hole_window(mask: Tensor, margin: int) -> Window | None:
    """The bounding box of all samples' holes at a quarter of the size and `margin` places around it.

    None where no sample has a hole. N x 1 x H x W, H and W multiples of 4.
    """
    hole = F.max_pool2d(mask.float(), 4).amax((0, 1)) > 0  # (H / 4, W / 4)
    box: list[int] = []
    for line in (hole.any(1), hole.any(0)):
        places = line.nonzero().flatten().tolist()
        if not places:
            return None
        box += [max(places[0] - margin, 0), min(places[-1] + 1 + margin, line.shape[0])]
    return box[0], box[1], box[2], box[3]


def cut(features: Tensor, window: Window | None) -> Tensor:
    """The window's part of N x C x H/4 x W/4; all of it for None."""
    return features if window is None else features[:, :, window[0] : window[1], window[2] : window[3]]


def paste(image: Tensor, part: Tensor, window: Window | None) -> Tensor:
    """N x C x H x W with `part`, four times as large as the window, in its place; just the part for None."""
    if window is None:
        return part
    top, bottom, left, right = (4 * side for side in window)
    pasted = image.clone()
    pasted[:, :, top:bottom, left:right] = part
    return pasted
