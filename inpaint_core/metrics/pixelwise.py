"""L1, L2 and PSNR: differences of pixel values."""

from __future__ import annotations

import torch
from torch import Tensor

from inpaint_core.metrics.arguments import checked, mean


def l1(image: Tensor, reference: Tensor, mask: Tensor | None = None, *, scale: float = 1.0) -> Tensor:
    """Mean absolute difference, (N,), times `scale` (255 for the 0..255 convention).

    >>> l1(torch.full((1, 3, 4, 4), 0.75), torch.full((1, 3, 4, 4), 0.5))
    tensor([0.2500])
    """
    image, reference, mask = checked(image, reference, mask)
    return scale * mean((image - reference).abs(), mask)


def l2(image: Tensor, reference: Tensor, mask: Tensor | None = None, *, scale: float = 1.0) -> Tensor:
    """Mean squared difference (MSE), (N,), times `scale` squared (255 for the 0..255 convention).

    >>> l2(torch.full((1, 3, 4, 4), 0.75), torch.full((1, 3, 4, 4), 0.5))
    tensor([0.0625])
    """
    image, reference, mask = checked(image, reference, mask)
    return scale**2 * mean((image - reference).square(), mask)


def psnr(image: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
    """Peak signal-to-noise ratio in dB, (N,): -10 log10 of the L2 (of the hole's L2 with a mask); inf where equal.

    >>> psnr(torch.full((1, 3, 4, 4), 0.75), torch.full((1, 3, 4, 4), 0.5))
    tensor([12.0412])
    """
    return -10 * torch.log10(l2(image, reference, mask))
