"""Fast Fourier convolution: a local path of ordinary convolutions and a global path that sees the whole image at once.

Chi et al. 2020 (FFC) in the form LaMa uses it (Suvorov et al. 2022, section 2.1): no local Fourier unit, reflect
padding, a single Fourier unit inside the spectral transform.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Paths = tuple[Tensor, Tensor | None]
"""Local and global features; the global ones are absent where a layer has no global channels."""


def reflect_pad(features: Tensor, amount: int) -> Tensor:
    """Pad by reflection; maps too small to be reflected (a 8 px image at 1/8) repeat their border instead."""
    mode = "reflect" if min(features.shape[-2:]) > amount else "replicate"
    return F.pad(features, (amount,) * 4, mode=mode)


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
        self.padding = kernel_size // 2

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
        padded = reflect_pad(local, self.padding)
        output = self.local_to_local(padded) if self.local_to_local else 0
        if self.global_to_local is not None and global_ is not None:
            output = output + self.global_to_local(reflect_pad(global_, self.padding))
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
