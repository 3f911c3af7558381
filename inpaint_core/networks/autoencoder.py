"""The plain autoencoder: encoder, bottleneck, decoder, trained with the mean squared error alone.

The baseline of both studies: fully convolutional at any size, and with the encoders of the small-image study (32 px,
centre 8 x 8 missing) in the styles of AlexNet, VGG, ResNet and Inception. No skip connections: all that the
decoder gets went through the bottleneck.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core.networks.layers.hole import fill_hole

Encoder = Callable[[int, int, int], tuple[nn.Module, int]]
"""(inputs, width, halvings) -> (module, channels): the module takes N x inputs x H x W to N x channels x
H / 2^halvings x W / 2^halvings. Channels double with every halving up to 8 times `width`."""


def conv_block(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution + batch normalisation + ReLU; keeps the size, or halves an even one."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class ConvUp(nn.Module):
    """Repeats every pixel 2 x 2 times, then two convolutions: no checkerboard, unlike transposed convolutions."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(conv_block(inputs, outputs), conv_block(outputs, outputs))

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x 2H x 2W."""
        return self.layers(F.interpolate(features, scale_factor=2, mode="nearest"))


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut, which is a 1 x 1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = conv_block(inputs, outputs, stride=stride)
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs))
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1)
        self.stride = stride

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H / stride x W / stride."""
        # subsampled here: of fewer than 8 channels-last inputs, oneDNN's weight gradient of a strided 1 x 1 convolution
        # writes beyond its memory (torch 2.11, AVX2)
        reduced = features[..., :: self.stride, :: self.stride]
        return F.relu(self.second(self.first(features)) + self.shortcut(reduced))


class InceptionBlock(nn.Module):
    """Four branches side by side: 1 x 1, 3 x 3, 5 x 5 and pooling, with a quarter of the channels each."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        quarter = max(outputs // 4, 1)
        self.branches = nn.ModuleList(
            [
                conv_block(inputs, quarter, 1),
                nn.Sequential(conv_block(inputs, quarter, 1), conv_block(quarter, outputs - 3 * quarter)),
                nn.Sequential(conv_block(inputs, quarter, 1), conv_block(quarter, quarter, 5)),
                nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv_block(inputs, quarter, 1)),
            ]
        )

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H x W."""
        return torch.cat([branch(features) for branch in self.branches], dim=1)


def _widths(width: int, halvings: int) -> list[int]:
    """Channels after the first layer and after each halving."""
    return [min(width * 2**level, 8 * width) for level in range(halvings + 1)]


def plain(inputs: int, width: int, halvings: int) -> tuple[nn.Module, int]:
    """5 x 5, then for each halving a strided 3 x 3 and another 3 x 3."""
    widths = _widths(width, halvings)
    layers = [conv_block(inputs, width, 5)]
    for before, after in pairwise(widths):
        layers += [conv_block(before, after, stride=2), conv_block(after, after)]
    return nn.Sequential(*layers), widths[-1]


def vgg(inputs: int, width: int, halvings: int) -> tuple[nn.Module, int]:
    """Pairs of 3 x 3 convolutions, each followed by max pooling (Simonyan and Zisserman 2015)."""
    layers: list[nn.Module] = []
    channels = inputs
    for wider in _widths(width, halvings)[:-1]:
        layers += [conv_block(channels, wider), conv_block(wider, wider), nn.MaxPool2d(2)]
        channels = wider
    return nn.Sequential(*layers), channels


def resnet(inputs: int, width: int, halvings: int) -> tuple[nn.Module, int]:
    """A 3 x 3 stem, then for each halving a strided residual block and another one (He et al. 2016)."""
    widths = _widths(width, halvings)
    layers: list[nn.Module] = [conv_block(inputs, width)]
    for before, after in pairwise(widths):
        layers += [ResidualBlock(before, after, stride=2), ResidualBlock(after, after)]
    return nn.Sequential(*layers), widths[-1]


