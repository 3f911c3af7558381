"""The papers' critics except SN-PatchGAN: those of Context Encoder, GLCIC and DeepFill v1, for whole images or crops.

All take images in [0, 1] and return one value per image without a sigmoid: a logit for the first two, an unbounded
Wasserstein score for the third.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core.networks.layers.padding import same_padding


class ContextPatchCritic(nn.Module):
    """Judges the predicted patch alone, without its surroundings (Context Encoder, section 3.2).

    Args:
        size: side of the patch, 64 for the centre of 128 px, 128 for whole images; 16 or more times a power of two.
        width: channels of the first layer, 64 in the public code.
    """

    def __init__(self, size: int = 64, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        channels, side = width, size // 2
        while side > 4:
            wider = min(2 * channels, 8 * width)
            layers += [nn.Conv2d(channels, wider, 4, 2, 1), nn.BatchNorm2d(wider), nn.LeakyReLU(0.2, inplace=True)]
            channels, side = wider, side // 2
        if side * (size // side) != size or side != 4:
            raise ValueError(f"a patch critic takes 16, 32, 64, 128, ... pixels, not {size}")
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, 4))

    def forward(self, patch: Tensor) -> Tensor:
        """N x 3 x size x size in [0, 1] -> N logits."""
        return self.layers(patch * 2 - 1).flatten()


class _StridedEncoder(nn.Sequential):
    """5 x 5 convolutions of stride 2 + batch normalisation + ReLU, then a fully connected layer of 16 width units."""

    def __init__(self, size: int, convolutions: int, width: int) -> None:
        if size % 2**convolutions:
            raise ValueError(f"{size} pixels cannot be halved {convolutions} times")
        layers: list[nn.Module] = []
        channels, side = 3, size // 2**convolutions
        for level in range(convolutions):
            wider = width * min(2**level, 8)
            layers += [nn.Conv2d(channels, wider, 5, 2, 2), nn.BatchNorm2d(wider), nn.ReLU(inplace=True)]
            channels = wider
        super().__init__(*layers, nn.Flatten(), nn.Linear(channels * side * side, 16 * width), nn.ReLU(inplace=True))


class GlobalLocalCritic(nn.Module):
    """GLCIC's context discriminator: the whole image and a crop around the hole, judged together (section 3.3).

    Args:
        size: side of the whole image (256 for Places2, 160 for CelebA); six halvings from 256 on, five below.
        local_size: side of the crop (128, 96).
        width: channels of the first layer, 64 in the paper.
    """

    def __init__(self, size: int = 256, local_size: int = 128, width: int = 64) -> None:
        super().__init__()
        self.local_size = local_size
        self.whole = _StridedEncoder(size, 6 if size >= 256 else 5, width)
        self.local = _StridedEncoder(local_size, 5, width)
        self.score = nn.Linear(32 * width, 1)

    def forward(self, image: Tensor, crop: Tensor) -> Tensor:
        """N x 3 x size x size and N x 3 x local_size x local_size in [0, 1] -> N logits."""
        return self.score(torch.cat((self.whole(image), self.local(crop)), dim=1)).flatten()


class WassersteinCritic(nn.Module):
    """One of DeepFill v1's two WGAN-GP critics: four strided convolutions and one linear score (section 3.2).

    The local one judges the crop around the hole, the global one the whole image; the generator's loss adds both.

    Args:
        size: side of the images, 256 (global) or 128 (local); a multiple of 16.
        width: channels of the first layer, 64 in the paper; then 2 and 4 times as many.
        last: channels of the fourth in units of `width`: 8 for the original's local critic, 4 for its global one.
    """

    def __init__(self, size: int = 256, width: int = 64, last: int = 4) -> None:
        super().__init__()
        if size % 16:
            raise ValueError(f"the critic takes sides that are multiples of 16, not {size}")
        widths: Sequence[int] = (3, width, 2 * width, 4 * width, last * width)
        self.convolutions = nn.ModuleList(nn.Conv2d(before, after, 5, stride=2) for before, after in pairwise(widths))
        self.score = nn.Linear(widths[-1] * (size // 16) ** 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        """N x 3 x size x size in [0, 1] -> N unbounded scores, high for real."""
        features = image * 2 - 1
        for convolution in self.convolutions:
            top, bottom = same_padding(features.shape[-2], 5, 2)
            left, right = same_padding(features.shape[-1], 5, 2)
            features = F.leaky_relu(convolution(F.pad(features, (left, right, top, bottom))), 0.2)
        return self.score(features.flatten(1)).flatten()
