"""AOT-GAN: aggregated contextual transformations for high-resolution inpainting (Zeng et al. 2022): the generator.

Departures from the paper: none known; what the paper leaves open (how the gate is normalised, bilinear upsampling with
aligned corners) is as its public code has it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core.networks.layers.hole import fill_hole
from inpaint_core.networks.layers.padding import reflect_pad


class ReflectConv2d(nn.Conv2d):
    """Convolution of stride 1 that keeps the size, padded by reflection.

    Args:
        in_channels, out_channels, kernel_size, dilation: those of `nn.Conv2d`.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3, dilation: int = 1) -> None:
        super().__init__(in_channels, out_channels, kernel_size, dilation=dilation)

    @property
    def reflection(self) -> int:
        """Pixels of padding on each side."""
        return self.dilation[0] * (self.kernel_size[0] - 1) // 2

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H x W."""
        return F.conv2d(reflect_pad(x, self.reflection), self.weight, self.bias, 1, 0, self.dilation)


def gated(x: Tensor, transformed: Tensor, gate: Tensor, dims: tuple[int, int]) -> Tensor:
    """x * (1 - g) + transformed * g, where g is the gate normalised over `dims`, its rows and columns (equation 1)."""
    gate = gate.float()
    mean, deviation = gate.mean(dims, keepdim=True), gate.std(dims, keepdim=True) + 1e-9
    gate = torch.sigmoid(5 * (2 * (gate - mean) / deviation - 1)).to(x.dtype)  # nearly a switch, mostly off
    return x * (1 - gate) + transformed * gate


class AOTBlock(nn.Module):
    """Splits, transforms at several dilations, merges, and gates the shortcut (section 3.1, figure 3, equation 1).

    Args:
        channels: of input and output; each branch makes an equal share of them.
        rates: dilation of each branch.
    """

    def __init__(self, channels: int, rates: Sequence[int]) -> None:
        super().__init__()
        share = channels // len(rates)
        self.branches = nn.ModuleList(ReflectConv2d(channels, share, dilation=rate) for rate in rates)
        self.fuse = ReflectConv2d(channels, channels)
        self.gate = ReflectConv2d(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> the same: x * (1 - gate) + transformed * gate."""
        transformed = self.fuse(torch.cat([F.relu(branch(x)) for branch in self.branches], dim=1))
        return gated(x, transformed, self.gate(x), dims=(2, 3))


class UpConv(nn.Module):
    """Doubles the size bilinearly with aligned corners, then a 3 x 3 convolution."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x 2H x 2W."""
        return self.conv(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True))


class AOTGAN(nn.Module):
    """The AOT-GAN generator (section 3.1, figure 2): encoder, AOT blocks at a quarter of the size, decoder.

    Args:
        width: channels of the first layer, 64 in the paper; the blocks have 4 times as many.
        blocks: number of AOT blocks, 8 in the paper.
        rates: dilations of a block's branches.
    """

    multiple_of = 4

    def __init__(self, width: int = 64, blocks: int = 8, rates: Sequence[int] = (1, 2, 4, 8)) -> None:
        super().__init__()
        self.width = width
        self.layers = nn.Sequential(
            ReflectConv2d(4, width, 7),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1),
            nn.ReLU(inplace=True),
            *(AOTBlock(4 * width, rates) for _ in range(blocks)),
            UpConv(4 * width, 2 * width),
            nn.ReLU(inplace=True),
            UpConv(2 * width, width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, 3, 3, padding=1),
        )

    def forward(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None) -> Tensor:
        """Predict the whole image.

        Args:
            image: N x 3 x H x W in [0, 1], H and W multiples of 4.
            mask: N x 1 x H x W, 1 = hole.
            sketch: not used; AOT-GAN has no sketch channel.

        Returns:
            N x 3 x H x W in [0, 1], the raw prediction, not pasted.
        """
        known = fill_hole(image * 2 - 1, mask, 1.0)  # white in the hole
        inputs = torch.cat((known, mask), dim=1).to(next(self.parameters()).dtype)  # (N, 4, H, W)
        return torch.tanh(self.layers(inputs).float()) / 2 + 0.5
