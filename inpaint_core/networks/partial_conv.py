"""PartialConv: inpainting of irregular holes with partial convolutions (Liu et al. 2018): the U-Net.

Departures from the paper: 7 levels by default (the paper has 8 at 512 px), as the best-known port at 256 px; inputs are
ImageNet-normalised. Sizes that do not halve evenly are upsampled to the size of the skip connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core.networks.layers.hole import fill_hole

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class PartialConv2d(nn.Conv2d):
    """Convolution conditioned on the valid pixels alone (section 3.1, equations 1 and 2).

    `output = (W * (x . valid)) * window / sum(valid) + b` where the window holds a valid pixel, else 0, and the place
    is valid from then on. Zero padding counts as not valid, so borders are re-normalised too. Note the paper's
    convention: here the mask is 1 = VALID, the reverse of the rest of the project.

    Args:
        multi_channel: the mask has a channel for every input channel (needed where features of two sources with
            different masks are concatenated); otherwise one channel serves all.
        in_channels, out_channels, kernel_size, stride, padding, bias: those of `nn.Conv2d`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        multi_channel: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, bias=bias)
        self.multi_channel = multi_channel
        self.window = kernel_size * kernel_size * (in_channels if multi_channel else 1)

    def _count_valid(self, valid: Tensor) -> Tensor:
        """The number of valid values under the kernel, N x 1 x H' x W', exact in float32 whatever the features are."""
        # The channels are summed first: one single-channel convolution counts as well as C identical ones.
        if valid.stride(1) == 0:  # one plane that is expanded to all channels
            planes = valid[:, :1].float() * valid.shape[1]
        else:
            planes = valid.sum(dim=1, keepdim=True, dtype=torch.float32)
        ones = planes.new_ones(1, 1, *self.kernel_size)
        with torch.autocast(planes.device.type, enabled=False):
            return F.conv2d(planes, ones, None, self.stride, self.padding)

    def forward(self, features: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Convolve the valid part of the features.

        Args:
            features: N x C x H x W.
            valid: N x (C if multi_channel else 1) x H x W, 1 = valid, 0 = hole.

        Returns:
            N x C' x H' x W', and the updated mask (1 = valid) of C' channels if `multi_channel`, else 1.
        """
        with torch.no_grad():
            count = self._count_valid(valid)
            updated = (count > 0.5).float()
            ratio = updated * self.window / count.clamp(min=1.0)
        plane = valid[:, :1] if valid.stride(1) == 0 else valid
        output = F.conv2d(features * plane.to(features.dtype), self.weight, None, self.stride, self.padding)
        output = output * ratio.to(output.dtype)
        if self.bias is not None:
            output = output + (self.bias.reshape(1, -1, 1, 1) * updated).to(output.dtype)
        channels = self.out_channels if self.multi_channel else 1
        return output, updated.to(valid.dtype).expand(-1, channels, -1, -1)


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
        mean, std: of the colours the network takes and gives, RGB in [0, 1]; ImageNet's, or 0.5 each for weights made
            for [-1, 1], as mmagic's.
        first_bias: the first convolution has a bias, as mmagic's.
    """

    multiple_of = 8
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        width: int = 64,
        levels: int = 7,
        mean: Sequence[float] = MEAN,
        std: Sequence[float] = STD,
        first_bias: bool = False,
    ) -> None:
        super().__init__()
        if levels < 4:
            raise ValueError("the U-Net has at least 4 levels")
        widths = [width, 2 * width, 4 * width] + [8 * width] * (levels - 3)
        kernels = [7, 5, 5] + [3] * (levels - 3)
        inputs = [3, *widths[:-1]]
        self.encoder = nn.ModuleList(
            PartialConvBlock(before, after, kernel, stride=2, norm=level > 0, bias=first_bias and level == 0)
            for level, (before, after, kernel) in enumerate(zip(inputs, widths, kernels, strict=True))
        )
        # Decoder level k takes the features from below and the skip connection, and gives the skip's channels.
        self.decoder = nn.ModuleList(
            PartialConvBlock(below + skip, skip, 3, slope=0.2)
            for below, skip in zip(widths[:0:-1], inputs[:0:-1], strict=True)
        )
        self.head = PartialConvBlock(width + 3, 3, 3, norm=False, slope=None, bias=True)
        self.register_buffer("mean", torch.tensor(mean).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(1, 3, 1, 1), persistent=False)
        self.freeze_encoder_norm = False
        """The paper's second phase (section 4.1): batch normalisation of the encoder stays in evaluation mode."""

    @property
    def last_kernel(self) -> Tensor:
        """The kernel that makes the photo: where the gradients of a training's losses are compared."""
        return self.head.conv.weight

    def train(self, mode: bool = True) -> PartialConvUNet:
        """Training mode; with `freeze_encoder_norm` the encoder's batch normalisation keeps its statistics."""
        super().train(mode)
        if mode and self.freeze_encoder_norm:
            for block in self.encoder:
                if block.norm is not None:  # type: ignore[union-attr]
                    block.norm.eval()  # type: ignore[union-attr]
        return self

    def forward(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None) -> Tensor:
        """Predict the whole image.

        Args:
            image: N x 3 x H x W in [0, 1]; multiples of 8 keep the first three levels aligned, any size works.
            mask: N x 1 x H x W, 1 = hole.
            sketch: not used; PartialConv has no sketch channel.

        Returns:
            N x 3 x H x W, the raw prediction, not pasted. The paper's head has no activation: in evaluation mode the
            values are clipped to [0, 1], in training mode they are not, so that each keeps its gradient.
        """
        return self._predict(image, mask)[0]

    def explain(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None) -> tuple[Tensor, dict[str, Any]]:
        """`forward`, and a dictionary with "masks": the hole that is left before and after each encoder level.

        The masks are N x 1 x h x w each, 1 = hole, the input's first.
        """
        prediction, valid = self._predict(image, mask)
        return prediction, {"masks": [1 - level[:, :1].float() for level in valid]}

    def _predict(self, image: Tensor, mask: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The prediction, and the mask (1 = valid) of the input and after each level of the encoder."""
        dtype = self.head.conv.weight.dtype
        valid = (mask <= 0.5).to(dtype).expand(-1, 3, -1, -1)  # (N, 3, H, W)
        features = fill_hole((image - self.mean) / self.std, mask).to(dtype)  # (N, 3, H, W)
        skips = [(features, valid)]
        for block in self.encoder:
            features, valid = block(features, valid)
            skips.append((features, valid))
        masks = [level for _, level in skips]
        skips.pop()
        for block in [*self.decoder, self.head]:
            skip, skip_valid = skips.pop()
            size = skip.shape[-2:]
            features = torch.cat((F.interpolate(features, size), skip), dim=1)
            # The mask is interpolated by one plane: its channels are copies of each other.
            upsampled = F.interpolate(valid[:, :1], size).expand(-1, valid.shape[1], -1, -1)
            features, valid = block(features, torch.cat((upsampled, skip_valid), dim=1))
        prediction = features.float() * self.std + self.mean
        return (prediction if self.training else prediction.clamp(0, 1)), masks
