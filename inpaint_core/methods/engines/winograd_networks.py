"""The blocks of Big LaMa and AOT-GAN by Winograd's convolutions; what lies before and behind them is not done here.

CPU time of torch over that of this engine, measured in one run at 512 px, one thread, float32, AVX2: Big LaMa 1.94, and
2.18 as in a fill, which decodes around the hole alone (a quarter of the photo); AOT-GAN 1.74. By OpenVINO alone 1.05
and 1.23. Of Big LaMa's time three tenths go to the matrix products of the 3 x 3 convolutions, a third to the spectral
transforms (two thirds of that are 1 x 1 convolutions), a tenth to the transforms of the tiles, the rest to what lies
before and behind. The transformed kernels take four times the memory of the plain ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from inpaint_core.methods.engines.graph import merged
from inpaint_core.methods.engines.winograd import Kernel, Output, convolve
from inpaint_core.networks.aot_gan import AOTGAN, AOTBlock, ReflectConv2d, gated
from inpaint_core.networks.lama import FFC, FourierUnit, LaMa, SpectralTransform

LEAST_CHANNELS = 256  # of a block: with fewer the transforms cost about what the multiplications they save do


def gains(network: nn.Module) -> bool:
    """True if Winograd's convolutions are worth their transforms in this network."""
    if isinstance(network, AOTGAN):
        return network.width * 4 >= LEAST_CHANNELS
    return isinstance(network, LaMa) and not network.takes_noise and 8 * network.head.in_channels >= LEAST_CHANNELS


class PointwiseConvolution:
    """A 1 x 1 convolution with its normalisation: H x W x C -> H x W x C'."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self.matrix = weight.detach().flatten(1).T.float().contiguous()
        self.bias = torch.zeros(len(weight)) if bias is None else bias.detach().float()

    def __call__(self, features: Tensor) -> Tensor:
        return torch.addmm(self.bias, features.flatten(0, 1), self.matrix).unflatten(0, features.shape[:2])


class Spectral:
    """`SpectralTransform` on H x W x C maps, its last layer scaled by the normalisation behind it."""

    def __init__(self, layer: SpectralTransform, scale: Tensor) -> None:
        unit: FourierUnit = layer.fourier
        self.reduce = PointwiseConvolution(*merged(layer.reduce, layer.norm))
        self.mix = PointwiseConvolution(*merged(unit.conv, unit.norm))
        self.expand = PointwiseConvolution(layer.expand.weight * scale.view(-1, 1, 1, 1), None)

    def __call__(self, features: np.ndarray) -> np.ndarray:
        reduced = self.reduce(torch.from_numpy(features)).relu_()
        height, width, channels = reduced.shape
        spectrum = torch.view_as_real(torch.fft.rfft2(reduced, dim=(0, 1), norm="ortho"))  # (H, W // 2 + 1, C, 2)
        mixed = self.mix(spectrum.flatten(2)).relu_().unflatten(2, (channels, 2))
        mixed = torch.view_as_complex(mixed.contiguous())
        reduced += torch.fft.irfft2(mixed, s=(height, width), dim=(0, 1), norm="ortho")
        return self.expand(reduced).numpy()


class FourierConvolution:
    """`FFC` with both paths on H x W x C maps, the normalisations merged into the kernels."""

    def __init__(self, layer: FFC) -> None:
        assert layer.norm_global is not None
        assert isinstance(layer.global_to_global, SpectralTransform)
        parts = [(layer.local_to_local, layer.norm_local), (layer.global_to_local, layer.norm_local)]
        (to_local, bias), (from_global, _) = (merged(conv, norm) for conv, norm in parts)  # type: ignore[arg-type]
        self.local = Kernel(torch.cat((to_local, from_global), 1), bias)
        self.global_ = Kernel(*merged(layer.local_to_global, layer.norm_global))  # type: ignore[arg-type]
        norm: Any = layer.norm_global
        self.spectral = Spectral(layer.global_to_global, norm.weight / (norm.running_var + norm.eps).sqrt())

    def __call__(self, maps: list[np.ndarray], residuals: list[np.ndarray] | None = None) -> list[np.ndarray]:
        """Local and global map; `residuals` are added to both at the end."""
        local, global_ = residuals or (None, None)
        outputs = [
            Output(self.local, residual=local),
            Output(self.global_, added=self.spectral(maps[1]), residual=global_),
        ]
        return convolve(maps, outputs)


class WinogradLaMa(nn.Module):
    """LaMa: stem, downsamplings, upsamplings and head by `before` and `behind`, the blocks by Winograd's convolutions.

    Args:
        network: in evaluation mode, float32, on the CPU; its maps are filled by itself where they are too small.
        before: planes -> N x 8 width x H / 8 x W / 8, the local features and behind them the global ones.
        behind: the same features -> N x 3 x H x W.
    """

    def __init__(self, network: LaMa, before: nn.Module, behind: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.before, self.behind = before, behind
        self.blocks = [(FourierConvolution(block.first), FourierConvolution(block.second)) for block in network.blocks]  # type: ignore[arg-type]

    def forward(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None) -> Tensor:
        """As the network's own `forward`."""
        planes = self.network.planes(image, mask)
        if min(planes.shape[-2:]) < 2 * self.network.multiple_of:
            return self.network.decoded(self.network.encode(planes), planes, self.network.decode)
        features = torch.stack([self._through_blocks(each) for each in self.before(planes)])
        return self.network.decoded(features, planes, lambda part, _: self.behind(part))

    def _through_blocks(self, features: Tensor) -> Tensor:
        """C x H x W -> the same."""
        local_channels = self.blocks[0][0].local.bias.size
        pixels = features.permute(1, 2, 0)
        maps = [part.contiguous().numpy() for part in (pixels[..., :local_channels], pixels[..., local_channels:])]
        for first, second in self.blocks:
            maps = second(first(maps), residuals=maps)
        return torch.from_numpy(np.concatenate(maps, axis=2)).permute(2, 0, 1)


