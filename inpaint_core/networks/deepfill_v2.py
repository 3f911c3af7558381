"""DeepFill v2: free-form inpainting with gated convolution (Yu et al., ICCV 2019): coarse stage, then refinement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers.attention import ContextualAttention
from .layers.gated import GatedConv2d, GatedUpConv2d
from .layers.hole import Window, cut_window, hole_window, paste_window
from .layers.padding import memory_format_of, same_conv2d

REACH = 6
"""Places at a quarter of the size from which the layers after the attention, the decoder included, reach a pixel."""


class PlainConv2d(nn.Module):
    """The ungated 3 x 3 convolution that ends a stage: features -> RGB, before tanh."""

    def __init__(self, in_channels: int, channels: int = 3) -> None:
        super().__init__()
        convolution = nn.Conv2d(in_channels, channels, 3)
        self.weight, self.bias = convolution.weight, convolution.bias

    def forward(self, x: Tensor) -> Tensor:
        """N x in_channels x H x W -> N x channels x H x W."""
        return same_conv2d(x, self.weight, self.bias)


def encoder(in_channels: int, widths: tuple[int, int, int, int], dilated: bool) -> list[nn.Module]:
    """Down to a quarter of the size in six layers, and four dilated ones that see the whole photo."""
    first, second, third, wide = widths
    layers: list[nn.Module] = [
        GatedConv2d(in_channels, first, 5),
        GatedConv2d(first, second, stride=2),
        GatedConv2d(second, third),
        GatedConv2d(third, wide, stride=2),
        GatedConv2d(wide, wide),
        GatedConv2d(wide, wide, activation=F.elu if dilated else F.relu),
    ]
    if dilated:
        layers += [GatedConv2d(wide, wide, dilation=dilation) for dilation in (2, 4, 8, 16)]
    return layers


def decoder(in_channels: int, width: int) -> list[nn.Module]:
    """From a quarter of the size back to a photo in [-1, 1] (still before tanh)."""
    return [
        GatedConv2d(in_channels, 4 * width),
        GatedConv2d(4 * width, 4 * width),
        GatedUpConv2d(4 * width, 2 * width),
        GatedConv2d(2 * width, 2 * width),
        GatedUpConv2d(2 * width, width),
        GatedConv2d(width, width // 2),
        PlainConv2d(width // 2),
    ]


class CoarseNetwork(nn.Module):
    """Stage 1: the rough content of the hole. (N, in_channels, H, W) -> (N, 3, H, W) in [-1, 1]."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(*encoder(in_channels, (width, 2 * width, 2 * width, 4 * width), dilated=True))
        self.decoder = nn.Sequential(*decoder(4 * width, width))

    def forward(self, x: Tensor, gates: list[Tensor] | None = None, window: Window | None = None) -> Tensor:
        """With a window (at a quarter of the size) only that is decoded; the rest of the result is the input's RGB."""
        features = cut_window(run(self.encoder, x, gates), window)
        return paste_window(x[:, :3], run(self.decoder, features, gates).tanh(), window, 4)


class RefinementNetwork(nn.Module):
    """Stage 2: a dilated branch and a branch with contextual attention. (N, 3, H, W) -> (N, 3, H, W) in [-1, 1]."""

    def __init__(self, width: int, attention: ContextualAttention) -> None:
        super().__init__()
        self.conv_branch = nn.Sequential(*encoder(3, (width, width, 2 * width, 2 * width), dilated=False))
        self.attention_encoder = nn.Sequential(*encoder(3, (width, width, 2 * width, 4 * width), dilated=False))
        self.attention = attention
        self.attention_decoder = nn.Sequential(GatedConv2d(4 * width, 4 * width), GatedConv2d(4 * width, 4 * width))
        self.decoder = nn.Sequential(*decoder(8 * width, width))
        # the dilated branch widens later than stage 1: 2w -> 4w at its fifth layer
        self.conv_branch[4] = GatedConv2d(2 * width, 4 * width)
        self.conv_branch[5] = GatedConv2d(4 * width, 4 * width)
        for dilation in (2, 4, 8, 16):
            self.conv_branch.append(GatedConv2d(4 * width, 4 * width, dilation=dilation))

    def forward(
        self, x: Tensor, mask: Tensor, details: dict[str, Any] | None = None, window: Window | None = None
    ) -> Tensor:
        """With a window (at a quarter of the size) only that is decoded; the rest of the result is the input."""
        gates = None if details is None else details["gates"]
        convolved = run(self.conv_branch, x, gates)
        features = run(self.attention_encoder, x, gates)
        # While training, attention compares in float32: it is cheap there, and bf16 scores blur the choice of patches.
        exact = features.float() if self.training else features
        attended, flow = self.attention(exact, mask=mask, return_flow=details is not None)
        if details is not None:
            details["flow"] = flow
        attended = run(self.attention_decoder, cut_window(attended.to(features.dtype), window), gates)
        decoded = run(self.decoder, torch.cat((cut_window(convolved, window), attended), 1), gates).tanh()
        return paste_window(x, decoded, window, 4)


def run(layers: Iterable[nn.Module], x: Tensor, gates: list[Tensor] | None) -> Tensor:
    """Pass `x` through the layers, collecting gate maps where a list is given."""
    for layer in layers:
        x = layer(x, gates) if isinstance(layer, GatedConv2d) else layer(x)
    return x


