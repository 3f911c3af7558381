"""Masked convolution: a pixel sees only pixels before it in reading order, a channel only channels before it.

The colours of one pixel come in the order R, G, B. All feature maps are divided into three consecutive groups, one per
colour; the group of a colour may use what comes before that colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

COLOURS = 3


def colour_group(channels: int, tiles: int = 1) -> Tensor:
    """Which colour each channel belongs to: 0 = R, 1 = G, 2 = B, in consecutive thirds; int64, `channels` long.

    Args:
        channels: a multiple of 3 * `tiles`.
        tiles: the number of pieces that the channels form (the gates of an LSTM), each divided into thirds.
    """
    if channels % (COLOURS * tiles):
        raise ValueError(f"{channels} channels cannot be divided among {COLOURS} colours and {tiles} pieces")
    third = channels // (COLOURS * tiles)
    return torch.arange(COLOURS).repeat_interleave(third).repeat(tiles)


class MaskedConv2d(nn.Conv2d):
    """Convolution of stride 1 over the past of each pixel (van den Oord et al. 2016, section 3.4, figure 2).

    Args:
        kind: "A" hides a pixel's own colour (the first layer), "B" lets features of the own colour through.
        in_channels, out_channels: multiples of 3.
        kernel_size: odd; the size is kept.
        out_tiles: see `colour_group`.
    """

    mask: Tensor

    def __init__(
        self, kind: str, in_channels: int, out_channels: int, kernel_size: int = 1, out_tiles: int = 1
    ) -> None:
        if kind not in ("A", "B"):
            raise ValueError(f"a masked convolution is of kind A or B, not {kind!r}")
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
        middle = kernel_size // 2
        mask = torch.zeros_like(self.weight)
        mask[:, :, :middle] = 1
        mask[:, :, middle, :middle] = 1
        before = colour_group(in_channels)[None, :]
        after = colour_group(out_channels, out_tiles)[:, None]
        mask[:, :, middle, middle] = (before < after if kind == "A" else before <= after).float()
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H x W."""
        middle = self.kernel_size[0] // 2
        if middle:
            features = F.pad(features, (middle, middle, middle, 0))
        return self.past()(features)

    def past(self) -> PastConv2d:
        """The same convolution without the rows below a pixel, all masked, for input that carries its own border."""
        rows = self.kernel_size[0] // 2 + 1
        return PastConv2d((self.weight * self.mask)[:, :, :rows], self.bias)


@dataclass
class PastConv2d:
    """A masked convolution as a function of the rows up to a pixel's own.

    Attributes:
        weight: C' x C x (k + 1) / 2 x k, with zeros for what comes after a pixel.
        bias: (C',) or None.
    """

    weight: Tensor
    bias: Tensor | None

    def __call__(self, features: Tensor) -> Tensor:
        """N x C x h + (k - 1) / 2 x w + k - 1, a border above and at both sides -> N x C' x h x w."""
        return F.conv2d(features, self.weight, self.bias)
