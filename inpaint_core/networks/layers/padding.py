"""TensorFlow's "SAME" padding, which the public DeepFill and contextual-attention weights were trained with."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def same_padding(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Zeros before and after an axis of `size` so that a convolution returns ceil(size / stride) values.

    TensorFlow puts the odd zero AFTER, so a 3 x 3 convolution of stride 2 on an even side pads (0, 1) where PyTorch's
    `padding=1` pads (1, 1): the same weights would see the photo shifted by one pixel.
    """
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def same_conv2d(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1, dilation: int = 1) -> Tensor:
    """Convolve N x C x H x W with TensorFlow "SAME" padding: the result is N x C' x ceil(H / s) x ceil(W / s)."""
    top, bottom = same_padding(x.shape[-2], weight.shape[-2], stride, dilation)
    left, right = same_padding(x.shape[-1], weight.shape[-1], stride, dilation)
    if top == bottom and left == right:  # symmetric: the convolution pads by itself, without a copy
        return F.conv2d(x, weight, bias, stride, (top, left), dilation)
    return F.conv2d(F.pad(x, (left, right, top, bottom)), weight, bias, stride, 0, dilation)


def reflect_pad(features: Tensor, amount: int) -> Tensor:
    """Pad N x C x H x W by reflection; maps too small to be reflected (a 8 px image at 1/8) repeat their border."""
    mode = "reflect" if min(features.shape[-2:]) > amount else "replicate"
    return F.pad(features, (amount,) * 4, mode=mode)


class Conv2dSame(nn.Conv2d):
    """`nn.Conv2d` with TensorFlow "SAME" padding.

    Args:
        in_channels, out_channels, kernel_size, stride, dilation: those of `nn.Conv2d`, for both axes alike.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x ceil(H / stride) x ceil(W / stride)."""
        return same_conv2d(x, self.weight, self.bias, self.stride[0], self.dilation[0])


def memory_format_of(x: Tensor) -> torch.memory_format:
    """channels_last where the tensor is laid out so, else contiguous."""
    last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    return torch.channels_last if last else torch.contiguous_format
