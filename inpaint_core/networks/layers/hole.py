"""What a network gets in place of the hole: a constant colour, never what the photo held there."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


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
