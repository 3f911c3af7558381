"""White noise for networks that make texture of it."""

from __future__ import annotations

import torch
from torch import Tensor


def fixed_noise(mask: Tensor) -> Tensor:
    """Standard normal noise of the mask's size, N x 1 x H x W, the same at every call and for every sample."""
    generator = torch.Generator(mask.device).manual_seed(0)
    noise = torch.randn(1, 1, *mask.shape[-2:], generator=generator, device=mask.device)
    return noise.expand(len(mask), -1, -1, -1)
