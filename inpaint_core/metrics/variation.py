"""Total variation: how rough a picture is, without a reference."""

from __future__ import annotations

import torch
from torch import Tensor

from inpaint_core.metrics.arguments import checked


def total_variation(image: Tensor, mask: Tensor | None = None, *, scale: float = 1.0) -> Tensor:
    """Mean absolute difference of horizontal and vertical neighbours, (N,), times `scale`; 0 for a single pixel.

    With a mask, over the pairs of which at least one pixel lies in the hole, so a seam around it counts.

    >>> total_variation(torch.tensor([0.0, 1.0, 0.0]).expand(1, 3, 1, 3))
    tensor([1.])
    """
    image, _, mask = checked(image, None, mask)
    touched = torch.ones_like(image[:, :1]) if mask is None else mask
    total = count = torch.zeros(len(image), device=image.device)
    for axis in (2, 3):
        here, there = slice(None, -1), slice(1, None)
        before, after = ((..., part, slice(None)) if axis == 2 else (..., part) for part in (here, there))
        pairs = torch.maximum(touched[before], touched[after])
        total = total + ((image[after] - image[before]).abs() * pairs).sum(dim=(1, 2, 3))
        count = count + pairs.sum(dim=(1, 2, 3)) * image.shape[1]
    return scale * total / count.clamp(min=1)
