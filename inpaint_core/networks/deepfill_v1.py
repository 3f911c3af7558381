"""DeepFill v1: generative image inpainting with contextual attention (Yu et al. 2018): the generator and its critics.

Departures from the paper: none in the networks; weights are initialised to keep the scale of the features through ELU.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core.networks.layers.attention import ATTENTION_MARGIN, ContextualAttention, Conventions
from inpaint_core.networks.layers.hole import fill_hole
from inpaint_core.networks.layers.padding import Conv2dSame, reflect_pad


class ConvBlock(Conv2dSame):
    """Convolution with TensorFlow "SAME" padding and an activation, ELU unless another is given.

    Args:
        upsample: repeat every pixel 2 x 2 times before the convolution.
        activation: None for the linear RGB head.
        border: what lies beyond the map: "same", TensorFlow's zeros; "zeros" or "reflect", torch's, of
            dilation * (kernel_size - 1) / 2 on every side.
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
        border: str = "same",
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, dilation)
        self.border = border
        self.upsample = upsample
        self.activation = activation
        # ELU keeps about 1 / 1.25^2 of the variance; the head starts near mid-grey, away from the clip.
        gain = 0.5 if activation is None else 1.25
        nn.init.normal_(self.weight, std=gain / math.sqrt(self.weight[0].numel()))
        assert self.bias is not None
        nn.init.zeros_(self.bias)

    @property
    def reflection(self) -> int:
        """Pixels of padding by reflection on each side."""
        return self.dilation[0] * (self.kernel_size[0] - 1) // 2 if self.border == "reflect" else 0

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x ceil(H / stride) x ceil(W / stride), or 2H x 2W with `upsample`."""
        if self.upsample:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = super().forward(x) if self.border == "same" else self._convolve(x)
        return x if self.activation is None else self.activation(x)

    def _convolve(self, x: Tensor) -> Tensor:
        """The convolution with the same padding on both sides."""
        if self.border == "reflect":
            return F.conv2d(reflect_pad(x, self.reflection), self.weight, self.bias, self.stride, 0, self.dilation)
        amount = self.dilation[0] * (self.kernel_size[0] - 1) // 2
        return F.conv2d(x, self.weight, self.bias, self.stride, amount, self.dilation)


@dataclass(frozen=True)
class Port:
    """What an implementation of DeepFill v1 does in its own way."""

    border: str  # see `ConvBlock`
    last: Callable[[Tensor], Tensor]  # activation before the attention
    attention: Conventions


PORTS = {
    "authors": Port("same", F.relu, Conventions()),
    "mmagic": Port("reflect", F.elu, Conventions(aligned=False, exclude=True, average=True)),
    "daa233": Port("zeros", F.relu, Conventions(aligned=False, epsilon=1e-4)),
}
"""Implementations whose published weights fit this network."""
AUTHORS = PORTS["authors"]


def encoder(
    in_channels: int, widths: Sequence[int], border: str, last: Callable[[Tensor], Tensor] = F.elu
) -> list[ConvBlock]:
    """Six layers of these widths down to a quarter of the size; `last` is the last one's activation."""
    first, second, third, fourth, fifth, sixth = widths
    return [
        ConvBlock(in_channels, first, 5, border=border),
        ConvBlock(first, second, stride=2, border=border),
        ConvBlock(second, third, border=border),
        ConvBlock(third, fourth, stride=2, border=border),
        ConvBlock(fourth, fifth, border=border),
        ConvBlock(fifth, sixth, activation=last, border=border),
    ]


def dilated(width: int, border: str) -> list[ConvBlock]:
    """Four layers with ever wider gaps, which see the whole photo at 256 px."""
    return [ConvBlock(width, width, dilation=dilation, border=border) for dilation in (2, 4, 8, 16)]


