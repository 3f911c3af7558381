"""The channel-wise fully connected layer of the Context Encoder: each feature map sees all of itself."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ChannelwiseLinear(nn.Module):
    """One fully connected layer per channel, without weights between channels (Pathak et al. 2016, section 3.1).

    It carries information from one end of a feature map to the other with `channels * positions^2` weights instead
    of `(channels * positions)^2`; a convolution after it mixes the channels.

    Args:
        channels: number of feature maps.
        height, width: their size, which is fixed by the weights.
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        positions = height * width
        self.size = (height, width)
        self.weight = nn.Parameter(torch.empty(channels, positions, positions))
        self.bias = nn.Parameter(torch.zeros(channels, positions))
        nn.init.normal_(self.weight, std=positions**-0.5)

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> N x C x H x W. Raises ValueError for maps of another size than the weights'."""
        if features.shape[-2:] != self.size:
            raise ValueError(f"feature maps of {tuple(features.shape[-2:])}, where the weights take {self.size}")
        flat = features.flatten(2)  # (N, C, HW)
        mixed = torch.einsum("nci,coi->nco", flat, self.weight) + self.bias
        return mixed.reshape(features.shape)