def inception(inputs: int, width: int, halvings: int) -> tuple[nn.Module, int]:
    """A 3 x 3 stem, then for each halving an Inception block and max pooling (Szegedy et al. 2015)."""
    widths = _widths(width, halvings)
    layers: list[nn.Module] = [conv_block(inputs, width)]
    for before, after in pairwise(widths):
        layers += [InceptionBlock(before, after), nn.MaxPool2d(2)]
    return nn.Sequential(*layers), widths[-1]


def alexnet(inputs: int, width: int, halvings: int) -> tuple[nn.Module, int]:
    """Two 5 x 5 and three 3 x 3 convolutions, overlapping max pooling after the first ones (Krizhevsky et al. 2012)."""
    widths = _widths(width, 2)
    pairs = [(inputs, widths[0], 5), (widths[0], widths[1], 5)]
    pairs += [(widths[1], widths[2], 3), (widths[2], widths[2], 3), (widths[2], widths[2], 3)]
    after = {0, 1, *range(len(pairs) - max(halvings - 2, 0), len(pairs))}
    pools = sorted(after)[:halvings]
    layers: list[nn.Module] = []
    for index, pair in enumerate(pairs):
        layers.append(conv_block(*pair))
        if index in pools:
            layers.append(nn.MaxPool2d(3, stride=2, padding=1))
    return nn.Sequential(*layers), widths[2]


ENCODERS: dict[str, Encoder] = {
    "plain": plain,
    "vgg": vgg,
    "resnet": resnet,
    "inception": inception,
    "alexnet": alexnet,
}


class Autoencoder(nn.Module):
    """Encoder - bottleneck - decoder.

    Args:
        width: channels of the first layer; they double with every halving, up to 8 times.
        encoder: "plain", "vgg", "resnet", "inception" or "alexnet".
        halvings: how often the encoder halves the size: 4 for photos, 3 (32 px -> 4 x 4) for the small-image study.
        bottleneck: channels at the smallest size; None: as many as the encoder gives.
        depth: 3 x 3 convolutions at the smallest size: how far the known part reaches into the hole.
        mean_colour: what the hole is filled with, RGB in [0, 1].
    """

    def __init__(
        self,
        width: int = 32,
        encoder: str = "plain",
        halvings: int = 4,
        bottleneck: int | None = None,
        depth: int = 4,
        mean_colour: Sequence[float] = (0.485, 0.456, 0.406),
    ) -> None:
        super().__init__()
        if encoder not in ENCODERS:
            raise ValueError(f"{encoder!r} is none of the encoders {', '.join(ENCODERS)}")
        self.mean_colour = tuple(mean_colour)
        self.multiple_of = 2**halvings
        self.encoder, channels = ENCODERS[encoder](4, width, halvings)
        narrow = bottleneck or channels
        middle = [conv_block(channels, narrow)] + [conv_block(narrow, narrow) for _ in range(depth - 1)]
        self.bottleneck = nn.Sequential(*middle)
        widths = [narrow, *(min(width * 2**level, 8 * width) for level in range(halvings - 1, -1, -1))]
        ups = (ConvUp(before, after) for before, after in pairwise(widths))
        self.decoder = nn.Sequential(*ups, nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None) -> Tensor:
        """Predict the whole image.

        Args:
            image: N x 3 x H x W in [0, 1], H and W multiples of `multiple_of`.
            mask: N x 1 x H x W, 1 = hole.
            sketch: not used; the autoencoder has no sketch channel.

        Returns:
            N x 3 x H x W in [0, 1], the raw prediction, not pasted.
        """
        inputs = torch.cat((fill_hole(image, mask, self.mean_colour), mask), dim=1)  # (N, 4, H, W)
        features = self.bottleneck(self.encoder(inputs.to(next(self.parameters()).dtype)))
        return torch.sigmoid(self.decoder(features).float())
