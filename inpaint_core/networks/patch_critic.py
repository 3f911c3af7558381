"""A small patch critic of four 4 x 4 convolutions (Isola et al., CVPR 2017, section 3.2.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PatchCritic(nn.Module):
    """Scores overlapping patches of 46 x 46 px, one score every 8 px.

    Without normalisation and with few parameters it learns from hundreds of photos what a larger critic learns from
    tens of thousands. Its patches are small, so it scores texture.

    Args:
        in_channels: 4 (RGB, mask) or 5 (RGB, mask, edge).
        width: features of the first layer; 2 and 4 times that in the next two.
    """

    def __init__(self, in_channels: int = 5, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(in_channels, width, 4, 2, 1),
                nn.Conv2d(width, 2 * width, 4, 2, 1),
                nn.Conv2d(2 * width, 4 * width, 4, 2, 1),
                nn.Conv2d(4 * width, 1, 4, 1, 1),
            ]
        )

    def forward(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None) -> list[Tensor]:
        """Score the patches.

        Args:
            image: (N, 3, H, W) in [0, 1], the known part pasted.
            mask: (N, 1, H, W), 1 = hole.
            sketch: (N, 1, H, W), 1 = edge, zero outside the hole; only with five input channels.

        Returns:
            One map of scores, (N, 1, H / 8 - 1, W / 8 - 1), high for real.
        """
        planes = [image * 2 - 1, mask] if sketch is None else [image * 2 - 1, mask, sketch]
        x = torch.cat(planes, 1)
        for layer in self.layers[:-1]:
            x = F.leaky_relu(layer(x), 0.2)
        return [self.layers[-1](x)]
