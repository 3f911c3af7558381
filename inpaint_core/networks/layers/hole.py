"""What a network sees in place of the hole: a constant colour, never what the photo held there."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def fill_hole(image: Tensor, mask: Tensor, colour: float | Sequence[float] | Tensor = 0.0) -> Tensor:
    """Replace the hole's pixels by one colour.

    Selection instead of `image * (1 - mask)`, so that even NaN inside the hole never reaches the network.

    Args:
        image: N x 3 x H x W, any range.
        mask: N x 1 x H x W, 1 = hole, 0 = known.
        colour: one value, or one per channel, in the range of `image`.

    Returns:
        N x 3 x H x W.
    """
    value = torch.as_tensor(colour, dtype=image.dtype, device=image.device)
    return torch.where(mask > 0.5, value.reshape(1, -1, 1, 1), image)


Window = tuple[int, int, int, int]
"""First and last (exclusive) row, first and last column."""


def hole_window(mask: Tensor, step: int, margin: int) -> Window | None:
    """The bounding box of all samples' holes on a map of 1 / `step` of the size, and `margin` places around it.

    None where no sample has a hole. N x 1 x H x W, H and W multiples of `step`.
    """
    hole = F.max_pool2d(mask.float(), step).amax((0, 1)) > 0
    box: list[int] = []
    for line in (hole.any(1), hole.any(0)):
        places = line.nonzero().flatten().tolist()
        if not places:
            return None
        box += [max(places[0] - margin, 0), min(places[-1] + 1 + margin, line.shape[0])]
    return box[0], box[1], box[2], box[3]


def cut_window(x: Tensor, window: Window | None) -> Tensor:
    """The window's part of N x C x H x W; all of it for None."""
    return x if window is None else x[:, :, window[0] : window[1], window[2] : window[3]]


def paste_window(x: Tensor, part: Tensor, window: Window | None, step: int) -> Tensor:
    """`x` with `part`, `step` times as large as the window, in its place; just the part for None."""
    if window is None:
        return part
    pasted = x.clone()
    pasted[:, :, window[0] * step : window[1] * step, window[2] * step : window[3] * step] = part
    return pasted