def decoder(in_channels: int, width: int, border: str) -> list[ConvBlock]:
    """From a quarter of the size back to the image, linear RGB at the end."""
    return [
        ConvBlock(in_channels, 4 * width, border=border),
        ConvBlock(4 * width, 4 * width, border=border),
        ConvBlock(4 * width, 2 * width, upsample=True, border=border),
        ConvBlock(2 * width, 2 * width, border=border),
        ConvBlock(2 * width, width, upsample=True, border=border),
        ConvBlock(width, width // 2, border=border),
        ConvBlock(width // 2, 3, activation=None, border=border),
    ]


class CoarseNetwork(nn.Sequential):
    """Stage 1, trained with reconstruction losses only. (N, 5, H, W) -> (N, 3, H, W), not yet clipped."""

    def __init__(self, width: int = 32, port: Port = AUTHORS) -> None:
        w, border = width, port.border
        widths = (w, 2 * w, 2 * w, 4 * w, 4 * w, 4 * w)
        super().__init__(*encoder(5, widths, border), *dilated(4 * w, border), *decoder(4 * w, w, border))


class RefinementNetwork(nn.Module):
    """Stage 2: a branch of dilated convolutions and one with contextual attention, and a decoder for both."""

    def __init__(self, width: int = 32, port: Port = AUTHORS) -> None:
        super().__init__()
        w, border = width, port.border
        widths = (w, w, 2 * w, 2 * w, 4 * w, 4 * w)
        self.conv_branch = nn.Sequential(*encoder(5, widths, border), *dilated(4 * w, border))
        widths = (w, w, 2 * w, 4 * w, 4 * w, 4 * w)
        self.attention_encoder = nn.Sequential(*encoder(5, widths, border, port.last))
        self.attention = ContextualAttention(conventions=port.attention)
        self.attention_decoder = nn.Sequential(*(ConvBlock(4 * w, 4 * w, border=border) for _ in range(2)))
        self.decoder = nn.Sequential(*decoder(8 * w, w, border))

    def forward(self, x: Tensor, mask: Tensor, return_flow: bool = False) -> tuple[Tensor, Tensor | None]:
        """(N, 5, H, W) and its mask (N, 1, H, W) -> (N, 3, H, W), not yet clipped, and the flow if asked for."""
        features = self.attention_encoder(x)  # (N, 4 width, H / 4, W / 4)
        # While training, patches are compared in float32: bfloat16 scores blur the choice between them.
        exact = features.float() if self.training else features
        attended, flow = self.attention(exact, mask=mask, return_flow=return_flow)
        attended = self.attention_decoder(attended.to(features.dtype))
        return self.decoder(torch.cat((self.conv_branch(x), attended), dim=1)), flow


class DeepFillV1(nn.Module):
    """The DeepFill v1 generator (sections 3.1 and 4.2, figures 2 and 4).

    Args:
        width: channels of the first layer, 32 in the paper.
        keep_hole: leave what the image holds inside the hole in the input. For the restoration of a mosaic, where the
            hole carries the pixelated truth.
        port: the implementation whose weights are used. "authors": as in the paper and its TensorFlow code. "mmagic":
            padding by reflection, ELU before the attention, whose maps shrink to the upper left pixels, which leaves
            patches of the hole out and averages where patches overlap. "daa233": zeros on both sides, upper left
            pixels, and 1e-4 in the norm of a patch.
    """

    multiple_of = 8

    def __init__(self, width: int = 32, keep_hole: bool = False, port: str = "authors") -> None:
        super().__init__()
        if port not in PORTS:
            raise ValueError(f"DeepFill v1 is that of {', '.join(PORTS)}, not of {port!r}")
        self.keep_hole = keep_hole
        self.coarse = CoarseNetwork(width, PORTS[port])
        self.refinement = RefinementNetwork(width, PORTS[port])

    @property
    def last_kernel(self) -> Tensor:
        """The kernel that makes the photo: where the gradients of a training's losses are compared."""
        return self.refinement.decoder[-1].get_parameter("weight")

    def restrict_to_hole(self) -> None:
        """For inference, where only the hole's pixels are used: rebuild no features that cannot reach them."""
        self.refinement.attention.margin = ATTENTION_MARGIN

    def forward(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Predict the whole image twice.

        Args:
            image: N x 3 x H x W in [0, 1], H and W multiples of 8.
            mask: N x 1 x H x W, 1 = hole.
            sketch: not used; DeepFill v1 has no sketch channel.

        Returns:
            The coarse and the refined prediction, N x 3 x H x W in [0, 1] (hard clip, as in the paper), not pasted.
        """
        return self._stages(image, mask)[0]

    def explain(
        self, image: Tensor, mask: Tensor, sketch: Tensor | None = None
    ) -> tuple[tuple[Tensor, Tensor], dict[str, Any]]:
        """`forward`, and a dictionary with its attention's "flow" (see `ContextualAttention`)."""
        stages, flow = self._stages(image, mask, return_flow=True)
        return stages, {"flow": flow}

    def _stages(
        self, image: Tensor, mask: Tensor, return_flow: bool = False
    ) -> tuple[tuple[Tensor, Tensor], Tensor | None]:
        """Both predictions, and the flow if asked for."""
        image = image * 2 - 1
        incomplete = image if self.keep_hole else fill_hole(image, mask)
        # A plane of ones distinguishes the zeros of the padding from the grey of the hole.
        planes = torch.cat((torch.ones_like(mask), mask), dim=1)  # (N, 2, H, W)
        dtype = next(self.parameters()).dtype
        coarse = self.coarse(torch.cat((incomplete, planes), dim=1).to(dtype)).float().clamp(-1, 1)  # (N, 3, H, W)
        pasted = torch.where(mask > 0.5, coarse, incomplete.float())
        refined, flow = self.refinement(torch.cat((pasted, planes.float()), dim=1).to(dtype), mask, return_flow)
        return (coarse / 2 + 0.5, refined.float().clamp(-1, 1) / 2 + 0.5), flow


class WassersteinCritic(nn.Module):
    """One of the two WGAN-GP critics: four strided convolutions and one linear score (section 3.2).

    The local one scores the crop around the hole, the global one the whole image; the generator's loss adds both.

    Args:
        size: side of the images, 256 (global) or 128 (local); a multiple of 16.
        width: channels of the first layer, 64 in the paper; then 2 and 4 times as many.
        last: channels of the fourth in units of `width`: 8 for the original's local critic, 4 for its global one.
    """

    def __init__(self, size: int = 256, width: int = 64, last: int = 4) -> None:
        super().__init__()
        if size % 16:
            raise ValueError(f"the critic takes sides that are multiples of 16, not {size}")
        widths = (3, width, 2 * width, 4 * width, last * width)
        self.convolutions = nn.ModuleList(Conv2dSame(before, after, 5, stride=2) for before, after in pairwise(widths))
        self.score = nn.Linear(widths[-1] * (size // 16) ** 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        """N x 3 x size x size in [0, 1] -> N unbounded scores, high for real."""
        features = image * 2 - 1
        for convolution in self.convolutions:
            features = F.leaky_relu(convolution(features), 0.2)
        return self.score(features.flatten(1)).flatten()
