"""PixelCNN: an image as a product of conditional distributions, by masked convolutions (van den Oord et al. 2016).

Departures from the paper: the width is a multiple of 3 (126 in place of 128), so that features divide evenly among the
colours; `distribution` may be a mixture of logistics. The stack has the known blind spot to the right above a pixel.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inpaint_core.networks.layers.masked import MaskedConv2d
from inpaint_core.networks.pixel_distribution import PixelNetwork


class _ResidualBlock(nn.Sequential):
    """ReLU 1 x 1 to half the features, ReLU 3 x 3, ReLU 1 x 1 back, and a shortcut (figure 5, right)."""

    def __init__(self, features: int) -> None:
        half = features // 2
        super().__init__(
            nn.ReLU(),
            MaskedConv2d("B", features, half),
            nn.ReLU(),
            MaskedConv2d("B", half, half, 3),
            nn.ReLU(),
            MaskedConv2d("B", half, features),
        )

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> the same shape."""
        return features + super().forward(features)


class PixelCNN(PixelNetwork):
    """7 x 7 masked convolution of kind A, residual blocks of kind B, two 1 x 1 layers, a distribution for each value.

    Args:
        width: h of the paper, features inside a block; the stream between them has twice as many. A multiple of 3.
        blocks: residual blocks, 15 in the paper for CIFAR-10.
        distribution: "softmax" over 256 values (the paper) or "logistic_mixture".
    """

    def __init__(self, width: int = 126, blocks: int = 15, distribution: str = "softmax") -> None:
        super().__init__(distribution)
        features = 2 * width
        self.first = MaskedConv2d("A", 3, features, 7)
        self.blocks = nn.Sequential(*(_ResidualBlock(features) for _ in range(blocks)))
        self.last = nn.Sequential(
            nn.ReLU(),
            MaskedConv2d("B", features, features),
            nn.ReLU(),
            MaskedConv2d("B", features, 3 * self.distribution.parameters),
        )

    def forward(self, image: Tensor) -> Tensor:
        """N x 3 x H x W in [0, 1] -> N x P x 3 x H x W parameters of each value's distribution."""
        features = self.blocks(self.first((image * 2 - 1).to(self.first.weight.dtype)))
        return torch.unflatten(self.last(features), 1, (3, -1)).transpose(1, 2)
