"""DeepFill v1: generative image inpainting with contextual attention (Yu et al. 2018): coarse network, then refinement.

Departures from the paper: none in the networks; weights are initialised to keep the scale of the features through ELU.
The two critics are `networks.critics.WassersteinCritic`, contextual attention is shared with DeepFill v2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core.networks.layers.attention import ContextualAttention
from inpaint_core.networks.layers.hole import fill_hole
from inpaint_core.networks.layers.padding import same_conv2d

DILATIONS = (2, 4, 8, 16)


class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow "SAME" padding and an activation, ELU unless said otherwise.

    Args:
        upsample: repeat every pixel 2 x 2 times before the convolution.
        activation: None for the linear RGB head.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        upsample: bool = False,
        activation: Callable[[Tensor], Tensor] | None = F.elu,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation)
        self.upsample = upsample
        self.activation = activation
        # ELU keeps about 1 / 1.25^2 of the variance; the head starts near mid-grey, away from the clip.
        gain = 0.5 if activation is None else 1.25
        nn.init.normal_(self.weight, std=gain / math.sqrt(self.weight[0].numel()))
        assert self.bias is not None
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x ceil(H / stride) x ceil(W / stride), or 2H x 2W with `upsample`."""
        if self.upsample:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = same_conv2d(x, self.weight, self.bias, self.stride[0], self.dilation[0])
        return x if self.activation is None else self.activation(x)


def _decoder(in_channels: int, width: int) -> list[nn.Module]:
    """From a quarter of the size back to the image, linear RGB at the end."""
    return [
        SameConv2d(in_channels, 4 * width),
        SameConv2d(4 * width, 4 * width),
        SameConv2d(4 * width, 2 * width, upsample=True),
        SameConv2d(2 * width, 2 * width),
        SameConv2d(2 * width, width, upsample=True),
        SameConv2d(width, width // 2),
        SameConv2d(width // 2, 3, activation=None),
    ]


class CoarseNetwork(nn.Sequential):
    """Stage 1, trained with reconstruction losses only. (N, 5, H, W) -> (N, 3, H, W), not yet clipped."""

    def __init__(self, width: int = 32) -> None:
        wide = 4 * width
        super().__init__(
            SameConv2d(5, width, 5),
            SameConv2d(width, 2 * width, stride=2),
            SameConv2d(2 * width, 2 * width),
            SameConv2d(2 * width, wide, stride=2),
            SameConv2d(wide, wide),
            SameConv2d(wide, wide),
            *(SameConv2d(wide, wide, dilation=dilation) for dilation in DILATIONS),
            *_decoder(wide, width),
        )


class RefinementNetwork(nn.Module):
    """Stage 2: a branch of dilated convolutions and one with contextual attention, and a decoder for both."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        wide = 4 * width
        self.conv_branch = nn.Sequential(
            SameConv2d(5, width, 5),
            SameConv2d(width, width, stride=2),
            SameConv2d(width, 2 * width),
            SameConv2d(2 * width, 2 * width, stride=2),
            SameConv2d(2 * width, wide),
            SameConv2d(wide, wide),
            *(SameConv2d(wide, wide, dilation=dilation) for dilation in DILATIONS),
        )
        self.attention_encoder = nn.Sequential(
            SameConv2d(5, width, 5),
            SameConv2d(width, width, stride=2),
            SameConv2d(width, 2 * width),
            SameConv2d(2 * width, wide, stride=2),
            SameConv2d(wide, wide),
            SameConv2d(wide, wide, activation=F.relu),
        )
        self.attention = ContextualAttention()
        self.attention_decoder = nn.Sequential(SameConv2d(wide, wide), SameConv2d(wide, wide))
        self.decoder = nn.Sequential(*_decoder(2 * wide, width))

    def forward(self, inputs: Tensor, mask: Tensor, details: dict[str, Any] | None = None) -> Tensor:
        """(N, 5, H, W) and its mask (N, 1, H, W) -> (N, 3, H, W), not yet clipped."""
        features = self.attention_encoder(inputs)
        # While training, patches are compared in float32: bfloat16 scores blur the choice between them.
        exact = features.float() if self.training else features
        attended, flow = self.attention(exact, mask=mask, return_flow=details is not None)
        if details is not None:
            details["flow"] = flow
        attended = self.attention_decoder(attended.to(features.dtype))
        return self.decoder(torch.cat((self.conv_branch(inputs), attended), dim=1))


class DeepFillV1(nn.Module):
    """The DeepFill v1 generator.

    Args:
        width: channels of the first layer, 32 in the paper.
        keep_hole: leave what the image holds inside the hole in the input. For the restoration of a mosaic, where the
            hole carries the pixelated truth.
    """

    multiple_of = 8

    def __init__(self, width: int = 32, keep_hole: bool = False) -> None:
        super().__init__()
        self.keep_hole = keep_hole
        self.coarse = CoarseNetwork(width)
        self.refinement = RefinementNetwork(width)

    def forward(
        self, image: Tensor, mask: Tensor, sketch: Tensor | None = None, details: dict[str, Any] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Predict the whole image twice.

        Args:
            image: N x 3 x H x W in [0, 1], H and W multiples of 8.
            mask: N x 1 x H x W, 1 = hole.
            sketch: not used; DeepFill v1 has no sketch channel.
            details: receives `flow` (see `ContextualAttention`).

        Returns:
            The coarse and the refined prediction, N x 3 x H x W in [0, 1] (hard clip, as in the paper), not pasted.
        """
        image = image * 2 - 1
        incomplete = image if self.keep_hole else fill_hole(image, mask)
        # A plane of ones tells the zeros of the padding from the grey of the hole.
        planes = torch.cat((torch.ones_like(mask), mask), dim=1)
        dtype = next(self.parameters()).dtype
        coarse = self.coarse(torch.cat((incomplete, planes), dim=1).to(dtype)).float().clamp(-1, 1)
        pasted = torch.where(mask > 0.5, coarse, incomplete.float())
        refined = self.refinement(torch.cat((pasted, planes.float()), dim=1).to(dtype), mask, details)
        return coarse / 2 + 0.5, refined.float().clamp(-1, 1) / 2 + 0.5
