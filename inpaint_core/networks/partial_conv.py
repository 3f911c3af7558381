"""PartialConv: inpainting of irregular holes with partial convolutions (Liu et al. 2018): the U-Net.

Departures from the paper: 7 levels by default (the paper has 8 at 512 px), as the best-known port at 256 px; inputs are
ImageNet-normalised. Sizes that do not halve evenly are upsampled to the size of the skip connection.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core.networks.layers.hole import fill_hole
from inpaint_core.networks.layers.partial import PartialConv2d

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class PartialConvBlock(nn.Module):
    """Partial convolution, then batch normalisation and an activation where the paper has them.

    Args:
        slope: negative slope of the activation: 0 for ReLU (encoder), 0.2 for LeakyReLU (decoder), None for none.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        norm: bool = True,
        slope: float | None = 0.0,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.conv = PartialConv2d(
            in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=bias, multi_channel=True
        )
        self.norm = nn.BatchNorm2d(out_channels) if norm else None
        self.slope = slope

    def forward(self, features: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """N x C x H x W features and mask (1 = valid) -> the same pair of the output's channels and size."""
        features, valid = self.conv(features, valid)
        if self.norm is not None:
            features = self.norm(features)
        if self.slope is not None:
            features = F.leaky_relu(features, self.slope)
        return features, valid


class PartialConvUNet(nn.Module):
    """U-Net of partial convolutions whose mask shrinks level by level (section 3.2 and table 1 of the paper).

    Args:
        width: channels of the first level (64 in the paper; from the fourth level on 8 times as many).
        levels: number of halvings, 7 at 256 px, 8 at 512 px; at least 4.
    """

    multiple_of = 8
    mean: Tensor
    std: Tensor

    def __init__(self, width: int = 64, levels: int = 7) -> None:
        super().__init__()
        if levels < 4:
            raise ValueError("the U-Net has at least 4 levels")
        widths = [width, 2 * width, 4 * width] + [8 * width] * (levels - 3)
        kernels = [7, 5, 5] + [3] * (levels - 3)
        inputs = [3, *widths[:-1]]
        self.encoder = nn.ModuleList(
            PartialConvBlock(before, after, kernel, stride=2, norm=level > 0)
            for level, (before, after, kernel) in enumerate(zip(inputs, widths, kernels, strict=True))
        )
        # Decoder level k takes the features from below and the skip connection, and gives the skip's channels.
        self.decoder = nn.ModuleList(
            PartialConvBlock(below + skip, skip, 3, slope=0.2)
            for below, skip in zip(widths[:0:-1], inputs[:0:-1], strict=True)
        )
        self.head = PartialConvBlock(width + 3, 3, 3, norm=False, slope=None, bias=True)
        self.register_buffer("mean", torch.tensor(MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).reshape(1, 3, 1, 1), persistent=False)
        self.freeze_encoder_norm = False
        """The paper's second phase (section 4.1): batch normalisation of the encoder stays in evaluation mode."""

    def train(self, mode: bool = True) -> PartialConvUNet:
        """Training mode; with `freeze_encoder_norm` the encoder's batch normalisation keeps its statistics."""
        super().train(mode)
        if mode and self.freeze_encoder_norm:
            for block in self.encoder:
                if block.norm is not None:  # type: ignore[union-attr]
                    block.norm.eval()  # type: ignore[union-attr]
        return self

    def forward(
        self, image: Tensor, mask: Tensor, sketch: Tensor | None = None, details: dict[str, Any] | None = None
    ) -> Tensor:
        """Predict the whole image.

        Args:
            image: N x 3 x H x W in [0, 1]; multiples of 8 keep the first three levels aligned, any size works.
            mask: N x 1 x H x W, 1 = hole.
            sketch: not used; PartialConv has no sketch channel.
            details: receives `masks`: per encoder level the hole that is left, N x 1 x h x w, 1 = hole.

        Returns:
            N x 3 x H x W, the raw prediction, not pasted. The paper's head has no activation: in evaluation mode the
            values are clipped to [0, 1], in training mode they are not, so that each keeps its gradient.
        """
        dtype = self.head.conv.weight.dtype
        valid = (mask <= 0.5).to(dtype).expand(-1, 3, -1, -1)
        features = fill_hole((image - self.mean) / self.std, mask).to(dtype)
        skips = [(features, valid)]
        for block in self.encoder:
            features, valid = block(features, valid)
            skips.append((features, valid))
        if details is not None:
            details["masks"] = [1 - level[:, :1].float() for _, level in skips]
        skips.pop()
        for block in [*self.decoder, self.head]:
            skip, skip_valid = skips.pop()
            size = skip.shape[-2:]
            features = torch.cat((F.interpolate(features, size), skip), dim=1)
            # The mask is interpolated by one plane: its channels are copies of each other.
            upsampled = F.interpolate(valid[:, :1], size).expand(-1, valid.shape[1], -1, -1)
            features, valid = block(features, torch.cat((upsampled, skip_valid), dim=1))
        prediction = features.float() * self.std + self.mean
        return prediction if self.training else prediction.clamp(0, 1)