class DeepFillV2(nn.Module):
    """The DeepFill v2 generator.

    Args:
        in_channels: 6 with a sketch channel (RGB, edge, ones, mask: section 3.5 of the paper), 5 without (RGB, ones,
            mask), as the released weights.
        width: features of the first layer; the paper's convolutions have twice that many outputs (48 -> width 24).
        fuse: attention propagation, on in the paper.
    """

    multiple_of = 8
    hole_only = False
    """Decode around the hole alone, where no details are asked for: the same there, and the photo elsewhere."""
    first_stage_only = False
    """Return the coarse photo twice: for a training that begins with the first stage."""

    def __init__(self, in_channels: int = 6, width: int = 24, fuse: bool = True) -> None:
        super().__init__()
        if in_channels not in (5, 6):
            raise ValueError(f"DeepFill v2 takes 5 input channels, or 6 with the sketch, not {in_channels}")
        self.in_channels = in_channels
        self.coarse = CoarseNetwork(in_channels, width)
        self.refinement = RefinementNetwork(width, ContextualAttention(fuse=fuse))

    def forward(
        self, image: Tensor, mask: Tensor, sketch: Tensor | None = None, details: dict[str, Any] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Fill the hole.

        Args:
            image: N x 3 x H x W in [0, 1]; H and W multiples of 8. What it holds inside the hole does not matter.
            mask: N x 1 x H x W, 1 = hole.
            sketch: N x 1 x H x W, 1 = edge; only its part inside the hole is looked at. None: no edges. Ignored with
                five input channels.
            details: receives "flow" (see `ContextualAttention`) and "gates", a list of every layer's gate map.

        Returns:
            The coarse and the refined photo, N x 3 x H x W in [0, 1], not pasted into the known part.
        """
        image = image * 2 - 1
        if details is not None:
            details["gates"] = []
        x = self.stage_one_input(image, mask, sketch)
        window = hole_window(mask, 4, REACH) if self.hole_only and details is None else None
        coarse = self.coarse(x, None if details is None else details["gates"], window)
        if self.first_stage_only:
            return coarse * 0.5 + 0.5, coarse * 0.5 + 0.5
        pasted = x[:, :3] + coarse * mask  # the incomplete photo is 0 in the hole
        refined = self.refinement(pasted.contiguous(memory_format=memory_format_of(x)), mask, details, window)
        return coarse * 0.5 + 0.5, refined * 0.5 + 0.5

    def stage_one_input(self, image: Tensor, mask: Tensor, sketch: Tensor | None) -> Tensor:
        """N x in_channels x H x W from an image in [-1, 1]: incomplete RGB, (edge,) ones, mask.

        The plane of ones lets the network tell the zeros of the padding from the grey of the hole.
        """
        planes = [image * (1 - mask), torch.ones_like(mask), mask]
        if self.in_channels == 6:
            planes.insert(1, torch.zeros_like(mask) if sketch is None else sketch * mask)
        return torch.cat(planes, 1).contiguous(memory_format=memory_format_of(image))

    def load_public_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Load weights in the layout of the public PyTorch port (five input channels, `conv1.conv.weight` ...).

        Raises:
            ValueError: names or shapes are not those of this network.
        """
        own = dict(zip(PUBLIC_NAMES, self.layers_in_public_order(), strict=True))
        expected = {f"{name}.{part}" for name in own for part in ("weight", "bias")}
        if set(state) != expected:
            odd = sorted(set(state) ^ expected)[0]
            raise ValueError(f"not a public DeepFill v2 state dict: {odd} is missing or has no place in this network")
        with torch.no_grad():
            for name, layer in own.items():
                for part in ("weight", "bias"):
                    ours, theirs = getattr(layer, part), state[f"{name}.{part}"]
                    if ours.shape != theirs.shape:
                        raise ValueError(f"{name}.{part} is {tuple(theirs.shape)}, here it is {tuple(ours.shape)}")
                    ours.copy_(theirs)

    def layers_in_public_order(self) -> list[nn.Module]:
        """Every convolution in the order in which the public code numbers them."""
        refinement = self.refinement
        return [
            *self.coarse.encoder,
            *self.coarse.decoder,
            *refinement.conv_branch,
            *refinement.attention_encoder,
            *refinement.attention_decoder,
            *refinement.decoder,
        ]


def public_names() -> list[str]:
    """The public port's module names, in its own order."""
    down = {2: "_downsample", 4: "_downsample"}
    dilated = dict.fromkeys((7, 8, 9, 10), "_atrous")
    up = {13: "_upsample.conv", 15: "_upsample.conv"}

    def numbered(prefix: str, numbers: Iterable[int]) -> list[str]:
        return [f"{prefix}conv{i}{ {**down, **dilated, **up}.get(i, '') }.conv" for i in numbers]

    return [
        *numbered("", range(1, 18)),
        *numbered("x", range(1, 11)),
        *numbered("pm", range(1, 7)),
        "pmconv9.conv",
        "pmconv10.conv",
        *numbered("all", range(11, 18)),
    ]


PUBLIC_NAMES = public_names()