class GatedBlock:
    """`AOTBlock` on H x W x C maps."""

    def __init__(self, block: AOTBlock) -> None:
        branches: list[ReflectConv2d] = list(block.branches)  # type: ignore[arg-type]
        self.branches = [(branch.dilation[0], Kernel(branch.weight, branch.bias)) for branch in branches]
        self.fuse = Kernel(block.fuse.weight, block.fuse.bias)
        self.gate = Kernel(block.gate.weight, block.gate.bias)

    @property
    def reach(self) -> int:
        """Pixels by which its maps are reflected."""
        return max(dilation for dilation, _ in self.branches)

    def __call__(self, features: np.ndarray) -> np.ndarray:
        parts = [convolve([features], [Output(kernel)], dilation)[0] for dilation, kernel in self.branches]
        (transformed,) = convolve(parts, [Output(self.fuse, relu=False)])
        (gate,) = convolve([features], [Output(self.gate, relu=False)])
        planes = [torch.from_numpy(each) for each in (features, transformed, gate)]
        return gated(planes[0], planes[1], planes[2], dims=(0, 1)).numpy()


class WinogradBlocks(nn.Module):
    """AOT-GAN's blocks: N x C x H x W -> the same. Maps too small to be reflected are transformed by torch."""

    def __init__(self, blocks: list[AOTBlock]) -> None:
        super().__init__()
        self.layers = nn.Sequential(*blocks)
        self.blocks = [GatedBlock(block) for block in blocks]

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        if min(features.shape[-2:]) <= max(block.reach for block in self.blocks):
            return self.layers(features)
        return torch.stack([self._transformed(each) for each in features])

    def _transformed(self, features: Tensor) -> Tensor:
        """C x H x W -> the same."""
        pixels = features.permute(1, 2, 0).contiguous().numpy()
        for block in self.blocks:
            pixels = block(pixels)
        return torch.from_numpy(pixels).permute(2, 0, 1)
