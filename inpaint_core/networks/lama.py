"""LaMa: large-mask inpainting with fast Fourier convolutions (Suvorov et al. 2022): generator and discriminator.

A fast Fourier convolution (Chi et al. 2020) has a local path of ordinary convolutions and a global one that sees the
whole image at once, here in the paper's form (section 2.1): no local Fourier unit, reflect padding, one Fourier unit
in the spectral transform. Departures from the public code: the mask is 1 = hole as everywhere here. Departures from the
paper, as arguments: features may be enlarged bilinearly, and see noise.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core.networks.layers.hole import fill_hole
from inpaint_core.networks.layers.noise import fixed_noise
from inpaint_core.networks.layers.padding import reflect_pad
from inpaint_core.networks.layers.windows import cut, hole_window, paste

REACH = 3  # places of an eighth of the size by which the enlarging layers and the head reach into a hole, or less
NOISE = 0.05  # initial standard deviation of the weights of the noise

Paths = tuple[Tensor, Tensor | None]
"""Local and global features; the global ones are absent where a layer has no global channels."""


class FourierUnit(nn.Module):
    """A 1 x 1 convolution in the frequency domain: every output pixel depends on every input pixel.

    Real and imaginary parts are interleaved per channel, so the convolution has twice the channels.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2 * in_channels, 2 * out_channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(2 * out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H x W."""
        height, width = features.shape[-2:]
        # No FFT in bfloat16: transforms run in float32, the convolution in the weights' precision.
        spectrum = torch.fft.rfft2(features.float(), norm="ortho")  # (N, C, H, W // 2 + 1)
        parts = torch.stack((spectrum.real, spectrum.imag), dim=2).flatten(1, 2)  # (N, 2C, H, W // 2 + 1)
        parts = F.relu(self.norm(self.conv(parts.to(self.conv.weight.dtype))))
        real, imaginary = parts.float().unflatten(1, (-1, 2)).unbind(dim=2)
        spectrum = torch.complex(real.contiguous(), imaginary.contiguous())
        return torch.fft.irfft2(spectrum, s=(height, width), norm="ortho").to(features.dtype)


class SpectralTransform(nn.Module):
    """The global-to-global path: reduction to half the channels, Fourier unit with a shortcut, expansion."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        half = out_channels // 2
        self.reduce = nn.Conv2d(in_channels, half, 1, bias=False)
        self.norm = nn.BatchNorm2d(half)
        self.fourier = FourierUnit(half, half)
        self.expand = nn.Conv2d(half, out_channels, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H x W."""
        reduced = F.relu(self.norm(self.reduce(features)))
        return self.expand(reduced + self.fourier(reduced))


class FFC(nn.Module):
    """Fast Fourier convolution + batch normalisation + ReLU on both paths.

    Args:
        in_channels, out_channels: of both paths together.
        kernel_size, stride: of the three ordinary convolutions; padding is by reflection and keeps the size.
        global_in, global_out: share of the channels on the global path, 0 for none.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        global_in: float = 0.0,
        global_out: float = 0.0,
    ) -> None:
        super().__init__()
        if global_in and stride != 1:
            raise ValueError("the spectral transform keeps the size: stride must be 1 where there is global input")
        in_global, out_global = int(in_channels * global_in), int(out_channels * global_out)
        in_local, out_local = in_channels - in_global, out_channels - out_global
        self.reflection = kernel_size // 2

        def conv(inputs: int, outputs: int) -> nn.Module | None:
            return nn.Conv2d(inputs, outputs, kernel_size, stride, bias=False) if inputs and outputs else None

        self.local_to_local = conv(in_local, out_local)
        self.local_to_global = conv(in_local, out_global)
        self.global_to_local = conv(in_global, out_local)
        self.global_to_global = SpectralTransform(in_global, out_global) if in_global and out_global else None
        self.norm_local = nn.BatchNorm2d(out_local)
        self.norm_global = nn.BatchNorm2d(out_global) if out_global else None

    def forward(self, local: Tensor, global_: Tensor | None = None) -> Paths:
        """Local N x C_l x H x W and global N x C_g x H x W (or None) -> the same pair of the output's channels."""
        padded = reflect_pad(local, self.reflection)
        output = self.local_to_local(padded) if self.local_to_local else 0
        if self.global_to_local is not None and global_ is not None:
            output = output + self.global_to_local(reflect_pad(global_, self.reflection))
        output = F.relu(self.norm_local(output))
        if self.norm_global is None or self.local_to_global is None:
            return output, None
        output_global = self.local_to_global(padded)
        if self.global_to_global is not None and global_ is not None:
            output_global = output_global + self.global_to_global(global_)
        return output, F.relu(self.norm_global(output_global))


class FFCResidualBlock(nn.Module):
    """Two 3 x 3 fast Fourier convolutions and a shortcut on each path."""

    def __init__(self, channels: int, global_share: float = 0.75) -> None:
        super().__init__()
        self.first = FFC(channels, channels, 3, global_in=global_share, global_out=global_share)
        self.second = FFC(channels, channels, 3, global_in=global_share, global_out=global_share)

    def forward(self, local: Tensor, global_: Tensor) -> tuple[Tensor, Tensor]:
        """Local and global features in, the same shapes out."""
        inner_local, inner_global = self.second(*self.first(local, global_))
        return local + inner_local, global_ + inner_global


class UpConv2d(nn.Conv2d):
    """Bilinear enlarging to twice the size and a 3 x 3 convolution: N x C x H x W -> N x C' x 2H x 2W."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3)
        self.reflection = 1

    def forward(self, features: Tensor) -> Tensor:
        enlarged = F.interpolate(features, scale_factor=2, mode="bilinear")
        return super().forward(reflect_pad(enlarged, self.reflection))


class LaMa(nn.Module):
    """The FFC generator: stem, three downsamplings, residual blocks that see the whole image, three upsamplings.

    Args:
        width: channels of the stem (64 in the paper; the blocks have 8 times as many).
        blocks: residual blocks, 9 for LaMa-Fourier, 18 for Big LaMa.
        global_share: share of the blocks' channels on the global (Fourier) path.
        upsampling: "transposed" convolutions are the paper's. Trained for hours and not for weeks they leave a lattice
            in wide holes, where all features are equal; "bilinear" enlarging leaves none to draw along.
        noise: add white noise to the features before each upsampling, to make texture of, as StyleGAN does (Karras et
            al., CVPR 2019, section 3.2); the paper has none.
    """

    multiple_of = 8
    hole_only = False
    """Decode around the hole alone: the same result there, the input elsewhere. See `restrict_to_hole`."""

    def __init__(
        self,
        width: int = 64,
        blocks: int = 9,
        global_share: float = 0.75,
        upsampling: Literal["transposed", "bilinear"] = "transposed",
        noise: bool = False,
    ) -> None:
        super().__init__()
        self.takes_noise = noise
        self.stem = FFC(4, width, 7)
        self.down = nn.ModuleList(
            [
                FFC(width, 2 * width, 3, stride=2),
                FFC(2 * width, 4 * width, 3, stride=2),
                FFC(4 * width, 8 * width, 3, stride=2, global_out=global_share),
            ]
        )
        self.blocks = nn.ModuleList([FFCResidualBlock(8 * width, global_share) for _ in range(blocks)])
        up: list[nn.Module] = []
        for channels in (8 * width, 4 * width, 2 * width):
            enlarge = (
                nn.ConvTranspose2d(channels, channels // 2, 3, stride=2, padding=1, output_padding=1)
                if upsampling == "transposed"
                else UpConv2d(channels, channels // 2)
            )
            up += [enlarge, nn.BatchNorm2d(channels // 2), nn.ReLU(inplace=True)]
        self.up = nn.Sequential(*up)
        # One for each upsampling, of the noise of 8 x 8, 4 x 4 and 2 x 2 pixels at a place.
        scales = ((8, 8), (4, 4), (2, 2)) if noise else ()
        self.noise = nn.ModuleList([nn.Conv2d(side**2, times * width, 1, bias=False) for side, times in scales])
        for layer in self.noise:
            nn.init.normal_(layer.get_parameter("weight"), std=NOISE)
        self.head = nn.Conv2d(width, 3, 7)

    def restrict_to_hole(self) -> None:
        """For inference, where only the hole's pixels are used: compute nothing that cannot reach them."""
        self.hole_only = True

    def forward(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None, noise: Tensor | None = None) -> Tensor:
        """Predict the whole image.

        Args:
            image: N x 3 x H x W in [0, 1], H and W multiples of 8.
            mask: N x 1 x H x W, 1 = hole.
            sketch: not used; LaMa has no sketch channel.
            noise: N x 1 x H x W, standard normal; None: `fixed_noise`. Ignored by a network without noise.

        Returns:
            N x 3 x H x W in [0, 1], the raw prediction, not pasted.
        """
        planes = self.planes(image, mask, noise)
        return self.decoded(self.encode(planes), planes, self.decode)

    def decoded(self, features: Tensor, planes: Tensor, decode: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """What `encode` made of the planes, decoded by `self.decode` or its like: N x 3 x H x W in [0, 1].

        With `hole_only` around the hole; the rest is the image.
        """
        stride = self.multiple_of
        window = hole_window(planes[:, 3:4], REACH, stride) if self.hole_only else None
        part = decode(cut(features, window), cut(planes, window, stride))
        return paste(planes[:, :3].float(), self.colours(part), window, stride)

    def planes(self, image: Tensor, mask: Tensor, noise: Tensor | None = None) -> Tensor:
        """What the layers take, N x 4 x H x W: the image without its hole, and the mask; with noise N x 5 x H x W."""
        planes = [fill_hole(image, mask), mask]
        if self.takes_noise:
            planes.append(fixed_noise(mask) if noise is None else noise)
        return torch.cat(planes, dim=1)

    def predict(self, planes: Tensor) -> Tensor:
        """All layers: what `planes` returns -> N x 3 x H x W, any range."""
        return self.decode(self.encode(planes), planes)

    def encode(self, planes: Tensor) -> Tensor:
        """The layers up to the last block: what `planes` returns -> N x 8 width x H / 8 x W / 8."""
        planes = planes.to(self.head.weight.dtype)
        local, global_ = self.stem(planes[:, :4])
        for layer in self.down:
            local, global_ = layer(local, global_)
        for block in self.blocks:
            local, global_ = block(local, global_)
        return torch.cat((local, global_), dim=1)

    def decode(self, features: Tensor, planes: Tensor) -> Tensor:
        """The layers behind the blocks: N x 8 width x H / 8 x W / 8, and planes for their noise -> N x 3 x H x W."""
        planes = planes.to(features.dtype)
        for level in range(3):
            if self.takes_noise:
                features = features + self.noise[level](F.pixel_unshuffle(planes[:, 4:], 8 >> level))
            features = self.up[3 * level : 3 * level + 3](features)
        return self.head(reflect_pad(features, 3))

    def colours(self, prediction: Tensor) -> Tensor:
        """The last layer's N x 3 x H x W in [0, 1]."""
        return torch.sigmoid(prediction.float())


class PatchDiscriminator(nn.Module):
    """pix2pixHD's PatchGAN as LaMa uses it (section 2.2): scores of overlapping patches, and features to be matched.

    Args:
        width: channels of the first layer, 64 in the paper; they double up to 8 times as many.
        levels: strided convolutions, 4 in the paper.
    """

    def __init__(self, width: int = 64, levels: int = 4) -> None:
        super().__init__()
        widths = [width * min(2**level, 8) for level in range(levels + 1)]
        blocks: list[nn.Module] = [nn.Sequential(nn.Conv2d(3, width, 4, 2, 2), nn.LeakyReLU(0.2))]
        for level, (before, after) in enumerate(pairwise(widths), start=1):
            convolution = nn.Conv2d(before, after, 4, stride=2 if level < levels else 1, padding=2)
            blocks.append(nn.Sequential(convolution, nn.BatchNorm2d(after), nn.LeakyReLU(0.2)))
        self.blocks = nn.ModuleList(blocks)
        self.score = nn.Conv2d(widths[-1], 1, 4, padding=2)

    def forward(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Score an image's patches.

        Args:
            image: N x 3 x H x W in [0, 1].

        Returns:
            N x 1 x h x w logits, high for real, about H / 16 x W / 16 of them at 4 levels; and each block's output for
            the feature matching loss, `levels` + 1 maps, finest first.
        """
        features = [image]
        for block in self.blocks:
            features.append(block(features[-1]))
        return self.score(features[-1]), features[1:]
