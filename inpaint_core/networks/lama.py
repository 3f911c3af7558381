"""LaMa: large-mask inpainting with fast Fourier convolutions (Suvorov et al. 2022).

Departures from the public code: none in the generator; the mask is 1 = hole as everywhere here.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from inpaint_core.networks.layers.fourier import FFC, FFCResidualBlock, reflect_pad
from inpaint_core.networks.layers.hole import fill_hole


class LaMa(nn.Module):
    """The FFC generator: stem, three downsamplings, residual blocks that see the whole image, three upsamplings.

    Args:
        width: channels of the stem (64 in the paper; the blocks have 8 times as many).
        blocks: residual blocks, 9 for LaMa-Fourier, 18 for Big LaMa.
        global_share: share of the blocks' channels on the global (Fourier) path.
    """

    multiple_of = 8

    def __init__(self, width: int = 64, blocks: int = 9, global_share: float = 0.75) -> None:
        super().__init__()
        self.stem = FFC(4, width, 7)
        self.down = nn.ModuleList(
            [
                FFC(width, 2 * width, 3, stride=2),
                FFC(2 * width, 4 * width, 3, stride=2),
                FFC(4 * width, 8 * width, 3, stride=2, global_out=global_share),
            ]
        )
        self.blocks = nn.ModuleList([FFCResidualBlock(8 * width, global_share) for _ in range(blocks)])
        up: list[nn.Module] = []
        for channels in (8 * width, 4 * width, 2 * width):
            up += [
                nn.ConvTranspose2d(channels, channels // 2, 3, stride=2, padding=1, output_padding=1),
                nn.BatchNorm2d(channels // 2),
                nn.ReLU(inplace=True),
            ]
        self.up = nn.Sequential(*up)
        self.head = nn.Conv2d(width, 3, 7)

    def forward(
        self, image: Tensor, mask: Tensor, sketch: Tensor | None = None, details: dict[str, Any] | None = None
    ) -> Tensor:
        """Predict the whole image.

        Args:
            image: N x 3 x H x W in [0, 1], H and W multiples of 8.
            mask: N x 1 x H x W, 1 = hole.
            sketch: not used; LaMa has no sketch channel.
            details: not used.

        Returns:
            N x 3 x H x W in [0, 1], the raw prediction, not pasted.
        """
        inputs = torch.cat((fill_hole(image, mask), mask), dim=1)  # (N, 4, H, W)
        local, global_ = self.stem(inputs.to(self.head.weight.dtype))
        for layer in self.down:
            local, global_ = layer(local, global_)
        for block in self.blocks:
            local, global_ = block(local, global_)
        features = self.up(torch.cat((local, global_), dim=1))  # (N, width, H, W)
        return torch.sigmoid(self.head(reflect_pad(features, 3)).float())


class LaMaDiscriminator(nn.Module):
    """pix2pixHD's PatchGAN as LaMa uses it (section 2.2): scores of overlapping patches, and features to be matched.

    Args:
        in_channels: 3 for RGB.
        width: channels of the first layer, 64 in the paper; they double up to 8 times as many.
        layers: strided convolutions, 4 in the paper.
    """

    def __init__(self, in_channels: int = 3, width: int = 64, layers: int = 4) -> None:
        super().__init__()
        widths = [width * min(2**level, 8) for level in range(layers + 1)]
        blocks: list[nn.Module] = [nn.Sequential(nn.Conv2d(in_channels, width, 4, 2, 2), nn.LeakyReLU(0.2))]
        for level, (before, after) in enumerate(pairwise(widths), start=1):
            convolution = nn.Conv2d(before, after, 4, stride=2 if level < layers else 1, padding=2)
            blocks.append(nn.Sequential(convolution, nn.BatchNorm2d(after), nn.LeakyReLU(0.2)))
        self.blocks = nn.ModuleList(blocks)
        self.score = nn.Conv2d(widths[-1], 1, 4, padding=2)

    def forward(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """N x 3 x H x W in [0, 1] -> N x 1 x h x w logits, high for real, and each block's output, finest first."""
        features = [image]
        for block in self.blocks:
            features.append(block(features[-1]))
        return self.score(features[-1]), features[1:]
