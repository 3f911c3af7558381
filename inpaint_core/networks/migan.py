"""MI-GAN: a small inpainting network for mobile phones (Sargsyan et al. 2023): the generator as it runs after training.

The training's re-parametrised kernels (section 3.3) are merged, as in the published inference files. Departures from
the paper: none known; the constants of the activation and the filters are those of the public code, which gave the same
numbers with drawn weights.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core.networks.layers.hole import fill_hole

LIMIT = 256.0
"""Features are clipped to this magnitude, as in StyleGAN2."""


def activate(features: Tensor) -> Tensor:
    """LeakyReLU of 0.2, times sqrt(2), which keeps the variance, clipped."""
    return (F.leaky_relu(features, 0.2) * math.sqrt(2)).clamp(-LIMIT, LIMIT)


def halve(features: Tensor) -> Tensor:
    """Blur with (1, 3, 3, 1) / 8 along both axes and take every other pixel; zeros lie around the map."""
    line = features.new_tensor([1.0, 3.0, 3.0, 1.0]) / 8
    channels = features.shape[1]
    kernel = torch.outer(line, line).expand(channels, 1, 4, 4)
    return F.conv2d(features, kernel, None, 2, 1, groups=channels)


def double(features: Tensor) -> Tensor:
    """Zeros between the pixels, then a blur with (1, 3, 3, 1) / 4: bilinear, with zeros around the map."""
    return F.interpolate(F.pad(features, (1, 1, 1, 1)), scale_factor=2, mode="bilinear")[..., 2:-2, 2:-2]


class SeparableConv2d(nn.Module):
    """Depthwise 3 x 3 convolution, then a 1 x 1 convolution, each activated (section 3.2, figure 3).

    Args:
        in_channels, out_channels: of the two together.
        down, up: halve the size between the two; double it after both.
        noise_size: side of the constant noise that is added before the last activation; None for none.
    """

    noise: Tensor

    def __init__(
        self, in_channels: int, out_channels: int, down: bool = False, up: bool = False, noise_size: int | None = None
    ) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.down, self.up, self.has_noise = down, up, noise_size is not None
        if noise_size is not None:
            self.register_buffer("noise", torch.zeros(noise_size, noise_size))
            self.noise_strength = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H x W, or half or twice the size."""
        features = activate(self.depthwise(features))
        features = self.pointwise(halve(features) if self.down else features)
        features = double(features) if self.up else features
        return activate(features + self.noise * self.noise_strength if self.has_noise else features)


class EncoderLevel(nn.Module):
    """Two separable convolutions; the first one's features also go to the decoder, the second one halves the size."""

    def __init__(self, channels: int, below: int, down: bool) -> None:
        super().__init__()
        self.first = SeparableConv2d(channels, channels)
        self.second = SeparableConv2d(channels, below, down=down)


class DecoderLevel(nn.Module):
    """Two separable convolutions, the first of which doubles the size, with the encoder's features in between."""

    def __init__(self, below: int, channels: int, size: int | None) -> None:
        super().__init__()
        self.first = SeparableConv2d(below, channels, up=size is not None, noise_size=size)
        self.second = SeparableConv2d(channels, channels, noise_size=size)
        self.to_rgb = nn.Conv2d(channels, 3, 1)


class MIGAN(nn.Module):
    """The MI-GAN generator (section 3.2, figure 2): an encoder down to 4 x 4, a decoder that adds up an image.

    Args:
        size: side of the squares it takes, 512 or 256 in the paper; a power of two.
        base: a level of side s has base / s channels ...
        most: ... but no more than this.
    """

    def __init__(self, size: int = 512, base: int = 32768, most: int = 512) -> None:
        super().__init__()
        if size < 8 or size & (size - 1):
            raise ValueError(f"MI-GAN takes squares of a power of two, 8 or more, not of {size} pixels")
        self.image_size = size
        sides = [4 << level for level in range(size.bit_length() - 2)]  # 4, 8, ... size
        widths = [min(base // side, most) for side in sides]
        self.from_rgb = nn.Conv2d(4, widths[-1], 1)
        self.encoder = nn.ModuleList(  # finest first
            EncoderLevel(widths[level], widths[max(level - 1, 0)], down=level > 0)
            for level in reversed(range(len(sides)))
        )
        self.decoder = nn.ModuleList(  # coarsest first
            DecoderLevel(widths[max(level - 1, 0)], widths[level], side if level else None)
            for level, side in enumerate(sides)
        )

    @property
    def multiple_of(self) -> int:
        """Height and width must be this."""
        return self.image_size

    def forward(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None) -> Tensor:
        """Predict the whole image.

        Args:
            image: N x 3 x size x size in [0, 1].
            mask: N x 1 x size x size, 1 = hole.
            sketch: not used; MI-GAN has no sketch channel.

        Returns:
            N x 3 x size x size in [0, 1], the raw prediction, not pasted.

        Raises:
            ValueError: the image is of another size.
        """
        if image.shape[-2:] != (self.image_size, self.image_size):
            raise ValueError(f"this MI-GAN takes {self.image_size} x {self.image_size} pixels")
        return self.colours(self.predict(self.planes(image, mask)))

    def planes(self, image: Tensor, mask: Tensor) -> Tensor:
        """What the first layer takes, N x 4 x size x size: known + 0.5 or - 0.5, and the image without its hole."""
        return torch.cat((0.5 - mask, fill_hole(image * 2 - 1, mask)), dim=1)

    def predict(self, planes: Tensor) -> Tensor:
        """All layers: N x 4 x size x size -> N x 3 x size x size, about [-1, 1]."""
        features = activate(self.from_rgb(planes.to(self.from_rgb.weight.dtype)))
        skips = []
        for level in self.encoder:
            skips.append(level.first(features))  # type: ignore[operator, union-attr]
            features = level.second(skips[-1])  # type: ignore[operator, union-attr]
        output = None
        for level in self.decoder:
            features = level.second(level.first(features) + skips.pop())  # type: ignore[operator, union-attr]
            colours = level.to_rgb(features)  # type: ignore[operator, union-attr]
            output = colours if output is None else double(output) + colours
        assert output is not None
        return output

    def colours(self, prediction: Tensor) -> Tensor:
        """The last layer's N x 3 x size x size in [0, 1]."""
        return prediction.float().clamp(-1, 1) / 2 + 0.5
