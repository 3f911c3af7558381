"""The plain autoencoder: encoder, bottleneck, decoder, trained with the mean squared error alone.

The baseline of both studies: fully convolutional at any size, and with the encoders of the small-image study (32 px,
centre 8 x 8 missing). No skip connections: everything the decoder knows went through the bottleneck.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from inpaint_core.networks.layers.encoders import ENCODERS, ConvUp, conv_block
from inpaint_core.networks.layers.hole import fill_hole


class Autoencoder(nn.Module):
    """Encoder - bottleneck - decoder.

    Args:
        width: channels of the first layer; they double with every halving, up to 8 times.
        encoder: "plain", "vgg", "resnet", "inception" or "alexnet".
        halvings: how often the encoder halves the size: 4 for photos, 3 (32 px -> 4 x 4) for the small-image study.
        bottleneck: channels at the smallest size; None: as many as the encoder gives.
        depth: 3 x 3 convolutions at the smallest size: how far the known part reaches into the hole.
        mean_colour: what the hole is filled with, RGB in [0, 1].
    """

    def __init__(
        self,
        width: int = 32,
        encoder: str = "plain",
        halvings: int = 4,
        bottleneck: int | None = None,
        depth: int = 4,
        mean_colour: Sequence[float] = (0.485, 0.456, 0.406),
    ) -> None:
        super().__init__()
        if encoder not in ENCODERS:
            raise ValueError(f"{encoder!r} is none of the encoders {', '.join(ENCODERS)}")
        self.mean_colour = tuple(mean_colour)
        self.multiple_of = 2**halvings
        self.encoder, channels = ENCODERS[encoder](4, width, halvings)
        narrow = bottleneck or channels
        middle = [conv_block(channels, narrow)] + [conv_block(narrow, narrow) for _ in range(depth - 1)]
        self.bottleneck = nn.Sequential(*middle)
        widths = [narrow, *(min(width * 2**level, 8 * width) for level in range(halvings - 1, -1, -1))]
        ups = (ConvUp(before, after) for before, after in pairwise(widths))
        self.decoder = nn.Sequential(*ups, nn.Conv2d(width, 3, 3, padding=1))

    def forward(
        self, image: Tensor, mask: Tensor, sketch: Tensor | None = None, details: dict[str, Any] | None = None
    ) -> Tensor:
        """Predict the whole image.

        Args:
            image: N x 3 x H x W in [0, 1], H and W multiples of `multiple_of`.
            mask: N x 1 x H x W, 1 = hole.
            sketch: not used; the autoencoder has no sketch channel.
            details: not used.

        Returns:
            N x 3 x H x W in [0, 1], the raw prediction, not pasted.
        """
        inputs = torch.cat((fill_hole(image, mask, self.mean_colour), mask), dim=1)  # (N, 4, H, W)
        features = self.bottleneck(self.encoder(inputs.to(next(self.parameters()).dtype)))
        return torch.sigmoid(self.decoder(features).float())
