"""Partial convolution: a convolution over the known pixels only, whose mask shrinks as it goes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PartialConv2d(nn.Conv2d):
    """Convolution conditioned on the valid pixels alone (Liu et al. 2018, section 3.1).

    `output = (W * (x . valid)) * window / sum(valid) + b` where the window holds a valid pixel, else 0, and the place
    is valid from then on. Zero padding counts as not valid, so borders are re-normalised too. Note the paper's
    convention: here the mask is 1 = VALID, the reverse of the rest of the project.

    Args:
        multi_channel: the mask has a channel for every input channel (needed where features of two sources with
            different masks are concatenated); otherwise one channel serves all.
        return_mask: also return the updated mask, of `out_channels` channels if `multi_channel`, else 1.
        The other arguments are those of `nn.Conv2d`; groups are not supported.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        bias: bool = True,
        multi_channel: bool = True,
        return_mask: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, bias=bias)
        self.multi_channel = multi_channel
        self.return_mask = return_mask
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
            return F.conv2d(planes, ones, None, self.stride, self.padding, self.dilation)

    def forward(  # type: ignore[override]
        self, features: Tensor, valid: Tensor
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Convolve the valid part of the features.

        Args:
            features: N x C x H x W.
            valid: N x (C if multi_channel else 1) x H x W, 1 = valid, 0 = hole.

        Returns:
            N x C' x H' x W', and with `return_mask` the updated mask (1 = valid).
        """
        with torch.no_grad():
            count = self._count_valid(valid)
            updated = (count > 0.5).float()
            ratio = updated * self.window / count.clamp(min=1.0)
        plane = valid[:, :1] if valid.stride(1) == 0 else valid
        output = F.conv2d(
            features * plane.to(features.dtype), self.weight, None, self.stride, self.padding, self.dilation
        )
        output = output * ratio.to(output.dtype)
        if self.bias is not None:
            output = output + (self.bias.reshape(1, -1, 1, 1) * updated).to(output.dtype)
        if not self.return_mask:
            return output
        channels = self.out_channels if self.multi_channel else 1
        return output, updated.to(valid.dtype).expand(-1, channels, -1, -1)
